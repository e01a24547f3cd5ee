#include "fovea/tasks/loss_sums.h"

#include <cmath>

namespace fovea::tasks {
namespace {

using torch::Tensor;

Tensor quotient(const Tensor& sum, const Tensor& weight) {
  const Tensor some = weight > 0;
  const Tensor mean = sum / at::where(some, weight, torch::ones_like(weight)).to(sum.scalar_type());
  return at::where(some, mean, torch::zeros_like(mean));
}

}  // namespace

Tensor LossSum::mean() const { return quotient(sum, weight); }

Tensor loss_of(const LossSums& parts, const std::vector<Tensor>& weights) {
  Tensor loss;
  for (size_t i = 0; i < parts.size(); ++i) {
    Tensor one = weights.empty() ? parts[i].mean() : quotient(parts[i].sum, weights.at(i));
    if (parts[i].share != 1) one = one * parts[i].share;
    loss = loss.defined() ? loss + one : one;
  }
  return loss;
}

Tensor table_of(const LossSums& parts) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> cells;
  for (const LossSum& part : parts) {
    cells.push_back(part.sum.detach().to(torch::kDouble));
    cells.push_back(part.weight);
    cells.push_back(torch::full_like(part.weight, part.share));
  }
  return at::stack(cells).view({-1, 3});
}

LossMean::LossMean(Tensor table)
    : table_(table.to(torch::kCPU, torch::kDouble).contiguous().clone()) {}

void LossMean::add(const Tensor& table) {
  if (!table_.defined()) {
    *this = LossMean(table);
    return;
  }
  table_.slice(1, 0, 2) += table.slice(1, 0, 2).to(torch::kCPU, torch::kDouble);
}

double LossMean::value() const {
  double loss = 0;
  bool any = false;
  for (int64_t i = 0; table_.defined() && i < table_.size(0); ++i) {
    const double* row = table_.const_data_ptr<double>() + 3 * i;
    if (row[1] == 0) continue;
    loss += row[2] * row[0] / row[1];
    any = true;
  }
  return any ? loss : NAN;
}

std::string LossMean::why_undefined() const {
  const double loss = value();
  if (std::isfinite(loss)) return "";
  if (!table_.defined()) return "not computed";
  const bool known = table_.select(1, 1).ne(0).any().item<bool>();
  return known ? "not finite" : "no target is known";
}

}  // namespace fovea::tasks
