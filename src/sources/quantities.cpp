#include "fovea/sources/quantities.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fovea/metrics/bootstrap.h"

namespace fovea::sources {
namespace {

using Numbers = std::vector<std::pair<std::string, double>>;

constexpr int64_t kMostChannels = 32;  // of a series: more say too much

void measure_image(const torch::Tensor& image, const Placement* place, Numbers& numbers) {
  const int64_t sides = image.dim();
  numbers.emplace_back("width", static_cast<double>(image.size(sides - 1)));
  numbers.emplace_back("height", static_cast<double>(image.size(sides - 2)));
  if (sides == 4) numbers.emplace_back("slices", static_cast<double>(image.size(1)));
  if (place && place->original.millimetres)
    numbers.emplace_back("pixel spacing (mm)", place->original.spacing()[0]);
  const torch::Tensor values = image.to(torch::kFloat);
  numbers.emplace_back("mean intensity", values.mean().item<double>());
  if (values.numel() > 1)
    numbers.emplace_back("deviation of intensity", values.std(/*unbiased=*/false).item<double>());
}

void measure_series(const torch::Tensor& series, const InputSpec* spec, Numbers& numbers) {
  numbers.emplace_back("time steps", static_cast<double>(series.size(0)));
  if (series.size(0) == 0) return;
  for (int64_t k = 0; k < std::min(series.size(1), kMostChannels); ++k) {
    const auto at = static_cast<size_t>(k);
    const std::string channel = spec && at < spec->shape.columns.size()
                                    ? spec->shape.columns[at]
                                    : "channel " + std::to_string(k + 1);
    numbers.emplace_back("mean of " + channel, series.select(1, k).mean().item<double>());
  }
}

/// The numbers of one input of a case; none of a table, whose columns say more.
Numbers measured(const std::string& name, const torch::Tensor& input, const Example& example,
                 const Schema& schema) {
  Numbers numbers;
  if (input.scalar_type() == torch::kInt64)
    numbers.emplace_back("tokens", static_cast<double>(input.size(0)));
  else if (input.dim() >= 3 && input.numel() > 0)
    measure_image(input, example.origin ? example.origin->place(name) : nullptr, numbers);
  else if (input.dim() == 2)
    measure_series(input.to(torch::kFloat), schema.input(name), numbers);
  return numbers;
}

/// The class of each case, or of labels whether it has each.
void add_targets(const Source& source, const std::vector<int64_t>& cases,
                 std::vector<Quantity>& all) {
  for (const TargetSpec& target : source.targets) {
    if (target.layout != Layout::none) continue;
    const size_t first = all.size();
    if (target.type == "classes") {
      all.push_back({target.name, "class", true});
    } else if (target.multi_label()) {
      for (const std::string& label : target.classes) all.push_back({target.name, label, true});
    } else if (target.type == "number") {
      all.push_back({target.name, "value", false});
    } else {
      continue;
    }
    for (const int64_t index : cases) {
      const torch::Tensor value =
          source.data->targets(index).at(target.name).to(torch::kDouble).contiguous().view(-1);
      const double* numbers = value.const_data_ptr<double>();
      if (target.type == "number") {
        all[first].numbers.push_back(numbers[0]);
      } else if (target.multi_label()) {
        for (size_t k = 0; k < target.classes.size(); ++k)
          all[first + k].categories.emplace_back(std::isnan(numbers[k]) ? ""
                                                 : numbers[k] > 0.5     ? "yes"
                                                                        : "no");
      } else {
        all[first].categories.push_back(
            numbers[0] < 0 ? "" : target.classes.at(static_cast<size_t>(numbers[0])));
      }
    }
  }
}

}  // namespace

std::vector<int64_t> cases_of(const Source& source, const std::string& split) {
  if (split != "all") return source.cases(split);
  std::vector<int64_t> all(static_cast<size_t>(source.data->size()));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

std::vector<uint32_t> patients_of(const Dataset& data, const std::vector<int64_t>& cases) {
  std::vector<std::string> groups;
  for (const int64_t index : cases) groups.push_back(data.group(index));
  return metrics::clusters_of(groups, groups.size()).of_case;
}

std::vector<Quantity> known_quantities(const Source& source, const std::vector<int64_t>& cases) {
  std::vector<Quantity> all;
  for (const auto& [name, input] : source.inputs)
    for (const inputs::ColumnValues& column : input->values()) {
      Quantity quantity{name, column.name, column.category};
      for (const int64_t index : cases) {
        const auto i = static_cast<size_t>(index);
        if (column.category)
          quantity.categories.push_back(column.categories.at(i));
        else
          quantity.numbers.push_back(column.numbers.at(i));
      }
      all.push_back(std::move(quantity));
    }
  add_targets(source, cases, all);
  return all;
}

Measured::Measured(DatasetPtr data) : data_(std::move(data)) {}

Example Measured::get(int64_t index) const {
  Example example = data_->get(index);
  for (const auto& [name, input] : example.inputs)
    for (const auto& [quantity, number] : measured(name, input, example, schema())) {
      const std::lock_guard lock(mutex_);
      const Key key{name, quantity};
      auto known = std::ranges::find(numbers_, key, [](const auto& one) { return one.first; });
      if (known == numbers_.end())
        known = numbers_.insert(
            known, {key, std::vector<double>(static_cast<size_t>(size()), std::nan(""))});
      known->second.at(static_cast<size_t>(index)) = number;
    }
  return example;
}

std::vector<Quantity> Measured::quantities() const {
  const std::lock_guard lock(mutex_);
  std::vector<Quantity> all;
  for (const auto& [key, numbers] : numbers_)
    all.push_back({key.first, key.second, false, numbers});
  // Which case came first depends on threads; the order of a report does not.
  std::ranges::sort(all, {}, [](const Quantity& one) { return std::pair(one.of, one.name); });
  return all;
}

}  // namespace fovea::sources
