#include "fovea/core/catalogue.h"

#include <algorithm>

#include "fovea/core/log.h"

namespace fovea {

bool CatalogueBase::Row::is_called(std::string_view called) const {
  return called == name || std::ranges::find(also, called) != also.end() ||
         std::ranges::find(formerly, called) != formerly.end();
}

std::vector<std::string> CatalogueBase::Row::every_name() const {
  std::vector<std::string> names{name};
  names.insert(names.end(), also.begin(), also.end());
  names.insert(names.end(), formerly.begin(), formerly.end());
  return names;
}

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
    if (!row.is_called(name)) continue;
    if (std::ranges::find(row.formerly, name) != row.formerly.end())
      log_once("'" + std::string(name) + "' among the " + catalogue_->family(),
               place + "'" + std::string(name) + "' among the " + catalogue_->family() +
                   " is called '" + row.name + "' now",
               Level::warning);
    name_ = row.name;
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
