#include "fovea/bundle/predictor.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "fovea/bundle/openmp_guard.h"
#include "fovea/bundle/parts.h"
#include "fovea/core/error.h"
#include "fovea/data/parallel.h"
#include "fovea/nn/inference.h"
#include "fovea/sources/source.h"
#include "fovea/storage/case_names.h"

namespace fovea {
namespace {

constexpr int64_t kBatch = 32;
constexpr int64_t kAhead = 2 * kBatch;  // cases that are decoded while the model computes

/// Files that stand in no table, as cases.
class Files final : public Dataset {
 public:
  Files(const Predictor::Parts& parts, const std::vector<std::filesystem::path>& files)
      : parts_(parts), files_(files) {
    for (const std::filesystem::path& file : files) ++named_[sources::case_id(file)];
  }
  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  Example get(int64_t i) const override {
    const std::filesystem::path& file = files_.at(static_cast<size_t>(i));
    Example example = parts_.read(file);
    // Two files of one name have their paths as ids.
    if (named_.at(sources::case_id(file)) > 1) example.id = storage::known_as(file.string());
    return example;
  }
  TensorMap targets(int64_t) const override { return {}; }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t i) const override { return files_.at(static_cast<size_t>(i)).string(); }
  const Schema& schema() const override { return parts_.schema; }

