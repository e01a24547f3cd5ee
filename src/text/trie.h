// Words by their bytes, for the longest one that a text begins with.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fovea::text {

/// All edges lie in one table with open addressing: a step is one look-up.
class Trie {
 public:
  static constexpr int32_t kNone = -1;

  /// `bytes`: the sum of the lengths of all words to come.
  explicit Trie(size_t bytes = 0) : edges_(std::bit_ceil(std::max<size_t>(16, bytes * 2))) {
    ids_.push_back(kNone);
  }

  void add(std::string_view word, int32_t id) {
    int32_t node = 0;
    for (const char c : word) {
      Edge& edge = edges_[slot(key(node, c))];
      if (edge.to == 0) {
        edge = {key(node, c), static_cast<int32_t>(ids_.size())};
        ids_.push_back(kNone);
      }
      node = edge.to;
    }
    ids_[static_cast<size_t>(node)] = id;
  }

  /// From `node` (0 is the root) along `c`; kNone where no word goes on so.
  int32_t step(int32_t node, char c) const {
    const Edge& edge = edges_[slot(key(node, c))];
    return edge.to == 0 ? kNone : edge.to;
  }
  int32_t walk(std::string_view word) const {
    int32_t node = 0;
    for (size_t i = 0; i < word.size() && node != kNone; ++i) node = step(node, word[i]);
    return node;
  }
  int32_t id(int32_t node) const { return ids_[static_cast<size_t>(node)]; }

 private:
  struct Edge {
    uint64_t key = 0;
    int32_t to = 0;  // 0: a free slot; no edge leads to the root
  };

  static uint64_t key(int32_t node, char c) {
    return static_cast<uint64_t>(node) << 8 | static_cast<unsigned char>(c);
  }
  size_t slot(uint64_t key) const {
    const size_t mask = edges_.size() - 1;
    size_t at = (key * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (edges_[at].to != 0 && edges_[at].key != key) at = (at + 1) & mask;
    return at;
  }

  std::vector<Edge> edges_;
  std::vector<int32_t> ids_;  // of the word that ends at each node
};

}  // namespace fovea::text
