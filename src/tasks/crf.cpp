#include "fovea/tasks/crf.h"

#include <cmath>
#include <limits>
#include <vector>

namespace fovea::tasks {

using torch::Tensor;

namespace {

/// log of the sum over all sequences of exp(score), by the forward algorithm.
Tensor log_partition(const Tensor& emissions, const Tensor& mask, const Tensor& transitions) {
  const int64_t tags = emissions.size(2);
  const Tensor between = transitions.slice(0, 0, tags).slice(1, 0, tags).unsqueeze(0);
  const Tensor last = transitions.slice(0, 0, tags).select(1, tags);
  Tensor so_far = emissions.select(1, 0) + transitions.select(0, tags).slice(0, 0, tags);
  for (int64_t t = 1; t < emissions.size(1); ++t) {
    const Tensor next = at::logsumexp(so_far.unsqueeze(2) + between, {1}) + emissions.select(1, t);
    so_far = at::where(mask.select(1, t).unsqueeze(1), next, so_far);
  }
  return at::logsumexp(so_far + last, {1});
}

Tensor score_of(const Tensor& emissions, const Tensor& tags, const Tensor& mask,
                const Tensor& transitions) {
  const int64_t k = emissions.size(2);
  const Tensor index = tags.clamp_min(0);
  const Tensor each = emissions.gather(2, index.unsqueeze(2)).squeeze(2);
  Tensor score = each.masked_fill(mask.logical_not(), 0).sum(1);
  const Tensor flat = transitions.flatten();
  const auto step = [&](const Tensor& from, const Tensor& to) {
    return flat.index_select(0, (from * (k + 1) + to).flatten()).view(from.sizes());
  };
  const Tensor ends = torch::full_like(index.select(1, 0), k);
  score = score + step(ends, index.select(1, 0));
  if (tags.size(1) > 1) {
    const Tensor steps = step(index.slice(1, 0, -1), index.slice(1, 1));
    score = score + steps.masked_fill(mask.slice(1, 1).logical_not(), 0).sum(1);
  }
  const Tensor last = (mask.sum(1) - 1).clamp_min(0).unsqueeze(1);
  return score + step(index.gather(1, last).squeeze(1), ends);
}

}  // namespace

Tensor crf_log_likelihood(const Tensor& emissions, const Tensor& tags, const Tensor& transitions) {
  const Tensor mask = tags >= 0;
  // Cleared first: nothing of the padding, not even a NaN, may reach a gradient.
  const Tensor clean = emissions.masked_fill(mask.logical_not().unsqueeze(2), 0);
  const Tensor weights = transitions.to(emissions.scalar_type());
  const Tensor likelihood =
      score_of(clean, tags, mask, weights) - log_partition(clean, mask, weights);
  return at::where(mask.select(1, 0), likelihood, torch::zeros_like(likelihood));
}

Tensor crf_decode(const Tensor& emissions, const Tensor& lengths, const Tensor& transitions,
                  const std::function<bool(int64_t from, int64_t to)>& allowed) {
  const Tensor scores = emissions.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const Tensor steps = transitions.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const Tensor ends = lengths.defined() ? lengths.to(torch::kCPU) : Tensor();
  const int64_t cases = scores.size(0), longest = scores.size(1), k = scores.size(2);
  std::vector<double> way(static_cast<size_t>((k + 1) * (k + 1)));
  for (int64_t i = 0; i <= k; ++i)
    for (int64_t j = 0; j <= k; ++j)
      way[static_cast<size_t>(i * (k + 1) + j)] =
          allowed(i, j) ? steps.const_data_ptr<double>()[i * (k + 1) + j]
                        : -std::numeric_limits<double>::infinity();
  const auto step = [&](int64_t i, int64_t j) { return way[static_cast<size_t>(i * (k + 1) + j)]; };
  const Tensor result = torch::full({cases, longest}, -1, torch::kInt64);
  std::vector<double> best(static_cast<size_t>(k)), next(static_cast<size_t>(k));
  std::vector<int64_t> from(static_cast<size_t>(longest * k));
  for (int64_t n = 0; n < cases; ++n) {
    const int64_t length = ends.defined() ? ends[n].item<int64_t>() : longest;
    if (length == 0) continue;
    const double* row = scores.const_data_ptr<double>() + n * longest * k;
    for (int64_t j = 0; j < k; ++j) best[static_cast<size_t>(j)] = step(k, j) + row[j];
    for (int64_t t = 1; t < length; ++t) {
      for (int64_t j = 0; j < k; ++j) {
        int64_t source = 0;
        for (int64_t i = 1; i < k; ++i)
          if (best[static_cast<size_t>(i)] + step(i, j) >
              best[static_cast<size_t>(source)] + step(source, j))
            source = i;
        from[static_cast<size_t>(t * k + j)] = source;
        next[static_cast<size_t>(j)] =
            best[static_cast<size_t>(source)] + step(source, j) + row[t * k + j];
      }
      best.swap(next);
    }
    int64_t tag = 0;
    for (int64_t j = 1; j < k; ++j)
      if (best[static_cast<size_t>(j)] + step(j, k) > best[static_cast<size_t>(tag)] + step(tag, k))
        tag = j;
    auto* to = result.mutable_data_ptr<int64_t>() + n * longest;
    for (int64_t t = length - 1; t >= 0; --t) {
      to[t] = tag;
      if (t > 0) tag = from[static_cast<size_t>(t * k + tag)];
    }
  }
  return result;
}

}  // namespace fovea::tasks
