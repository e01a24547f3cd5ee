#include "formats/decoded_cache.h"

#include <charconv>
#include <cstring>
#include <memory>
#include <sstream>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/text.h"
#include "fovea/io/npy.h"
#include "fovea/storage/hash.h"

namespace fovea::formats {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostNotes = 1 << 20;  // bytes
constexpr const char* kVersion = "3";    // raise it when decoding changes

std::string text_of(const Grid& grid) {
  std::string text = grid.millimetres ? "mm" : "samples";
  const auto add = [&](const std::string& word) { (text += ' ') += word; };
  for (const int64_t side : grid.size) add(std::to_string(side));
  for (const auto& row : grid.affine.rows)
    for (const double one : row) add(number(one));
  return text;
}

std::optional<Grid> grid_in(const std::string& text) {
  std::istringstream words(text);
  std::string unit, word;
  words >> unit;
  Grid grid{.millimetres = unit == "mm"};
  const auto read = [&](auto& value) {
    words >> word;
    return std::from_chars(word.data(), word.data() + word.size(), value).ec == std::errc();
  };
  for (int64_t& side : grid.size)
    if (!read(side)) return {};
  for (auto& row : grid.affine.rows)
    for (double& one : row)
      if (!read(one)) return {};
  return grid;
}

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

// Beside the samples a text: the first line is the grid, then there is a line for each note.
std::optional<PlacedImage> DecodedCache::find(std::vector<std::string>& notes) const {
  std::error_code absent;
  if (place_.empty() || !fs::exists(place_, absent)) return {};
  try {
    std::istringstream lines(
        storage::read_file(fs::path(place_).replace_extension(".txt"), kMostNotes));
    std::string line;
    std::getline(lines, line);
    const std::optional<Grid> grid = grid_in(line);
    auto array = std::make_shared<io::Array>(io::read_npy(place_));
    const bool bytes = array->dtype == io::DType::u8;
    if (!grid || (!bytes && array->dtype != io::DType::f32)) return {};
    while (std::getline(lines, line)) notes.push_back(line);
    return PlacedImage{torch::from_blob(
                           array->bytes.data(), array->shape, [array](void*) {},
                           bytes ? torch::kUInt8 : torch::kFloat32),
                       *grid};
  } catch (const Error& error) {
    log_once(place_.parent_path().parent_path().string(),
             std::string(error.what()) + ": the image is decoded again");
    return {};
  }
}

void DecodedCache::keep(const PlacedImage& image, const std::vector<std::string>& notes) const {
  if (place_.empty()) return;
  try {
    const torch::Tensor& tensor = image.values;
    io::Array array;
    array.dtype = tensor.scalar_type() == torch::kUInt8 ? io::DType::u8 : io::DType::f32;
    array.shape = tensor.sizes().vec();
    array.bytes.resize(tensor.nbytes());
    std::memcpy(array.bytes.data(), tensor.const_data_ptr(), tensor.nbytes());
    storage::make_folder(place_.parent_path());
    std::string lines = text_of(image.grid) + "\n";
    for (const std::string& note : notes) lines += note + "\n";
    storage::write_file_atomically(fs::path(place_).replace_extension(".txt"), lines);
    io::write_npy(place_, array);
  } catch (const Error& error) {
    log_once("cache " + place_.parent_path().parent_path().string(),
             std::string(error.what()) + ": decoded images are not kept on disk");
  }
}

}  // namespace fovea::formats
