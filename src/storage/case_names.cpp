#include "fovea/storage/case_names.h"

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string_view>
#include <unordered_map>

#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"

namespace fovea::storage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kIdDigits = 16;
constexpr size_t kLongestEnding = 5;  // ".dcm", not the "name" of "patient.name"

std::atomic<bool> hidden = false;

std::string salted(std::string_view name) { return salted_hash(name).substr(0, kIdDigits); }

/// Looked up by a view, without making a string of it.
struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// The noted paths as they may be written, and what is written in their place.
class Paths {
 public:
  void note(const fs::path& path) {
    if (path.empty()) return;
    std::string ending = path.extension().string();
    if (ending.size() > kLongestEnding) ending.clear();
    const std::string place = "#" + salted(path.lexically_normal().string()) + ending;
    const std::lock_guard lock(mutex_);
    for (const std::string& spelling :
         {path.string(), shown(path), path.lexically_normal().string()})
      if (places_.try_emplace(spelling, place).second) lengths_.insert(spelling.size());
  }

  std::string replaced(const std::string& text) const {
    const std::lock_guard lock(mutex_);
    std::string result;
    for (size_t at = 0; at < text.size();) {
      const auto [length, place] = longest_at(text, at);
      if (place)
        result += *place;
      else
        result += text[at];
      at += length;
    }
    return result;
  }

 private:
  std::pair<size_t, const std::string*> longest_at(const std::string& text, size_t at) const {
    for (const size_t length : lengths_) {
      if (length > text.size() - at) continue;
      if (const auto found = places_.find(std::string_view(text).substr(at, length));
          found != places_.end())
        return {length, &found->second};
    }
    return {1, nullptr};
  }

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> places_;
  std::set<size_t, std::greater<>> lengths_;  // that occur
};

Paths& paths() {
  static Paths all;
  return all;
}

}  // namespace

void hide_names(bool hide) { hidden = hide; }
bool names_are_hidden() { return hidden; }

std::string known_as(std::string id) { return hidden ? salted(id) : std::move(id); }

void note_path(const fs::path& path) {
  if (hidden) paths().note(path);
}

std::string without_paths(std::string text) {
  return hidden ? paths().replaced(text) : std::move(text);
}

}  // namespace fovea::storage
