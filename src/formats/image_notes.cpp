#include "fovea/formats/image_notes.h"

#include <fmt/format.h>

#include <cctype>
#include <functional>

namespace fovea::formats {
namespace {

// The note without its numbers and quoted words.
std::string kind_of(std::string_view note) {
  std::string kind;
  bool quoted = false;
  for (const char c : note) {
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit)
      kind += c;
    else if (kind.empty() || kind.back() != '#')
      kind += '#';
  }
  return kind;
}

}  // namespace

void ImageNotes::add(const std::string& image, const std::vector<std::string>& notes) {
  const std::lock_guard lock(mutex_);
  if (!seen_.insert(std::hash<std::string>()(image)).second) return;
  for (const std::string& note : notes) {
    Kind& kind = kinds_[kind_of(note)];
    if (kind.images++ == 0 || image < kind.first) {
      kind.first = image;
      kind.note = note;
    }
  }
}

std::vector<std::string> ImageNotes::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [name, kind] : kinds_)
    lines.push_back(
        fmt::format("{} of {} images: {} ({})", kind.images, seen_.size(), kind.note, kind.first));
  return lines;
}

}  // namespace fovea::formats
