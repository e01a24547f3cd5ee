// What the encoders of tables share: columns by type.
#pragma once

#include <torch/types.h>

#include <string_view>
#include <vector>

#include "fovea/data/input_shape.h"

namespace fovea::nn {

/// The columns of a table: numbers and categories.
class Columns {
 public:
  /// A config Error where the input is not a table.
  Columns(std::string_view encoder, const InputShape& shape);

  int64_t size() const { return numbers() + static_cast<int64_t>(counts_.size()); }
  int64_t numbers() const { return static_cast<int64_t>(numbers_.size()); }
  /// How many categories each column of categories has.
  const std::vector<int64_t>& counts() const { return counts_; }

  /// input [N, F] -> its columns of numbers, [N, numbers()].
  torch::Tensor numbers_of(const torch::Tensor& input) const;
  /// input [N, F] -> the indices in its columns of categories, int64 [N, counts().size()].
  torch::Tensor categories_of(const torch::Tensor& input) const;
  /// [N, F, C] of the numbers, then the categories -> in the order of the columns.
  torch::Tensor in_order(const torch::Tensor& tokens) const;

 private:
  std::vector<int64_t> numbers_, categories_, counts_, order_;
};

}  // namespace fovea::nn