 private:
  const Predictor::Parts& parts_;
  const std::vector<std::filesystem::path>& files_;
  std::map<std::string, int64_t> named_;  // files of each name
};

/// Refuses an image of other channels or dimensions than the model was built for: the other cases
/// of its batch shall not fail with it.
Example fitting(Example example, const Predictor::Parts& parts, const std::string& name) {
  for (const auto& [input, shape] : parts.inputs) {
    const torch::Tensor* found = example.inputs.find(input);
    if (!found || shape.vocabulary > 0 || shape.sizes.size() < 3) continue;
    const auto words = [](int64_t sides, int64_t channels) {
      return std::string(sides == 4 ? "a volume" : "an image") + " with " +
             std::to_string(channels) + (channels == 1 ? " channel" : " channels");
    };
    const auto sides = static_cast<int64_t>(shape.sizes.size());
    if (found->dim() == sides && found->size(0) == shape.channels()) continue;
    throw data_error(name + ": found " + words(found->dim(), found->size(0)) + " (" + input +
                         "), the model reads " + words(sides, shape.channels()),
                     found->dim() == sides
                         ? "convert it, or train with ImageOptions::channels 1, which makes grey "
                           "of colour"
                         : "ask a model that was trained on such");
  }
  return example;
}

/// One case on its way: an example, or the reason why there is none.
struct Decoded {
  std::optional<Example> example;
  std::string failure;
};

Decoded decode(const Predictor::Parts& parts, const Dataset& cases, int64_t i) {
  try {
    Random unused(0, Purpose::augment);  // the evaluation transforms draw nothing
    return {fitting(parts.transform(cases.get(i), unused), parts, cases.name(i)), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  } catch (const std::exception& error) {
    return {std::nullopt, cases.name(i) + ": " + error.what()};
  }
}

/// Decoded outputs on the CPU, and the weights [N, parts] of the inputs that have some.
struct Answers {
  TensorMap decoded;
  std::vector<std::pair<std::string, torch::Tensor>> weights;
};

Answers answers(const Predictor::Parts& parts, const Batch& batch) {
  if (!parts.device.is_cpu() && parts.process != getpid())
    throw resource_error(fmt::format("the model was loaded to {} before this process was forked, "
                                     "and CUDA does not survive a fork",
                                     parts.device.str()),
                         "load it in the child, after the fork");
  const torch::InferenceMode no_gradients;
  Batch there = batch.to(parts.device);
  for (auto& [name, input] : there.inputs) input = nn::channels_last(input);
  const nn::Outputs outputs = parts.model->forward(there.inputs, there.lengths, there.present);
  Answers result{parts.task->decode(outputs, there), {}};
  for (auto& [name, tensor] : result.decoded) tensor = tensor.cpu();
  for (const auto& [name, shape] : parts.inputs)
    if (const torch::Tensor* weights = outputs.weights.find(name))
      result.weights.emplace_back(name, weights->to(torch::kCPU, torch::kFloat64).contiguous());
  return result;
}

/// The parts of an input and how much each counted in case `row`.
class Explainer {
 public:
  Explainer(const Predictor::Parts& parts, const Batch& batch, int64_t row)
      : parts_(parts), batch_(batch), row_(row) {}

  Explanation of(const std::string& name, const InputShape& shape, const torch::Tensor& weights) {
    one_.input = name;
    const torch::Tensor* lengths = batch_.lengths.find(name);
    const int64_t count = lengths ? (*lengths)[row_].item<int64_t>() : weights.size(1);
    const double* w = weights[row_].data_ptr<double>();
    const bool series = shape.vocabulary == 0 && shape.sizes.size() == 2;
    if (shape.vocabulary > 0)
      add_words(name, w, count);
    else
      for (int64_t k = 0; k < count; ++k)
        one_.weights.emplace_back(series || shape.columns.empty()
                                      ? std::to_string(k)
                                      : shape.columns.at(static_cast<size_t>(k)),
                                  w[k]);
    if (series) add_channels(name, shape, count);
    return std::move(one_);
  }

 private:
  void add_words(const std::string& name, const double* w, int64_t count) {
    const OriginPtr& origin = batch_.origins.at(static_cast<size_t>(row_));
    const WrittenText* written = origin ? origin->text(name) : nullptr;
    if (!written) {
      for (int64_t k = 0; k < count; ++k)
        one_.weights.emplace_back(parts_.words.at(name)->word(id_at(name, k)), w[k]);
      return;
    }
    one_.text = written->text;
    for (int64_t k = 0; k < count; ++k) {
      const auto& token = written->tokens.at(static_cast<size_t>(k));
      const auto begin = static_cast<size_t>(token.first), end = static_cast<size_t>(token.second);
      one_.places.emplace_back(begin, end);
      // What stands for no text ([CLS]) has its name.
      one_.weights.emplace_back(end > begin ? one_.text.substr(begin, end - begin)
                                            : parts_.words.at(name)->word(id_at(name, k)),
                                w[k]);
    }
  }

  int64_t id_at(const std::string& name, int64_t k) const {
    return batch_.inputs.at(name)[row_][k].flatten()[0].item<int64_t>();
  }

  void add_channels(const std::string& name, const InputShape& shape, int64_t count) {
    const torch::Tensor steps = batch_.inputs.at(name)[row_].slice(0, 0, count).to(torch::kDouble);
    for (int64_t c = 0; c < steps.size(1); ++c) {
      const torch::Tensor channel = steps.select(1, c).contiguous();
      const double* values = channel.const_data_ptr<double>();
      const auto at = static_cast<size_t>(c);
      one_.channels.emplace_back(at < shape.columns.size() ? shape.columns[at] : std::to_string(c),
                                 std::vector<double>(values, values + count));
    }
  }

  const Predictor::Parts& parts_;
  const Batch& batch_;
  int64_t row_;
  Explanation one_;
};

std::vector<Explanation> explanations(const Predictor::Parts& parts, const Batch& batch,
                                      const Answers& answers, int64_t row) {
  std::vector<Explanation> all;
  for (const auto& [name, weights] : answers.weights) {
    const torch::Tensor* present = batch.present.find(name);
    if (present && !(*present)[row].item<bool>()) continue;
    const auto input =
        std::ranges::find(parts.inputs, name, [](const auto& one) { return one.first; });
    all.push_back(Explainer(parts, batch, row).of(name, input->second, weights));
  }
  return all;
}

Prediction prediction_of(const Predictor::Parts& parts, const Batch& batch,
                         std::filesystem::path path, const Answers& answers, int64_t row) {
  Prediction prediction{.id = batch.ids[static_cast<size_t>(row)],
                        .path = std::move(path),
                        .explanations = explanations(parts, batch, answers, row)};
  prediction.answers = parts.task->answers(answers.decoded, batch, row);
  const Answer& first = prediction.answers.at(0);
  prediction.probabilities = first.probabilities;
  prediction.decision = first.decision;
  return prediction;
}

/// What became of one case.
struct Outcome {
  std::string name;
  std::optional<Prediction> prediction;
  std::string failure;
};

Outcome failure_of(const std::string& name, Error error) {
  error.add_place_once(name);
  return {name, std::nullopt, error.what()};
}

std::vector<Outcome> outcomes_of_batch(const Predictor::Parts& parts, const Dataset& cases,
                                       std::vector<Example> examples,
                                       const std::vector<int64_t>& indices) {
  const Batch batch = collate(std::move(examples), indices, cases.schema());
  const Answers found = answers(parts, batch);
  std::vector<Outcome> all;
  for (size_t k = 0; k < indices.size(); ++k) {
    const std::string name = cases.name(indices[k]);
    try {
      all.push_back({name, prediction_of(parts, batch, name, found, static_cast<int64_t>(k)), ""});
    } catch (const Error& error) {  // outputs that are not finite fail their own case alone
      all.push_back(failure_of(name, error));
    }
  }
  return all;
}

/// Of cases that fit into one batch; `indices` are theirs in `cases`. Where the model refuses the
/// batch, each is asked about alone: one bad case does not end the others.
std::vector<Outcome> outcomes(const Predictor::Parts& parts, const Dataset& cases,
                              const std::vector<Example>& examples,
                              const std::vector<int64_t>& indices) {
  try {
    return guarded([&] { return outcomes_of_batch(parts, cases, examples, indices); });
  } catch (const Error& error) {
    if (error.fault() == Fault::resources) throw;
    if (indices.size() == 1) return {failure_of(cases.name(indices[0]), error)};
  }
  std::vector<Outcome> all;
  for (size_t k = 0; k < indices.size(); ++k)
    all.push_back(outcomes(parts, cases, {examples[k]}, {indices[k]})[0]);
  return all;
}

/// Whether one fits into a batch with the others; ragged inputs are padded there.
bool same_shapes(const std::vector<Example>& others, const Example& one, const Schema& schema) {
  for (const auto& [name, tensor] : one.inputs) {
    const InputSpec* spec = schema.input(name);
    if (spec && spec->shape.ragged()) continue;
    for (const Example& other : others) {
      const torch::Tensor* theirs = other.inputs.find(name);
      if (theirs && theirs->sizes() != tensor.sizes()) return false;
    }
  }
  return true;
}

Prediction prediction_of_one(const Predictor::Parts& parts, Example example,
                             const std::string& name) {
  Random unused(0, Purpose::augment);
  std::vector<Example> one;
  one.push_back(fitting(parts.transform(std::move(example), unused), parts, name));
  const Batch batch = collate(std::move(one), {0}, parts.schema);
  return within(name, [&] { return prediction_of(parts, batch, name, answers(parts, batch), 0); });
}

}  // namespace

Prediction Predictor::predict(const std::filesystem::path& file) const {
  Prediction prediction =
      guarded([&] { return prediction_of_one(*parts_, parts_->read(file), file.string()); });
  prediction.path = file;
  return prediction;
}

Prediction Predictor::predict(const Example& example) const {
  return guarded([&] { return prediction_of_one(*parts_, example, example.id); });
}

void Predictor::predict(const std::vector<std::filesystem::path>& files, int threads,
                        const Result& result, const Failed& failed) const {
  predict(Files(*parts_, files), threads, result, failed);
}

void Predictor::predict(const Dataset& cases, int threads, const Result& result,
                        const Failed& failed) const {
  Ahead<Decoded> decoded(cases.size(), threads, kAhead,
                         [&](int64_t i) { return decode(*parts_, cases, i); });
  // Runs of equal shapes go through the model together; images of differing size one by one.
  std::vector<Example> group;
  std::vector<int64_t> indices;
  const auto answer = [&] {
    if (group.empty()) return;
    for (const Outcome& one : outcomes(*parts_, cases, group, indices)) {
      if (one.prediction)
        result(*one.prediction);
      else
        failed(one.name, one.failure);
    }
    group.clear();
    indices.clear();
  };
  for (int64_t i = 0; auto one = guarded([&] { return decoded.next(); }); ++i) {
    const bool fits = one->example && std::ssize(group) < kBatch &&
                      same_shapes(group, *one->example, cases.schema());
    if (!fits) answer();
    if (!one->example) {
      failed(cases.name(i), one->failure);
      continue;
    }
    group.push_back(std::move(*one->example));
    indices.push_back(i);
  }
  answer();
}

const std::vector<std::string>& Predictor::classes() const { return parts_->targets.at(0).classes; }

std::vector<std::string> Predictor::columns() const { return parts_->task->columns(); }

std::vector<std::string> Predictor::notes() const {
  return parts_->notes ? parts_->notes() : std::vector<std::string>();
}

}  // namespace fovea
