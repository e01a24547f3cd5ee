// What the tests of this module share.
#pragma once

#include "fovea/sources/source.h"
#include "support/made_images.h"
#include "support/test_files.h"

namespace fovea::sources {

using test::grey;
using test::refusal;
using test::write_image;

inline uint8_t mark_of(const Example& example) {
  return example.inputs.at("image").flatten()[0].item<uint8_t>();
}

}  // namespace fovea::sources
