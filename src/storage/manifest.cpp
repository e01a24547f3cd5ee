#include "fovea/storage/manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"

namespace fovea::storage {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 2;
constexpr int64_t kMaxBytes = 1 << 20;

Error damaged(const fs::path& folder, const std::string& what) {
  return data_error(
      shown(folder) + " is damaged: " + what,
      "take another copy of it, or, of a run, remove this checkpoint to go on from the "
      "one before");
}

std::string text_of(const Json& json) { return json.dump(1) + "\n"; }

/// The whole text, its digest included.
std::string signed_text(Json json) {
  json["digest"] = sha256(text_of(json));
  return text_of(json);
}

}  // namespace

void write_manifest(const fs::path& folder, const std::string& type,
                    const std::vector<std::string>& names, std::optional<int64_t> step) {
  Json json{{"format", kFormat}, {"kind", type}};
  if (step) json["step"] = *step;
  json["files"] = Json::object();
  for (const std::string& name : names)
    json["files"][name] = {{"bytes", fs::file_size(folder / name)},
                           {"sha256", sha256_file(folder / name)}};
  write_file_atomically(folder / kManifestName, signed_text(std::move(json)));
}

Manifest read_manifest(const fs::path& folder, const std::string& type) {
  return parse_manifest(manifest_text(folder), folder, type);
}

std::string manifest_text(const fs::path& folder) {
  return read_file(folder / kManifestName, kMaxBytes);
}

Manifest parse_manifest(const std::string& text, const fs::path& folder, const std::string& type) {
  if (json_too_deep(text)) throw damaged(folder, "MANIFEST.json is nested deep");
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw damaged(folder, "MANIFEST.json is not a JSON object");
  Manifest manifest;
  try {
    const int format = json.at("format").get<int>();
    if (format > kFormat)
      throw data_error(fmt::format("{}: found format {}, this fovea reads up to {}",
                                   shown(folder / kManifestName), format, kFormat),
                       "use the fovea that wrote it, or a newer one");
    manifest.has_digest = format != 1;
    if (manifest.has_digest) {
      Json without = json;
      without.erase("digest");
      if (text != signed_text(std::move(without)))
        throw damaged(folder, "MANIFEST.json is not as it was written");
    } else if (json.contains("digest")) {
      throw damaged(folder, "MANIFEST.json has a digest, and format 1 has none");
    }
    manifest.type = json.value("kind", "checkpoint");
    if (json.contains("step")) manifest.step = json.at("step").get<int64_t>();
    for (const auto& [name, file] : json.at("files").items())
      manifest.files[name] = {file.at("bytes").get<int64_t>(),
                              file.at("sha256").get<std::string>()};
  } catch (const Json::exception& error) {
    throw damaged(folder, std::string("MANIFEST.json: ") + error.what());
  }
  if (manifest.type != type)
    throw data_error(
        fmt::format("{}: found a {}, wanted a {}", shown(folder), manifest.type, type));
  return manifest;
}

void verify(const Manifest& manifest, const fs::path& folder,
            const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto listed = manifest.files.find(name);
    if (listed == manifest.files.end())
      throw damaged(folder, "MANIFEST.json does not name " + name);
    std::error_code absent;
    const auto bytes = static_cast<int64_t>(fs::file_size(folder / name, absent));
    if (absent) throw damaged(folder, name + " is missing");
    if (bytes != listed->second.bytes)
      throw damaged(folder,
                    fmt::format("{} has {} bytes, wanted {}", name, bytes, listed->second.bytes));
    if (const std::string found = sha256_file(folder / name); found != listed->second.sha256)
      throw damaged(folder, fmt::format("{} has the SHA-256 {}, wanted {}", name, found,
                                        listed->second.sha256));
  }
}

}  // namespace fovea::storage
