#include "fovea/data/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"

namespace fovea {
namespace {

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

std::string_view name_of(TargetKind kind) {
  switch (kind) {
    case TargetKind::classes:
      return "classes";
    case TargetKind::labels:
      return "labels";
    case TargetKind::number:
      return "number";
    case TargetKind::tags:
      return "tags";
  }
  return "";
}

TargetKind target_kind(std::string_view name) {
  for (const TargetKind kind :
       {TargetKind::classes, TargetKind::labels, TargetKind::number, TargetKind::tags})
    if (name_of(kind) == name) return kind;
  throw data_error(
      fmt::format("found the kind of target '{}', wanted classes, labels, number or tags", name));
}

}  // namespace fovea
