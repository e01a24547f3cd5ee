// What the headers of images tell of their samples: enough to read a folder of several types alike.
#pragma once

#include "fovea/inputs/inputs.h"

namespace fovea::inputs {

/// What a header says; nothing where it cannot be read, which is the decoder's to tell.
struct StoredSamples {
  int64_t channels = 1;
  int64_t bits = 8;
  bool physical = false;  ///< values have a unit, or are floating point
  double spacing = 0;     ///< mm between the centres of neighbours in a row; 0: unknown
};
std::optional<StoredSamples> stored_samples(const std::filesystem::path& path,
                                            int64_t max_decoded_mb);

/// What is seen of the images of all cases before any is decoded.
struct ImageSurvey {
  int64_t channels = 0;  ///< to read all of them with; 0: as stored, they are alike
  std::vector<std::string> notes = {};
};

/// Grey where some images are grey and some are colour; notes of that, of 8 and 16 bits mixed, and of
/// pixels that differ in size by more than a hundredth.
ImageSurvey survey_images(const std::vector<ListedFile>& files, int64_t max_decoded_mb);

}  // namespace fovea::inputs
