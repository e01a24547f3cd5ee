// What the readers of images assumed, converted or left out, counted: a line for each type of note,
// so that a thousand files with the same oddity make one sentence.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::formats {

/// Notes that differ in numbers or quoted words alone are of one type. Safe from many threads; an
/// image that is read again counts once.
class ImageNotes {
 public:
  void add(const std::string& image, const std::vector<std::string>& notes);

  /// "12 of 40 images: palette expanded to RGB (a.png)", with the first image in the order of names.
  std::vector<std::string> lines() const;

 private:
  struct Type {
    std::string first, note;
    int64_t images = 0;
  };
  mutable std::mutex mutex_;
  std::unordered_set<size_t> seen_;  // hashes of names
  std::map<std::string, Type> types_;
};

}  // namespace fovea::formats
