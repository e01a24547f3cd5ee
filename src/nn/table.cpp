#include "fovea/nn/table.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include "fovea/core/error.h"
#include "fovea/nn/encoder.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

Tensor taken(const Tensor& from, const std::vector<int64_t>& columns) {
  const auto options = torch::dtype(torch::kInt64).device(from.device());
  return from.index_select(1, torch::tensor(columns, options));
}

}  // namespace

Columns::Columns(std::string_view encoder, const InputShape& shape) {
  if (shape.vocabulary > 0 || shape.sizes.size() != 1 || shape.sizes[0] < 1)
    refuse_input(encoder, shape, "a table");
  const int64_t columns = shape.sizes[0];
  if (!shape.categories.empty() && static_cast<int64_t>(shape.categories.size()) != columns)
    throw config_error(fmt::format("{}: found types of {} columns, wanted {}, one for each column",
                                   encoder, shape.categories.size(), columns));
  order_.resize(columns);
  for (const bool categories : {false, true})
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t count = shape.categories.empty() ? 0 : shape.categories[column];
      if ((count > 0) != categories) continue;
      order_[column] = size();
      if (categories) {
        categories_.push_back(column);
        counts_.push_back(count);
      } else {
        numbers_.push_back(column);
      }
    }
}

Tensor Columns::numbers_of(const Tensor& input) const {
  return counts_.empty() ? input : taken(input, numbers_);
}

Tensor Columns::categories_of(const Tensor& input) const {
  return (numbers_.empty() ? input : taken(input, categories_)).to(torch::kInt64);
}

Tensor Columns::in_order(const Tensor& tokens) const {
  return numbers_.empty() || counts_.empty() ? tokens : taken(tokens, order_);
}

}  // namespace fovea::nn
