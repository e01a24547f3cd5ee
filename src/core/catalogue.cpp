#include "fovea/core/catalogue.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "fovea/core/log.h"

namespace fovea {
namespace {

void warn_once(const std::string& place, std::string_view old, const CatalogueBase& catalogue,
               const std::string& name) {
  static std::mutex mutex;
  static std::set<std::pair<const CatalogueBase*, std::string>> said;
  const std::lock_guard lock(mutex);
  if (said.emplace(&catalogue, old).second)
    log_warning(place + "'" + std::string(old) + "' among the " + catalogue.family() +
                " is called '" + name + "' now");
}

}  // namespace

bool CatalogueBase::Row::is_called(std::string_view called) const {
  return called == name || std::ranges::find(also, called) != also.end() ||
         std::ranges::find(formerly, called) != formerly.end();
}

void CatalogueBase::refuse_taken(const Row& row) const {
  std::vector<std::string> wanted{row.name};
  wanted.insert(wanted.end(), row.also.begin(), row.also.end());
  wanted.insert(wanted.end(), row.formerly.begin(), row.formerly.end());
  for (const Row& there : rows())
    for (const std::string& name : wanted)
      if (there.is_called(name))
        throw config_error("found the name '" + name + "' twice among the " + family_ +
                           ", wanted a name of its own for each");
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
      warn_once(place, name, *catalogue_, row.name);
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
