// A name for each of many things, of which there are few: the split of each of a million cases.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// Like a vector of texts, but 4 bytes for each.
class FewNames {
 public:
  using value_type = std::string;
  using size_type = size_t;
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string*;
    using reference = const std::string&;

    const_iterator() = default;
    const_iterator(const FewNames* names, size_t at) : names_(names), at_(at) {}
    reference operator*() const { return (*names_)[at_]; }
    pointer operator->() const { return &**this; }
    const_iterator& operator++() {
      ++at_;
      return *this;
    }
    const_iterator operator++(int) { return {names_, at_++}; }
    bool operator==(const const_iterator&) const = default;

   private:
    const FewNames* names_ = nullptr;
    size_t at_ = 0;
  };

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

  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size()}; }
  bool contains(std::string_view name) const { return std::find(begin(), end(), name) != end(); }
  bool operator==(const FewNames& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

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
