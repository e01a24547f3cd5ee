#include "fovea/dicom/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "dicom/collected.h"
#include "dicom/elements.h"
#include "dicom/source.h"
#include "dicom/walk.h"

namespace fovea::dicom {
namespace {

/// After a meta header without TransferSyntaxUID a data set must follow: only its way of writing is
/// open.
const TransferSyntax& guess_after_meta(const uint8_t* p) {
  if (!is_vr(p + 4)) return kImplicitLittle;
  return u16_at(p, true) < u16_at(p, false) ? kExplicitBig : kExplicitLittle;
}

/// A data set without preamble begins with an element of a low group; which way of writing makes it
/// plausible?
const TransferSyntax* plausible_start(const uint8_t* p, uint64_t left) {
  if (left < 8) return nullptr;
  const auto group_fits = [](uint32_t tag) {
    const uint32_t group = tag >> 16;
    return group == 0x0008 || group == 0x0004 || group == 0x0010 || group == 0x0018 ||
           group == 0x0020 || group == 0x0028;
  };
  for (const bool big : {false, true})
    if (group_fits(tag_at(p, big)) && is_vr(p + 4)) return big ? &kExplicitBig : &kExplicitLittle;
  const uint32_t length = u32_at(p + 4, false);
  if (group_fits(tag_at(p, false)) && (length == 0xFFFFFFFF || length <= left - 8))
    return &kImplicitLittle;
  return nullptr;
}

std::string first_bytes(Source& source) {
  const size_t count = std::min<uint64_t>(8, source.size());
  std::string text;
  const uint8_t* p = source.at(0, count);
  for (size_t i = 0; i < count; ++i) text += fmt::format("{}{:02x}", i ? " " : "", p[i]);
  return text;
}

/// Where group 0002 starts, whether or not there is a preamble; or the start of a bare data set.
uint64_t find_start(Source& source, const std::string& name, Header& header) {
  if (source.size() == 0)
    throw data_error(name +
                     ": the file has 0 bytes, wanted a DICOM file; export it again or remove it");
  if (source.size() >= 132 && std::memcmp(source.at(128, 4), "DICM", 4) == 0) return 132;
  const uint8_t* p = source.at(0, std::min<uint64_t>(source.size(), 12));
  if (source.size() >= 12 && tag_at(p, false) >> 16 == 0x0002 && is_vr(p + 4)) {
    header.notes.push_back("no preamble: the file starts with its meta header");
    return 0;
  }
  if (plausible_start(p, source.size()) == nullptr)
    throw data_error(
        fmt::format("{}: not a DICOM file: at offset 0 found {}; wanted DICM at offset 128 or a "
                    "data set that starts with a known element; export it again or remove it",
                    name, first_bytes(source)));
  header.notes.push_back("the meta header is missing");
  return 0;
}

const TransferSyntax& choose_syntax(Source& source, uint64_t start, const std::string& uid,
                                    Header& header) {
  if (!uid.empty()) {
    const TransferSyntax* syntax = find_syntax(uid);
    if (syntax == nullptr) {
      const bool sound = uid.find_first_not_of("0123456789.") == std::string::npos;
      throw data_error(
          fmt::format("{}: unknown transfer syntax {}; no decoder in this build; transcode the "
                      "file, e.g. to 1.2.840.10008.1.2.1",
                      header.name, sound ? uid : "(not a UID)"));
    }
    if (!syntax->why_not.empty())
      throw data_error(fmt::format("{}: transfer syntax {} ({}): {}", header.name, uid,
                                   syntax->name, syntax->why_not));
    return *syntax;
  }
  const uint64_t left = source.size() - start;
  if (left < 8)
    throw data_error(
        fmt::format("{}: no TransferSyntaxUID, and {} bytes at offset {} where a data set was "
                    "wanted; export the file again",
                    header.name, left, start));
  const uint8_t* p = source.at(start, std::min<uint64_t>(left, 12));
  const TransferSyntax* guess = start > 0 ? &guess_after_meta(p) : plausible_start(p, left);
  header.notes.push_back(fmt::format("TransferSyntaxUID is missing: guessed {}", guess->name));
  return *guess;
}

Header scan(Source& source, const std::string& name, const Limits& limits) {
  Header header;
  header.name = name;
  std::string uid;
  uint64_t start = find_start(source, name, header);
  start = Walk(source, name, limits).meta(start, uid);
  header.syntax = &choose_syntax(source, start, uid, header);
  Collected found;
  if (header.syntax->deflated) {
    header.inflated = std::make_shared<const std::vector<std::byte>>(
        within(name, [&] { return inflate_raw(source, start, limits.max_inflated_bytes); }));
    Source inflated{std::span<const std::byte>(*header.inflated)};
    Walk walk(inflated, name, limits);
    walk.data_set(0, *header.syntax);
    found = std::move(walk.found);
  } else {
    Walk walk(source, name, limits);
    walk.data_set(start, *header.syntax);
    found = std::move(walk.found);
  }
  understand(found, limits, header);
  return header;
}

}  // namespace

bool looks_like_dicom(std::span<const std::byte> beginning) {
  if (beginning.size() >= 132 && std::memcmp(beginning.data() + 128, "DICM", 4) == 0) return true;
  if (beginning.size() < 12) return false;
  const auto* p = reinterpret_cast<const uint8_t*>(beginning.data());
  if (tag_at(p, false) >> 16 == 0x0002 && is_vr(p + 4)) return true;
  // The rest of the file is not at hand: any length up to a megabyte may be true.
  return plausible_start(p, 1 << 20) != nullptr;
}

Header scan(const std::filesystem::path& path, const Limits& limits) {
  Source source(path);
  return scan(source, path.string(), limits);
}

Header scan(std::span<const std::byte> file, const std::string& name, const Limits& limits) {
  Source source(file);
  return scan(source, name, limits);
}

}  // namespace fovea::dicom
