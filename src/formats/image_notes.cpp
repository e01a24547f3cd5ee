#include "fovea/formats/image_notes.h"

#include <fmt/format.h>

#include <cctype>
#include <functional>

namespace fovea::formats {
namespace {

// The note without its numbers and quoted words.
std::string type_of(std::string_view note) {
  std::string type;
  bool quoted = false;
  for (const char c : note) {
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit)
      type += c;
    else if (type.empty() || type.back() != '#')
      type += '#';
  }
  return type;
}

}  // namespace

void ImageNotes::add(const std::string& image, const std::vector<std::string>& notes) {
  const std::lock_guard lock(mutex_);
  if (!seen_.insert(std::hash<std::string>()(image)).second) return;
  for (const std::string& note : notes) {
    Type& type = types_[type_of(note)];
    if (type.images++ == 0 || image < type.first) {
      type.first = image;
      type.note = note;
    }
  }
}

std::vector<std::string> ImageNotes::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [name, type] : types_)
    lines.push_back(
        fmt::format("{} of {} images: {} ({})", type.images, seen_.size(), type.note, type.first));
  return lines;
}

}  // namespace fovea::formats
