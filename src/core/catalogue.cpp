#include "fovea/core/catalogue.h"

namespace fovea {

std::vector<std::string> CatalogueBase::names() const {
  std::vector<std::string> names;
  for (const Row& row : rows()) names.push_back(row.name);
  return names;
}

ChoiceBase::ChoiceBase(const CatalogueBase& catalogue, std::string_view name)
    : catalogue_(&catalogue) {
  if (!name.empty()) select(name);
}

ChoiceBase::ChoiceBase(const ChoiceBase& other)
    : catalogue_(other.catalogue_),
      name_(other.name_),
      settings_(other.settings_ ? other.settings_->clone() : nullptr) {}

ChoiceBase& ChoiceBase::operator=(const ChoiceBase& other) { return *this = ChoiceBase(other); }

void ChoiceBase::select(std::string_view name, const std::string& place) {
  for (const CatalogueBase::Row& row : catalogue_->rows()) {
    if (row.name != name) continue;
    name_ = name;
    settings_ = row.defaults();
    return;
  }
  const std::vector<std::string> known = catalogue_->names();
  const std::string near = nearest(name, known);
  throw config_error(place + "unknown name '" + std::string(name) + "' among the " +
                     catalogue_->family() + (near.empty() ? "" : "; did you mean '" + near + "'?") +
                     " known: " + join(known));
}

}  // namespace fovea
