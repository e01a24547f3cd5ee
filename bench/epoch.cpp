// A training epoch with loading, against loading alone and computing alone, in turns.
//   bench_epoch CONFIG IMAGES ROUNDS [KEY=VALUE…]
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fovea/bundle/assemble.h"
#include "fovea/core/error.h"
#include "fovea/io/process.h"
#include "fovea/train/trainer.h"
#include "measure.h"

using namespace fovea;

namespace {

/// Examples as they leave the transforms: what is left to do is to compute.
class Ready final : public Dataset {
 public:
  Ready(const Dataset& data, const ExampleTransform& transform) {
    for (int64_t i = 0; i < data.size(); ++i) {
      Random random(1, Purpose::augment, 0, static_cast<uint64_t>(i));
      examples_.push_back(transform(data.get(i), random));
    }
  }
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  Example get(int64_t index) const override { return examples_[index]; }
  TensorMap targets(int64_t index) const override { return examples_[index].targets; }
  std::string group(int64_t index) const override { return examples_[index].group; }
  std::string name(int64_t index) const override { return examples_[index].id; }

 private:
  std::vector<Example> examples_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(const std::filesystem::path& path, int64_t images, int64_t rounds,
             const std::vector<std::string>& set) {
  const config::RunConfig config = config::read_config(path, set);
  const sources::Source source = sources::open_source(config.data, config.seed);
  const bundle::ModelCard card = bundle::make_card(config, source);
  const tasks::TaskPtr task = bundle::make_task(config, card);
  const auto model = bundle::make_model(config, card, *task);

  std::vector<int64_t> indices(images);
  for (int64_t i = 0; i < images; ++i) indices[i] = i % source.data->size();
  const DatasetPtr files = subset(source.data, indices);
  const ExampleTransform transform = bundle::make_pipeline(config, config.transforms.train);
  const LoaderOptions options = train::training_loader(config.train, config.seed);
  const Loader loading(files, transform, options);
  const Loader ready(std::make_shared<Ready>(*files, transform), {}, options);

  const auto train_with = [&](const Loader& loader) {
    train::Trainer trainer({.model = model, .task = task, .training = &loader}, config.train);
    return bench::seconds_of([&] { trainer.fit(); });
  };
  const auto load = [&] {
    return bench::seconds_of([&] {
      for (const Batch& batch : loading.epoch(0)) (void)batch;
    });
  };
  std::array<std::vector<double>, 3> seconds;  // whole, loading, computing
  for (int64_t round = -1; round < rounds; ++round) {
    const std::array<double, 3> found{train_with(loading), load(), train_with(ready)};
    for (size_t i = 0; round >= 0 && i < 3; ++i) seconds[i].push_back(found[i]);
  }
  const double whole = median(seconds[0]), alone = median(seconds[1]), compute = median(seconds[2]);
  std::cout << fmt::format(
      "epoch images={} rounds={} whole_s={:.3f} loading_s={:.3f} computing_s={:.3f} "
      "whole_over_sum={:.3f} whole_over_computing={:.3f}\n",
      images, rounds, whole, alone, compute, whole / (alone + compute), whole / compute);
}

}  // namespace

int main(int argc, char** argv) {
  fovea::io::take_opencv();  // as the program does
  try {
    if (argc < 4) throw config_error("wanted: bench_epoch CONFIG IMAGES ROUNDS [KEY=VALUE…]");
    measure(argv[1], std::stoll(argv[2]), std::stoll(argv[3]), {argv + 4, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "bench_epoch: " << error.what() << '\n';
    return 1;
  }
}
