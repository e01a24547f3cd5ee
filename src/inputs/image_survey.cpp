#include "inputs/image_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "fovea/core/error.h"
#include "fovea/dicom/scan.h"
#include "fovea/formats/formats.h"
#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"

namespace fovea::inputs {
namespace {

namespace fs = std::filesystem;

std::optional<StoredSamples> of_dicom(const fs::path& path, uint64_t max_inflated_bytes) {
  const dicom::Header header = dicom::scan(path, {.max_inflated_bytes = max_inflated_bytes});
  const bool colour = header.samples == 3 || header.photometric == dicom::Photometric::palette;
  return StoredSamples{.channels = colour ? 3 : 1,
                       .bits = header.bits_stored,
                       .physical = true,
                       .spacing = header.spacing_mm[2]};
}

}  // namespace

std::optional<StoredSamples> stored_samples(const fs::path& path, int64_t max_decoded_mb) {
  try {
    const std::string head = storage::read_head(path, formats::kHeadBytes);
    const formats::Format* format = formats::format_of(head);
    if (format == nullptr || format->name == "npy") return {};
    if (format->name == "dicom") return of_dicom(path, static_cast<uint64_t>(max_decoded_mb) << 20);
    const std::optional<io::StoredImage> stored = io::stored_image(path);
    if (!stored) return {};
    return StoredSamples{
        .channels = stored->channels, .bits = stored->bits, .physical = stored->floating};
  } catch (const Error&) {
    return {};
  }
}

ImageSurvey survey_images(const std::vector<ListedFile>& files, int64_t max_decoded_mb) {
  std::map<int64_t, int64_t> channels;
  int64_t narrow = 0, wide = 0, all = 0, measured = 0;
  double finest = std::numeric_limits<double>::infinity(), coarsest = 0;
  for (const ListedFile& file : files) {
    if (file.path.empty()) continue;
    ++all;
    const std::optional<StoredSamples> stored = stored_samples(file.path, max_decoded_mb);
    if (!stored) continue;
    ++channels[stored->channels];
    if (!stored->physical) ++(stored->bits > 8 ? wide : narrow);
    if (stored->spacing > 0) {
      ++measured;
      finest = std::min(finest, stored->spacing);
      coarsest = std::max(coarsest, stored->spacing);
    }
  }
  ImageSurvey survey;
  if (channels[1] > 0 && channels[3] > 0) {
    survey.channels = 1;
    survey.notes.push_back(
        fmt::format("{} of {} images are colour, the others grey: all are read as grey "
                    "(ImageOptions::channels)",
                    channels[3], all));
  }
  if (narrow > 0 && wide > 0)
    survey.notes.push_back(
        fmt::format("{} images have samples of more than 8 bits, {} have 8: their values are as "
                    "stored, on another scale unless a transform (scale) brings them together",
                    wide, narrow));
  if (coarsest > 1.01 * finest)
    survey.notes.push_back(
        fmt::format("the pixels of {} of {} images are {:g} to {:g} mm wide: transforms count "
                    "pixels, so what is of one size has several in them",
                    measured, all, finest, coarsest));
  return survey;
}

}  // namespace fovea::inputs
