// What is known of one input of all cases before any is read: what an encoder is built for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// Of one case, without the batch:
///
///   an image    sizes {C, H, W} or {C, D, H, W}, float32
///   text        sizes {-1}, int64 ids below `vocabulary`; 0 is padding, 1 an unknown word; with
///               spelling sizes {-1, 1 + S}: behind the id 1 + each byte of the word, then zeros
///   a series    sizes {-1, F}, float32: time steps of F values
///   a table     sizes {F}, float32: numbers, and of a category its index
///
/// -1 where a size varies from case to case; such inputs are padded in a batch, with lengths.
struct InputShape {
  std::vector<int64_t> sizes;
  int64_t vocabulary = 0;            ///< of text: how many ids there are; 0: no text
  std::vector<int64_t> categories;   ///< of a table, per column: how many; 0: a number
  std::vector<std::string> columns;  ///< of a table and a series: what each is called
  bool optional = false;             ///< a case may lack it

  /// The first size varies from case to case.
  bool ragged() const { return !sizes.empty() && sizes[0] < 0; }
  int64_t channels() const { return sizes.at(0); }
  int64_t dims() const { return static_cast<int64_t>(sizes.size()) - 1; }  ///< 2, 3 for images
};

}  // namespace fovea
