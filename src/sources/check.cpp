#include "fovea/sources/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/data/parallel.h"
#include "fovea/storage/hash.h"

namespace fovea::sources {
namespace {

// What is kept of one image.
struct Seen {
  std::vector<int64_t> shape;
  double low = 0, high = 0;
};

// What is kept of one case.
struct Look {
  std::map<std::string, Seen> inputs;
  bool made_constant = false;
  std::string hash;  // of images; empty where there is none: rows of a table are alike by chance
  std::string failure;
};

constexpr int64_t kAhead = 256;  // cases that wait, at most

bool is_image(const torch::Tensor& tensor) { return tensor.dim() > 2; }

/// Of one value where several are wanted: an image, or a series of several steps.
bool is_empty(const Seen& seen) {
  const bool one_step = seen.shape.size() == 2 && seen.shape[1] == 1;
  return seen.low == seen.high && seen.shape.size() > 1 && !one_step;
}

bool is_constant(const torch::Tensor& tensor) {
  const auto [low, high] = at::aminmax(tensor);
  return low.item<double>() == high.item<double>();
}

/// Whether an image that has several values loses them in the transforms.
bool becomes_constant(const Example& example, const ExampleTransform& transform) {
  Random unused(0, Purpose::augment);
  const Example after = transform(example, unused);
  for (const auto& [name, image] : after.inputs)
    if (is_image(image) && is_constant(image) && !is_constant(example.inputs.at(name))) return true;
  return false;
}

Look look(const Dataset& data, int64_t index, const ExampleTransform& transform) {
  Look result;
  try {
    storage::Sha256 hash;
    bool images = false;
    const Example example = data.get(index);
    for (const auto& [name, tensor] : example.inputs) {
      const torch::Tensor pixels = tensor.contiguous();
      images |= pixels.dim() > 1;
      hash.add(fmt::format("{} {} {}", name, fmt::join(pixels.sizes(), "x"),
                           c10::toString(pixels.scalar_type())));
      hash.add({static_cast<const char*>(pixels.const_data_ptr()), pixels.nbytes()});
      const auto [low, high] = at::aminmax(pixels);
      std::vector<int64_t> shape = pixels.sizes().vec();
      if (shape.size() == 2) std::swap(shape[0], shape[1]);  // a series: channels first, as images
      result.inputs[name] = {std::move(shape), low.item<double>(), high.item<double>()};
    }
    if (images) result.hash = hash.hex();
    if (transform)
      within(data.name(index),
             [&] { result.made_constant = becomes_constant(example, transform); });
  } catch (const std::exception& error) {
    result.failure = error.what();
  }
  return result;
}

/// The sizes of all inputs, a case after the other.
class AllSizes {
 public:
  void add(const Look& one) {
    for (const auto& [name, seen] : one.inputs) {
      const bool first = !all_.contains(name);
      CheckReport::Sizes& sizes = all_[name];
      std::vector<int64_t> sides(seen.shape.begin() + 1, seen.shape.end());
      dimensions_[name].insert(sides.size());
      if (std::ranges::find(sizes.channels, seen.shape[0]) == sizes.channels.end())
        sizes.channels.push_back(seen.shape[0]);
      if (first) {
        sizes.smallest = sizes.largest = sides;
        sizes.lowest = seen.low;
        sizes.highest = seen.high;
      }
      for (size_t k = 0; k < std::min(sides.size(), sizes.smallest.size()); ++k) {
        sizes.smallest[k] = std::min(sizes.smallest[k], sides[k]);
        sizes.largest[k] = std::max(sizes.largest[k], sides[k]);
      }
      sizes.lowest = std::min(sizes.lowest, seen.low);
      sizes.highest = std::max(sizes.highest, seen.high);
    }
  }

  std::vector<CheckReport::Sizes> take(const Schema& schema) {
    std::vector<CheckReport::Sizes> result;
    for (auto& [name, sizes] : all_) {
      sizes.input = name;
      const InputSpec* spec = schema.input(name);
      sizes.text = spec && spec->shape.vocabulary > 0;
      sizes.mixed = dimensions_[name].size() > 1;
      std::ranges::sort(sizes.channels);
      result.push_back(std::move(sizes));
    }
    return result;
  }

