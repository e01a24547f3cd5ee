#include "sources/decoded_cache.h"

#include <cstring>
#include <memory>
#include <sstream>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/io/npy.h"
#include "fovea/storage/hash.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostNotes = 1 << 20;  // bytes
constexpr const char* kVersion = "2";    // raise it when decoding changes

}  // namespace

DecodedCache::DecodedCache(const fs::path& folder, const fs::path& file,
                           const storage::FileStamp& stamp, int64_t channels,
                           const FormatOptions& options) {
  if (folder.empty()) return;
  const std::string key = storage::Sha256()
                              .add(kVersion)
                              .add(fs::absolute(file).native())
                              .add('\0' + std::to_string(stamp.size))
                              .add(' ' + std::to_string(stamp.modified_ns))
                              .add(' ' + std::to_string(channels))
                              .add(options.axes)
                              .add(inline_text(Fields::write(options.dicom)))
                              .hex();
  place_ = folder / key.substr(0, 2) / (key + ".npy");
}

std::optional<torch::Tensor> DecodedCache::find() const {
  std::error_code absent;
  if (place_.empty() || !fs::exists(place_, absent)) return {};
  try {
    auto array = std::make_shared<io::Array>(io::read_npy(place_));
    const bool bytes = array->dtype == io::DType::u8;
    if (!bytes && array->dtype != io::DType::f32) return {};
    return torch::from_blob(
        array->bytes.data(), array->shape, [array](void*) {},
        bytes ? torch::kUInt8 : torch::kFloat32);
  } catch (const Error& error) {
    log_once(place_.parent_path().parent_path().string(),
             std::string(error.what()) + ": the picture is decoded again");
    return {};
  }
}

std::vector<std::string> DecodedCache::notes() const {
  std::vector<std::string> notes;
  const fs::path text = fs::path(place_).replace_extension(".txt");
  std::error_code absent;
  if (place_.empty() || !fs::exists(text, absent)) return notes;
  std::istringstream lines(storage::read_file(text, kMostNotes));
  for (std::string line; std::getline(lines, line);) notes.push_back(line);
  return notes;
}

void DecodedCache::keep(const torch::Tensor& tensor, const std::vector<std::string>& notes) const {
  if (place_.empty()) return;
  try {
    io::Array array;
    array.dtype = tensor.scalar_type() == torch::kUInt8 ? io::DType::u8 : io::DType::f32;
    array.shape = tensor.sizes().vec();
    array.bytes.resize(tensor.nbytes());
    std::memcpy(array.bytes.data(), tensor.const_data_ptr(), tensor.nbytes());
    storage::make_folder(place_.parent_path());
    std::string lines;
    for (const std::string& note : notes) lines += note + "\n";
    if (!notes.empty())
      storage::write_file_atomically(fs::path(place_).replace_extension(".txt"), lines);
    io::write_npy(place_, array);
  } catch (const Error& error) {
    log_once("cache " + place_.parent_path().parent_path().string(),
             std::string(error.what()) + ": decoded pictures are not kept on disk");
  }
}

}  // namespace fovea::sources
