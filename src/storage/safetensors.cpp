#include "fovea/storage/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/file.h"
#include "fovea/storage/pickle.h"
#include "fovea/storage/text.h"
#include "storage/safetensors_header.h"

namespace fovea::storage {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr int64_t kLengthBytes = 8;

std::string read_header(const InputFile& file) {
  if (file.size() < kLengthBytes) {
    throw data_error(
        fmt::format("found {} bytes, wanted at least the 8 of the header length; the file is "
                    "empty or cut off",
                    file.size()));
  }
  uint64_t length = 0;
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  const auto most =
      static_cast<uint64_t>(std::min(kLargestSafetensorsHeader, file.size() - kLengthBytes));
  if (length > most) {
    throw data_error(fmt::format(
        "bytes 0 to 7 give a header of {} bytes, wanted at most {} (the file has {}); this is "
        "no safetensors file, or it is cut off",
        length, most, file.size()));
  }
  std::string header(length, '\0');
  file.read(kLengthBytes, std::as_writable_bytes(std::span(header)));
  return header;
}

std::string header_text(const std::vector<TensorView>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    const size_t end = offset + tensor.bytes.size();
    header[tensor.name] = {
        {"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

void check_tensors(const std::vector<TensorView>& tensors) {
  std::set<std::string_view> names;
  for (const TensorView& tensor : tensors) {
    const auto wanted = bytes_of(tensor.dtype, tensor.shape);
    const char* wrong = nullptr;
    if (!wanted || *wanted != static_cast<int64_t>(tensor.bytes.size()))
      wrong = "shape and bytes disagree";
    if (!names.insert(tensor.name).second) wrong = "two tensors have this name";
    if (tensor.name == "__metadata__") wrong = "the name is reserved";
    if (valid_utf8(tensor.name) != tensor.name.size()) wrong = "the name is not valid UTF-8";
    if (wrong)
      throw Error(Fault::internal, fmt::format("tensor '{}': {}", escaped(tensor.name), wrong));
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const fs::path& path) {
  refuse_pickle(path);
  SafetensorsFile result{InputFile(path)};
  within("reading weights " + shown(path), [&] {
    const InputFile& file = result.file_;
    const std::string json = read_header(file);
    result.buffer_ = kLengthBytes + static_cast<int64_t>(json.size());
    SafetensorsHeader header = parse_safetensors_header(json, file.size() - result.buffer_);
    result.entries_ = std::move(header.entries);
    result.metadata_ = std::move(header.metadata);
  });
  for (size_t i = 0; i < result.entries_.size(); ++i)
    result.index_.emplace(result.entries_[i].name, i);
  return result;
}

void SafetensorsFile::read(const TensorEntry& entry, std::span<std::byte> to) const {
  if (static_cast<int64_t>(to.size()) != entry.end - entry.begin)
    throw Error(Fault::internal,
                fmt::format("tensor '{}': found room for {} bytes, wanted {}", escaped(entry.name),
                            to.size(), entry.end - entry.begin));
  file_.read(buffer_ + entry.begin, to);
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const TensorEntry& entry : entries_) names.push_back(entry.name);
  return names;
}

const TensorEntry* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

const TensorEntry& SafetensorsFile::entry(std::string_view name) const {
  if (const TensorEntry* found = find(name)) return *found;
  const std::string near = nearest(name, names());
  throw data_error(fmt::format("weights {}: no tensor '{}' among {}{}", shown(path()),
                               escaped(name), entries_.size(),
                               near.empty() ? "" : "; did you mean '" + escaped(near) + "'?"));
}

void write_safetensors(const fs::path& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
    return std::tie(b.dtype, a.name) < std::tie(a.dtype, b.name);
  });
  check_tensors(tensors);
  const std::string header = header_text(tensors, metadata);
  const uint64_t length = header.size();
  std::vector<std::string_view> pieces{{reinterpret_cast<const char*>(&length), sizeof length},
                                       header};
  for (const TensorView& tensor : tensors) {
    pieces.emplace_back(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  write_file_atomically(path, pieces);
}

}  // namespace fovea::storage