 private:
  std::map<std::string, CheckReport::Sizes> all_;
  std::map<std::string, std::set<size_t>> dimensions_;
};

void add_counts(CheckReport& report, const Source& source) {
  for (const std::string& split : source.split_names()) {
    const std::vector<int64_t> cases = source.cases(split);
    report.splits.emplace_back(split, static_cast<int64_t>(cases.size()));
    for (const targets::TargetPtr& target : source.truth) {
      if (!target->has_classes()) continue;
      const TargetSpec& spec = target->spec();
      std::vector<int64_t> counts(spec.classes.size(), 0);
      for (const int64_t i : cases)
        for (const int64_t k : target->classes_of(i)) ++counts[static_cast<size_t>(k)];
      for (size_t k = 0; k < counts.size(); ++k)
        report.counts.push_back({split, spec.name, spec.classes[k], counts[k]});
    }
  }
}

void add_overlaps(CheckReport& report, const Source& source) {
  for (const auto& [name, input] : source.inputs) {
    const auto* windows = dynamic_cast<const inputs::Windows*>(input.get());
    if (!windows) continue;
    int64_t last = 0;
    for (int64_t i = 0; i < report.cases; ++i) last = std::max(last, windows->window(i).second);
    std::vector<int64_t> trained(static_cast<size_t>(last) + 1);  // training values before each
    for (const int64_t i : source.cases("train")) {
      const auto [begin, end] = windows->window(i);
      std::fill(trained.begin() + begin + 1, trained.begin() + end + 1, 1);
    }
    std::partial_sum(trained.begin(), trained.end(), trained.begin());
    for (const std::string& split : source.split_names()) {
      CheckReport::Overlap overlap{.input = name, .split = split};
      for (const int64_t i : source.cases(split)) {
        const auto [begin, end] = windows->window(i);
        overlap.cases += trained[static_cast<size_t>(end)] > trained[static_cast<size_t>(begin)];
        ++overlap.of;
      }
      if (split != "train" && overlap.cases > 0) report.overlaps.push_back(overlap);
    }
  }
}

CheckReport::Duplicate pair_of(const Source& source, int64_t first, int64_t second) {
  return {source.data->name(first), source.data->name(second),
          source.splits[static_cast<size_t>(first)], source.splits[static_cast<size_t>(second)]};
}

}  // namespace

CheckReport check(const Source& source, int64_t threads,
                  const std::function<bool(int64_t, int64_t)>& progress,
                  const ExampleTransform& transform) {
  CheckReport report;
  report.cases = source.data->size();
  report.found = source;
  add_counts(report, source);
  add_overlaps(report, source);
  AllSizes sizes;
  std::unordered_map<std::string, int64_t> known;  // by hash
  Ahead<Look> looks(report.cases, threads > 0 ? threads : processors(), kAhead,
                    [&](int64_t i) { return look(*source.data, i, transform); });
  for (int64_t i = 0; const std::optional<Look> one = looks.next(); ++i) {
    sizes.add(*one);
    if (!one->failure.empty()) {
      report.failures.push_back({source.data->name(i), one->failure});
    } else {
      for (const auto& [input, seen] : one->inputs)
        if (is_empty(seen)) report.constant.push_back(source.data->name(i));
      if (one->made_constant) report.made_constant.push_back(source.data->name(i));
      if (!one->hash.empty()) {
        const auto [first, added] = known.try_emplace(one->hash, i);
        if (!added) report.duplicates.push_back(pair_of(source, first->second, i));
      }
    }
    if (progress && !progress(i + 1, report.cases)) break;
  }
  std::ranges::copy(source.reading_notes(), std::back_inserter(report.found.notes));
  report.sizes = sizes.take(source.data->schema());
  return report;
}

int64_t CheckReport::duplicates_across_splits() const {
  return std::ranges::count_if(
      duplicates, [](const Duplicate& pair) { return pair.first_split != pair.second_split; });
}

std::vector<std::string> CheckReport::problems() const {
  std::vector<std::string> result = found.problems;
  if (!failures.empty())
    result.push_back(fmt::format("{} of {} cases cannot be read, the first: {}", failures.size(),
                                 cases, failures[0].message));
  if (const int64_t across = duplicates_across_splits(); across > 0)
    result.push_back(fmt::format(
        "{} cases have the same content as one of another split: metrics would be flattering",
        across));
  for (const Overlap& one : overlaps)
    result.push_back(fmt::format(
        "{} of {} cases of '{}' share time steps of '{}' with training cases: metrics would be "
        "flattering; split in the order of time (DataOptions::split: {{chronological: …}}) or by "
        "group",
        one.cases, one.of, one.split, one.input));
  if (!made_constant.empty())
    result.push_back(fmt::format(
        "{} images are of one value only after the transforms of evaluation, nothing is left of "
        "them: {}",
        made_constant.size(), join(made_constant, ", ", 5)));
  for (const Sizes& one : sizes) {
    if (one.mixed)
      result.push_back(
          fmt::format("the images of '{}' are 2-D and 3-D: a batch needs one type; keep one of "
                      "them in the data",
                      one.input));
    else if (one.channels.size() > 1 && one.largest.size() > 1)
      result.push_back(
          fmt::format("the images of '{}' have 1 and 3 channels: a batch needs one type; set "
                      "ImageOptions::channels to 1, which makes grey of colour",
                      one.input));
  }
  return result;
}

}  // namespace fovea::sources
