// Settings are structs with defaults that describe themselves once:
//
//   struct AttentionOptions {
//     int64_t heads = 8;
//     double dropout = 0;
//     void describe(Fields& f) {
//       f("heads", heads, "must divide the width").above(0);
//       f("dropout", dropout, "on the attention weights, during training").between(0, 1);
//     }
//   };
//
// One visit reads them from a Node (unknown keys, wrong types and values out of range are errors
// that name file, line, key and the nearest known name), writes the resolved Node, or lists them
// for the documentation. An embedder ignores all that and writes AttentionOptions{.heads = 4}.
#pragma once

#include <optional>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/core/values.h"

namespace fovea {

/// One line of the documentation of a setting.
struct SettingRow {
  std::string name;      ///< "train.epochs"
  std::string type;      ///< "whole number"
  std::string fallback;  ///< the default, as it would be written
  std::string range;     ///< "above 0"
  std::string help;
};

/// The rules about one setting; each is checked as soon as it is stated. On lists the rule holds
/// for every item.
template <class T>
class Field {
 public:
  Field(Fields& fields, std::string_view name, const T& value)
      : fields_(fields), name_(name), value_(value) {}

  Field& above(double low) {
    return numeric("above " + number(low), [=](double v) { return v > low; });
  }
  Field& at_least(double low) {
    return numeric("at least " + number(low), [=](double v) { return v >= low; });
  }
  Field& below(double high) {
    return numeric("below " + number(high), [=](double v) { return v < high; });
  }
  Field& between(double low, double high) {
    return numeric(number(low) + " to " + number(high),
                   [=](double v) { return v >= low && v <= high; });
  }
  Field& one_of(const std::vector<std::string>& known);
  Field& one_of(std::initializer_list<int64_t> known);
  Field& required();
  /// The setting cannot change a number (logging, threads of the loader): a resumed run may differ
  /// in it.
  Field& cosmetic();

 private:
  template <class Check>
  Field& numeric(const std::string& range, Check check);

  Fields& fields_;
  std::string name_;
  const T& value_;
};

class Fields {
 public:
  /// Visits `value` and returns the rules' chain. The name is the key; the first field also takes
  /// the short form
  /// `{resize: 224}` of a named thing.
  template <class T>
  Field<T> operator()(std::string_view name, T& value, std::string_view help);

  /// Reads `node` into `settings`; keys that no field asked for are errors. `shorthand` allows a
  /// bare value for the first field.
  template <class Settings>
  static void read(const Node& node, Settings& settings, bool shorthand = false);
  /// The resolved settings: every key with its value.
  template <class Settings>
  static Node write(const Settings& settings);
  /// The documentation of every field, nested structs included with dotted names.
  template <class Settings>
  static std::vector<SettingRow> list(const Settings& settings);

 private:
  enum class Mode { read, write, list };
  template <class>
  friend class Field;

  void begin_reading(const Node& node, bool shorthand);
  const Node* take(std::string_view name);
  void finish_reading() const;
  [[noreturn]] void refuse(std::string_view name, const std::string& found,
                           const std::string& wanted) const;

  Mode mode_ = Mode::read;
  const Node* source_ = nullptr;  // read
  bool shorthand_ = false;
  std::vector<std::string> known_;
  Node result_;                   // write
  std::vector<SettingRow> rows_;  // list
};

// --- templates
// ------------------------------------------------------------------------------------------------------

template <class T>
Field<T> Fields::operator()(std::string_view name, T& value, std::string_view help) {
  switch (mode_) {
    case Mode::read:
      if (const Node* node = take(name)) read_value(*node, value);
      break;
    case Mode::write: {
      Node written = write_value(value);
      result_.at(name) = std::move(written);
      break;
    }
    case Mode::list:
      if constexpr (DescribesItself<T>) {
        for (SettingRow row : list(value)) {
          row.name = std::string(name) + "." + row.name;
          rows_.push_back(std::move(row));
        }
      } else {
        rows_.push_back({std::string(name), type_name(value), inline_text(write_value(value)), "",
                         std::string(help)});
      }
  }
  return {*this, name, value};
}

template <class Settings>
void Fields::read(const Node& node, Settings& settings, bool shorthand) {
  Fields fields;
  fields.begin_reading(node, shorthand);
  settings.describe(fields);
  fields.finish_reading();
}

template <class Settings>
Node Fields::write(const Settings& settings) {
  Fields fields;
  fields.mode_ = Mode::write;
  fields.result_.kind = Node::Kind::map;
  Settings copy = settings;
  copy.describe(fields);
  return std::move(fields.result_);
}

template <class Settings>
std::vector<SettingRow> Fields::list(const Settings& settings) {
  Fields fields;
  fields.mode_ = Mode::list;
  Settings copy = settings;
  copy.describe(fields);
  return std::move(fields.rows_);
}

template <class T>
template <class Check>
Field<T>& Field<T>::numeric(const std::string& range, Check check) {
  if (fields_.mode_ == Fields::Mode::list) {
    if (!fields_.rows_.empty()) fields_.rows_.back().range = range;
    return *this;
  }
  for_each_number(value_, [&](double v) {
    if (!check(v)) fields_.refuse(name_, number(v), range);
  });
  return *this;
}

template <class T>
Field<T>& Field<T>::one_of(const std::vector<std::string>& known) {
  if (fields_.mode_ == Fields::Mode::list) {
    fields_.rows_.back().range = join(known, " | ");
    return *this;
  }
  for_each_text(value_, [&](const std::string& text) {
    if (std::ranges::find(known, text) != known.end()) return;
    const std::string near = nearest(text, known);
    fields_.refuse(name_, "'" + text + "'",
                   (near.empty() ? "" : "did you mean '" + near + "'? ") +
                       std::string("known here: ") + join(known));
  });
  return *this;
}

template <class T>
Field<T>& Field<T>::one_of(std::initializer_list<int64_t> known) {
  std::vector<std::string> names;
  for (const int64_t one : known) names.push_back(std::to_string(one));
  if (fields_.mode_ == Fields::Mode::list) {
    fields_.rows_.back().range = join(names, " | ");
    return *this;
  }
  for_each_number(value_, [&](double v) {
    if (std::ranges::find(known, static_cast<int64_t>(v)) == known.end())
      fields_.refuse(name_, number(v), "one of " + join(names));
  });
  return *this;
}

template <class T>
Field<T>& Field<T>::required() {
  if (fields_.mode_ == Fields::Mode::list) fields_.rows_.back().fallback = "required";
  // The short form sets the first field alone.
  if (fields_.mode_ == Fields::Mode::read &&
      (fields_.shorthand_ ? name_ != fields_.known_.front() : !fields_.source_->find(name_)))
    throw config_error(place(*fields_.source_) + "the key '" + name_ +
                       "' is missing and has no default");
  return *this;
}

template <class T>
Field<T>& Field<T>::cosmetic() {
  if (fields_.mode_ == Fields::Mode::write) fields_.result_.entries.back().cosmetic = true;
  return *this;
}

// Settings within settings, as values.h declares them.
template <DescribesItself T>
void read_value(const Node& node, T& value) {
  Fields::read(node, value);
}
template <DescribesItself T>
Node write_value(const T& value) {
  return Fields::write(value);
}

}  // namespace fovea
