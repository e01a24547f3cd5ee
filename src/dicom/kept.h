// Which elements of a data set are kept, and which sequences are worth entering for them.
#pragma once

#include <cstdint>

namespace fovea::dicom {

/// Only the data set itself and a few sequences describe the image: an icon in a sequence has Rows
/// of its own.
enum class Place {
  top,
  modality_lut,
  voi_lut,
  shared,
  frames,
  transformation,
  frame_voi,
  measures,
  position,
  orientation,
  other
};

enum class Keep { no, text, words };

Keep keep(Place place, uint32_t tag);

/// Where the sequence `tag` leads from `parent`.
Place place_of_sequence(Place parent, uint32_t tag);

}  // namespace fovea::dicom
