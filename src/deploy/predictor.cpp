#include "fovea/deploy/predictor.h"

#include <ATen/Parallel.h>
#include <omp.h>
#include <torch/utils.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "fovea/core/error.h"
#include "fovea/deploy/parts.h"
#include "fovea/nn/inference.h"

namespace fovea {
namespace {

constexpr size_t kBatch = 32;

/// One file on its way: an example, or the reason why there is none.
struct Decoded {
  std::optional<Example> example;
  std::string failure;
};

Decoded decode(const Predictor::Parts& parts, const std::filesystem::path& file) {
  try {
    Random unused(0, Purpose::augment);  // the evaluation transforms draw nothing
    return {parts.transform(parts.read(file), unused), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  } catch (const std::exception& error) {
    return {std::nullopt, file.string() + ": " + error.what()};
  }
}

std::vector<Decoded> decode_all(const Predictor::Parts& parts,
                                const std::vector<std::filesystem::path>& files, size_t begin,
                                size_t end, int threads) {
  std::vector<Decoded> decoded(end - begin);
  std::atomic<size_t> next{begin};
  const auto work = [&] {
    for (size_t i = next++; i < end; i = next++) decoded[i - begin] = decode(parts, files[i]);
  };
  std::vector<std::thread> workers;
  const auto wanted = std::min<size_t>(static_cast<size_t>(std::max(threads, 1)), end - begin);
  for (size_t t = 1; t < wanted; ++t)
    workers.emplace_back([&] {
      at::get_num_threads();  // LibTorch sets the number once per thread, here, so that it stays 1:
      omp_set_num_threads(1);  // no team of threads in each worker
      work();
    });
  work();
  for (std::thread& worker : workers) worker.join();
  return decoded;
}

torch::Tensor probabilities(const Predictor::Parts& parts, const Batch& batch) {
  const torch::InferenceMode no_gradients;
  Batch there = batch.to(parts.device);
  for (auto& [name, input] : there.inputs) input = nn::channels_last(input);
  const TensorMap outputs = parts.model->forward(there.inputs, there.lengths);
  return parts.task->decode(outputs)
      .at(parts.target.name)
      .to(torch::kCPU, torch::kFloat64)
      .contiguous();
}

Prediction explain(const Predictor::Parts& parts, const std::filesystem::path& file,
                   const double* p) {
  Prediction prediction{file.stem().string(), file, {}, ""};
  const std::vector<std::string>& classes = parts.target.classes;
  for (size_t k = 0; k < classes.size(); ++k)
    prediction.probabilities.emplace_back(classes[k], p[k]);
  if (parts.target.multi_label) {
    for (size_t k = 0; k < classes.size(); ++k)
      if (p[k] >= parts.threshold)
        prediction.decision += (prediction.decision.empty() ? "" : "|") + classes[k];
  } else if (classes.size() == 2) {
    prediction.decision = classes[p[1] >= parts.threshold];
  } else {
    prediction.decision = classes[static_cast<size_t>(std::max_element(p, p + classes.size()) - p)];
  }
  return prediction;
}

bool same_shapes(const Example& a, const Example& b) {
  return std::equal(
      a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(),
      [](const auto& x, const auto& y) { return x.second.sizes() == y.second.sizes(); });
}

}  // namespace

Prediction Predictor::predict(const std::filesystem::path& file) const {
  Random unused(0, Purpose::augment);
  std::vector<Example> one;
  one.push_back(parts_->transform(parts_->read(file), unused));
  const torch::Tensor p = probabilities(*parts_, collate(std::move(one), {0}));
  return explain(*parts_, file, p.data_ptr<double>());
}

void Predictor::predict(
    const std::vector<std::filesystem::path>& files, int threads,
    const std::function<void(const Prediction&)>& result,
    const std::function<void(const std::filesystem::path&, const std::string&)>& failed) const {
  for (size_t begin = 0; begin < files.size(); begin += kBatch) {
    const size_t end = std::min(files.size(), begin + kBatch);
    std::vector<Decoded> decoded = decode_all(*parts_, files, begin, end, threads);
    // Runs of equal shapes go through the model together; pictures of differing size one by one.
    for (size_t i = 0; i < decoded.size();) {
      if (!decoded[i].example) {
        failed(files[begin + i], decoded[i].failure);
        ++i;
        continue;
      }
      std::vector<Example> group;
      std::vector<int64_t> indices;
      const size_t first = i;
      while (i < decoded.size() && decoded[i].example &&
             same_shapes(*decoded[first].example, *decoded[i].example)) {
        indices.push_back(static_cast<int64_t>(i));
        group.push_back(*decoded[i++].example);
      }
      const torch::Tensor p = probabilities(*parts_, collate(std::move(group), indices));
      for (int64_t row = 0; row < p.size(0); ++row)
        result(explain(*parts_, files[begin + first + static_cast<size_t>(row)],
                       p[row].data_ptr<double>()));
    }
  }
}

const std::vector<std::string>& Predictor::classes() const { return parts_->target.classes; }

}  // namespace fovea
