#include "fovea/data/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fovea/core/error.h"
#include "fovea/core/text.h"

namespace fovea {
namespace {

constexpr std::array<std::string_view, 6> kLayouts = {"none",  "tokens", "mask",
                                                      "image", "boxes",  "points"};

template <class Spec>
const Spec* named(const std::vector<Spec>& specs, std::string_view name) {
  const auto found = std::ranges::find(specs, name, &Spec::name);
  return found == specs.end() ? nullptr : &*found;
}

}  // namespace

const InputSpec* Schema::input(std::string_view name) const { return named(inputs, name); }

const TargetSpec* Schema::target(std::string_view name) const { return named(targets, name); }

bool Schema::optional(std::string_view name) const {
  const InputSpec* spec = input(name);
  return spec && spec->shape.optional;
}

std::string_view name_of(Layout layout) { return kLayouts.at(static_cast<size_t>(layout)); }

Layout layout_named(std::string_view name) {
  const auto found = std::ranges::find(kLayouts, name);
  if (found == kLayouts.end())
    throw data_error(fmt::format("found the layout '{}', wanted one of {}", name,
                                 join(std::vector<std::string>(kLayouts.begin(), kLayouts.end()))));
  return static_cast<Layout>(found - kLayouts.begin());
}

}  // namespace fovea
