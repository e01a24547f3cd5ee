#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "tables/cells.h"
#include "tables/complaints.h"
#include "tables/names.h"
#include "targets/labels.h"

namespace fovea::targets {
namespace {

constexpr size_t kMostClasses = 1000;

// Numbers by value, then words by letters.
bool before(const std::string& a, const std::string& b) {
  const auto x = tables::number_in(a);
  const auto y = tables::number_in(b);
  if (x && y && x->value != y->value) return x->value < y->value;
  if (x.has_value() != y.has_value()) return x.has_value();
  return a < b;
}

std::vector<std::string_view> parts(std::string_view text, const std::string& separator) {
  std::vector<std::string_view> result;
  while (true) {
    const size_t at = text.find(separator);
    result.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return result;
    text.remove_prefix(at + separator.size());
  }
}

class Reader {
 public:
  Reader(const std::string& name, const ClassesOptions& options, const LabelTexts& texts)
      : options_(options),
        texts_(texts),
        cases_(texts.cells[0].size()),
        setting_("DataOptions::targets." + name),
        names_(texts.decimal) {
    spec_.name = name;
    for (const std::string& text : options.missing)
      missing_.insert(tables::name_key(text, texts.decimal));
  }

  TargetPtr read() {
    if (texts_.cells.size() > 1) {
      read_columns();
    } else {
      split_cells();
      choose_classes();
      find_indices();
      options_.separator.empty() ? read_classes() : read_lists();
    }
    names_.add_notes(texts_.where, findings_.notes);
    note_missing();
    return classes_of_cases(std::move(spec_), std::move(values_), std::move(findings_));
  }

 private:
  /// The labels of one case: none where it is missing, or where the cell says "no label".
  struct Case {
    bool missing = false;
    std::vector<std::string> keys{};
  };

  bool missing(std::string_view cell) {
    const std::string key = tables::name_key(cell, texts_.decimal);
    if (!missing_.contains(key)) return false;
    if (!key.empty()) ++as_missing_[key];
    ++not_known_;
    return true;
  }

  void split_cells() {
    for (const std::string_view cell : texts_.cells[0]) {
      Case& one = cells_.emplace_back();
      one.missing = missing(cell);
      if (one.missing) continue;
      const bool lists = !options_.separator.empty();
      if (lists && !options_.none.empty() && storage::trimmed(cell) == options_.none) continue;
      for (const std::string_view label :
           lists ? parts(cell, options_.separator) : std::vector<std::string_view>{cell})
        one.keys.push_back(names_.key(label));
    }
  }

  // --- classes

  void choose_classes() {
    std::vector<std::string>& classes = spec_.classes;
    classes = options_.classes;
    if (classes.empty()) classes = found_classes();
    if (classes.size() < 2 && options_.separator.empty())
      throw data_error(fmt::format("{}: found {} class{}, wanted at least 2", texts_.where,
                                   classes.size(),
                                   classes.empty() ? "es" : " ('" + classes[0] + "')"));
    for (size_t k = 0; k < classes.size(); ++k)
      if (!index_.emplace(tables::name_key(classes[k], texts_.decimal), static_cast<int64_t>(k))
               .second)
        throw config_error(fmt::format("the class '{}' is listed twice", classes[k]),
                           "take one out of " + setting_ + ".classes");
  }

  std::vector<std::string> found_classes() const {
    std::set<std::string, bool (*)(const std::string&, const std::string&)> found(before);
    for (const Case& one : cells_) {
      for (const std::string& key : one.keys)
        if (!key.empty()) found.insert(key);
      if (found.size() > kMostClasses)
        throw data_error(
            fmt::format("{}: found more than {} different values, wanted classes", texts_.where,
                        kMostClasses),
            fmt::format("is this the right column? A quantity is a target of the type number; else "
                        "list {}.classes",
                        setting_));
    }
    std::vector<std::string> classes(found.begin(), found.end());
    refuse_doubtful(classes);
    return classes;
  }

