// A name for each of many things, of which there are few: the split of each of a million cases.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// Like a vector of texts, but 4 bytes for each.
class FewNames {
 public:
  FewNames() = default;
  FewNames(const std::vector<std::string>& names) {
    for (const std::string& name : names) push_back(name);
  }

  size_t size() const { return which_.size(); }
  bool empty() const { return which_.empty(); }
  void resize(size_t size) { which_.resize(size, number_of("")); }  ///< with "" for the new ones
  void push_back(std::string_view name) { which_.push_back(number_of(name)); }
  void set(size_t i, std::string_view name) { which_[i] = number_of(name); }
  const std::string& operator[](size_t i) const { return names_[which_[i]]; }

  /// All of them, in their order.
  auto each() const {
    return std::views::transform(which_,
                                 [this](uint32_t k) -> const std::string& { return names_[k]; });
  }
  bool contains(std::string_view name) const {
    return std::ranges::any_of(each(), [&](const std::string& one) { return one == name; });
  }
  bool operator==(const FewNames& other) const { return std::ranges::equal(each(), other.each()); }

 private:
  uint32_t number_of(std::string_view name) {
    const auto [found, added] =
        numbers_.try_emplace(std::string(name), static_cast<uint32_t>(names_.size()));
    if (added) names_.emplace_back(name);
    return found->second;
  }

  std::vector<uint32_t> which_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

}  // namespace fovea
