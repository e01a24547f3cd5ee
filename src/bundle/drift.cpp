#include "fovea/bundle/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/core/text.h"

namespace fovea::bundle {
namespace {

using metrics::CategoryProfile;
using metrics::NumberProfile;
using sources::Quantity;

/// An infinite number is none that can be compared.
std::vector<double> finite(const std::vector<double>& numbers) {
  std::vector<double> all = numbers;
  for (double& number : all)
    if (!std::isfinite(number)) number = std::nan("");
  return all;
}

/// Between two of the quantiles, which are evenly spaced.
double quantile(const std::vector<double>& quantiles, double share) {
  const double place = share * static_cast<double>(quantiles.size() - 1);
  const auto below = std::min(static_cast<size_t>(place), quantiles.size() - 1);
  const size_t above = std::min(below + 1, quantiles.size() - 1);
  return quantiles[below] +
         (place - static_cast<double>(below)) * (quantiles[above] - quantiles[below]);
}

/// "512 (480 to 560)": median and quartiles.
std::string words(const std::vector<double>& quantiles) {
  if (quantiles.empty()) return "no value";
  return fmt::format("{:.4g} ({:.4g} to {:.4g})", quantile(quantiles, 0.5),
                     quantile(quantiles, 0.25), quantile(quantiles, 0.75));
}

std::string percent(int64_t part, int64_t all) {
  return all == 0 ? "none"
                  : fmt::format("{:.1f} %",
                                100.0 * static_cast<double>(part) / static_cast<double>(all));
}

/// "PA 61.0 %, AP 39.0 %": of the most frequent ones.
std::string words(const std::vector<std::string>& names, const std::vector<int64_t>& counts) {
  constexpr size_t kShown = 4;
  int64_t all = 0, shown = 0;
  for (const int64_t count : counts) all += count;
  std::vector<std::string> parts;
  for (size_t k = 0; k < names.size() && parts.size() < kShown; ++k) {
    parts.push_back(names[k] + " " + percent(counts[k], all));
    shown += counts[k];
  }
  if (all > shown) parts.push_back("others " + percent(all - shown, all));
  return parts.empty() ? "no value" : join(parts);
}

std::vector<double> known(std::vector<double> numbers) {
  std::erase_if(numbers, [](double number) { return std::isnan(number); });
  std::ranges::sort(numbers);
  return numbers;
}

struct Words {
  std::string training, here;
};

Words words_of(const NumberProfile& training, const Quantity& here) {
  const bool withheld = training.quantiles.empty() && training.missing.counts.at(0) > 0;
  return {withheld ? "of too few patients to tell" : words(training.quantiles),
          words(known(finite(here.numbers)))};
}

Words words_of(const CategoryProfile& training, const Quantity& here) {
  std::vector<int64_t> counts(training.names.size() + 1);
  for (const std::string& category : here.categories) {
    if (category.empty()) continue;
    const auto known = std::ranges::find(training.names, category);
    ++counts[static_cast<size_t>(known - training.names.begin())];
  }
  return {words(training.names, training.cells.counts), words(training.names, counts)};
}

void add(std::vector<report::Drift>& all, const QuantityProfile& training, const Quantity& here,
         std::span<const uint32_t> clusters) {
  std::visit(
      [&]<class Profile>(const Profile& profile) {
        metrics::Drift found;
        if constexpr (std::is_same_v<Profile, NumberProfile>)
          found = metrics::drift(profile, finite(here.numbers), clusters);
        else
          found = metrics::drift(profile, here.categories, clusters);
        const Words said = words_of(profile, here);
        all.push_back({training.of, training.name, said.training, said.here, found.psi,
                       found.values.p, std::string(found.values.method)});
        const std::vector<int64_t>& before = profile.missing.counts;
        if (found.missing == 0 && (before.size() < 2 || before[1] == 0)) return;
        const std::vector<int64_t> now{found.cases, found.missing};
        all.push_back({training.of, training.name + ", missing",
                       percent(before.at(1), before.at(0) + before.at(1)),
                       percent(found.missing, found.cases + found.missing),
                       metrics::psi(before, now), found.missing_rates.p,
                       std::string(found.missing_rates.method)});
      },
      training.values);
}

/// The least and the largest value are of one patient each: the next quantiles stand for them.
NumberProfile without_extremes(NumberProfile profile) {
  std::vector<double>& quantiles = profile.quantiles;
  if (quantiles.size() < 3) {
    quantiles.clear();
    return profile;
  }
  quantiles.front() = quantiles[1];
  quantiles.back() = quantiles[quantiles.size() - 2];
  return profile;
}

}  // namespace

std::vector<QuantityProfile> profile_of(const std::vector<Quantity>& quantities,
                                        std::span<const uint32_t> clusters) {
  std::vector<QuantityProfile> all;
  for (const Quantity& quantity : quantities) {
    QuantityProfile profile{quantity.of, quantity.name, {}};
    if (quantity.category)
      profile.values = metrics::profile_categories(quantity.categories, clusters);
    else
      profile.values =
          without_extremes(metrics::profile_numbers(finite(quantity.numbers), clusters));
    all.push_back(std::move(profile));
  }
  return all;
}

std::vector<report::Drift> drift_of(const std::vector<QuantityProfile>& training,
                                    const std::vector<Quantity>& here,
                                    std::span<const uint32_t> clusters) {
  std::vector<report::Drift> all;
  for (const QuantityProfile& profile : training)
    for (const Quantity& quantity : here)
      if (quantity.of == profile.of && quantity.name == profile.name &&
          quantity.category == std::holds_alternative<CategoryProfile>(profile.values))
        add(all, profile, quantity, clusters);
  return all;
}

}  // namespace fovea::bundle