  // Classes that nobody would list, in one message.
  void refuse_doubtful(const std::vector<std::string>& classes) const {
    std::vector<std::string> problems, remedies;
    std::vector<std::string> names = classes;
    if (!options_.none.empty()) names.push_back(options_.none);  // no class, but as near to one
    for (const tables::Clash& clash :
         texts_.symbols ? std::vector<tables::Clash>{} : tables::clashes(names))
      problems.push_back(fmt::format(
          "{} ({}) and {} ({}) {}", shown(clash.first), places_of(clash.first), shown(clash.second),
          places_of(clash.second),
          clash.truths ? "are two ways to say yes and no" : "are spellings of one class"));
    if (!problems.empty())
      remedies.push_back("write each class in one way, or list " + setting_ + ".classes");
    const size_t spellings = problems.size();
    for (const std::string& name : classes)
      if (tables::means_missing(name))
        problems.push_back(fmt::format("{} ({}) usually means that nothing is known", shown(name),
                                       places_of(name)));
    if (problems.size() > spellings)
      remedies.push_back("name it in " + setting_ + ".missing, or, if it is a class, list " +
                         setting_ + ".classes");
    for (const std::string& name : classes)
      if (tables::is_nested(name)) {
        problems.push_back(
            fmt::format("{} ({}) is a list or an object, no class", shown(name), places_of(name)));
        remedies.push_back("write the class alone, or several with a separator between (" +
                           setting_ + ".separator)");
        break;
      }
    if (!problems.empty())
      throw data_error(fmt::format("{}: found {} classes, among them {}", texts_.where,
                                   classes.size(), join(problems, "; ", 5)),
                       join(remedies, "; "));
  }

  static std::string shown(const std::string& name) {
    return "'" + storage::escaped(name, 40) + "'";
  }

  std::string places_of(const std::string& key) const {
    std::vector<std::string> places;
    for (size_t i = 0; i < cells_.size(); ++i)
      if (std::ranges::find(cells_[i].keys, key) != cells_[i].keys.end())
        places.push_back(texts_.place(i));
    return join(places, ", ", 3);
  }

  // Numbers are indices only where they cannot be anything else: no class is called by a number, and
  // no case by a name.
  void find_indices() {
    if (options_.classes.empty()) return;
    if (texts_.indices) {
      indices_ = true;
      return index_.clear();
    }
    const auto numeric = [](const std::string& name) {
      return tables::number_in(name).has_value();
    };
    if (std::ranges::any_of(options_.classes, numeric)) return;
    const auto size = static_cast<int64_t>(index_.size());
    bool any = false;
    for (const Case& one : cells_)
      for (const std::string& key : one.keys) {
        if (index_.contains(key)) return;
        any |= tables::is_whole(key) && index_of(key) < size;
      }
    indices_ = any;
    if (any)
      findings_.notes.push_back(fmt::format(
          "{}: its numbers are read as indices of the classes: 0 is {}, 1 is {}{}", texts_.where,
          options_.classes[0], options_.classes[1], size > 2 ? ", …" : ""));
  }

  static int64_t index_of(const std::string& key) {
    int64_t index = std::numeric_limits<int64_t>::max();
    std::from_chars(key.data(), key.data() + key.size(), index);  // as it is where it is too large
    return index;
  }

  int64_t class_of(const std::string& key) const {
    const auto found = index_.find(key);
    if (found != index_.end()) return found->second;
    if (!indices_ || !tables::is_whole(key)) return -1;
    const int64_t index = index_of(key);
    return index < static_cast<int64_t>(spec_.classes.size()) ? index : -1;
  }

  // --- values

  void read_classes() {
    values_ = torch::full({static_cast<int64_t>(cases_)}, -1, torch::kInt64);
    auto* values = values_.data_ptr<int64_t>();
    tables::Complaints complaints;
    for (size_t i = 0; i < cases_; ++i) {
      if (cells_[i].missing) continue;
      values[i] = class_of(cells_[i].keys[0]);
      if (values[i] < 0) complaints.add(i, texts_.cells[0][i]);
    }
    raise(complaints, class_list());
  }

  void read_lists() {
    float* values = room();
    const size_t width = spec_.classes.size();
    tables::Complaints complaints;
    for (size_t i = 0; i < cases_; ++i) {
      if (cells_[i].missing)
        std::fill_n(values + i * width, width, std::numeric_limits<float>::quiet_NaN());
      for (const std::string& key : cells_[i].keys) {
        const int64_t k = class_of(key);
        if (k < 0)
          complaints.add(i, key);
        else
          values[i * width + static_cast<size_t>(k)] = 1;
      }
    }
    raise(complaints, class_list());
  }

  void read_columns() {
    spec_.classes = options_.classes.empty() ? texts_.columns : options_.classes;
    if (spec_.classes.size() != texts_.columns.size())
      throw config_error(fmt::format("found {} classes for {} columns, wanted one each",
                                     spec_.classes.size(), texts_.columns.size()),
                         "correct " + setting_ + ".classes");
    float* values = room();
    const size_t width = texts_.columns.size();
    tables::Complaints complaints;
    for (size_t k = 0; k < width; ++k) {
      std::optional<size_t> way;  // the column's, to say yes and no
      for (size_t i = 0; i < cases_; ++i) {
        const std::string_view cell = texts_.cells[k][i];
        float& value = values[i * width + k];
        if (missing(cell)) {
          value = std::numeric_limits<float>::quiet_NaN();
          continue;
        }
        const auto truth = tables::truth_in(tables::name_key(cell, texts_.decimal));
        if (truth && way.value_or(truth->way) == truth->way)
          value = truth->yes ? 1 : 0;
        else
          complaints.add(i, cell);
        if (truth && !way && truth->way > 0)
          findings_.notes.push_back(
              fmt::format("{}: in '{}', '{}' is read as {}", texts_.where, texts_.columns[k],
                          storage::escaped(cell, 40),
                          truth->yes ? "1, its opposite as 0" : "0, its opposite as 1"));
        if (truth && !way) way = truth->way;
      }
    }
    raise(complaints, "0 or 1 (or no and yes, or false and true) in each of the columns " +
                          join(texts_.columns));
  }

  float* room() {
    spec_.type = "labels";
    values_ =
        torch::zeros({static_cast<int64_t>(cases_), static_cast<int64_t>(spec_.classes.size())});
    return values_.data_ptr<float>();
  }

  void raise(const tables::Complaints& complaints, const std::string& wanted) const {
    complaints.raise(
        texts_.where, texts_.place, wanted,
        "correct them, or name the text that means 'not known' in " + setting_ + ".missing");
  }

  std::string class_list() const {
    return fmt::format("one of the {} classes {}{}", spec_.classes.size(),
                       join(spec_.classes, ", ", 20), indices_ ? " or an index from 0 on" : "");
  }

  void note_missing() {
    std::vector<std::string> texts;
    for (const auto& [key, count] : as_missing_) texts.push_back(shown(key));
    if (!texts.empty())
      findings_.notes.push_back(fmt::format("{}: {} of {} cells ({}) are read as not known",
                                            texts_.where, not_known_, cases_ * texts_.cells.size(),
                                            join(texts, ", ", 5)));
  }

  const ClassesOptions& options_;
  const LabelTexts& texts_;
  size_t cases_;
  std::string setting_;
  tables::NameReader names_;
  std::set<std::string> missing_;              // keys
  std::map<std::string, int64_t> as_missing_;  // keys of cells, not blank ones
  int64_t not_known_ = 0;
  std::vector<Case> cells_;
  bool indices_ = false;
  TargetSpec spec_;
  torch::Tensor values_;
  tables::Findings findings_;
  std::unordered_map<std::string, int64_t> index_;
};

}  // namespace

TargetPtr read_labels(const std::string& name, const ClassesOptions& options,
                      const LabelTexts& texts) {
  return Reader(name, options, texts).read();
}

}  // namespace fovea::targets
