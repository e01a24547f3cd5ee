#include "fovea/report/stored.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "report/page/document.h"

namespace fovea::report {
namespace {

namespace fs = std::filesystem;
using metrics::Mode;
using page::Node;

/// predictions.csv of a target, whose rows are its cases.
class Rows {
 public:
  explicit Rows(const fs::path& folder) : table_(storage::read_csv(folder / "predictions.csv")) {}

  int64_t size() const { return table_.rows(); }
  std::string text(int64_t row, std::string_view column) const {
    return std::string(table_.cell(row, table_.column(column)));
  }
  double number(int64_t row, const std::string& column) const {
    const std::string_view cell = table_.cell(row, table_.column(column));
    double value = 0;
    const auto [end, failed] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (failed != std::errc() || end != cell.data() + cell.size())
      throw data_error(fmt::format("{}: {}, column '{}': found no number", table_.name(),
                                   table_.place(row), column),
                       "evaluate once more");
    return value;
  }
  /// Which of the classes stands in a cell. A name that a spreadsheet would run has an apostrophe in front.
  int class_of(int64_t row, const std::string& column,
               const std::vector<std::string>& classes) const {
    const std::string cell = text(row, column);
    for (size_t k = 0; k < classes.size(); ++k)
      if (cell == classes[k] || cell == "'" + classes[k]) return static_cast<int>(k);
    throw data_error(fmt::format("{}: {}, column '{}': found none of the classes", table_.name(),
                                 table_.place(row), column),
                     "evaluate once more");
  }
  void put_names(StoredTarget& target) const {
    const bool grouped = table_.find_column("group").has_value();
    for (int64_t i = 0; i < size(); ++i) {
      target.ids.push_back(text(i, "id"));
      if (grouped) target.groups.push_back(text(i, "group"));
    }
  }

 private:
  storage::Table table_;
};

std::vector<std::string> class_names(const Node& target) {
  std::vector<std::string> names;
  for (const Node& one : target.items("classes")) names.push_back(one.text("name"));
  return names;
}

void read_classes(StoredTarget& target, const Node& node, const fs::path& folder, Mode mode) {
  const Rows rows(folder);
  metrics::Predictions predictions;
  predictions.mode = mode;
  predictions.classes = class_names(node);
  if (mode == Mode::binary) {
    const auto positive = std::ranges::find(predictions.classes, node.text("positive_class"));
    predictions.positive = static_cast<size_t>(positive - predictions.classes.begin());
  }
  for (const Node& point : node.at("decision").items("points"))
    predictions.points.push_back({point.number("threshold").value_or(0.5), point.text("chosen")});
  rows.put_names(target);
  predictions.ids = target.ids;
  predictions.groups = target.groups;
  for (int64_t i = 0; i < rows.size(); ++i) {
    for (const std::string& name : predictions.classes)
      predictions.probabilities.push_back(rows.number(i, "p_" + name));
    std::string truth;
    if (mode == Mode::multilabel) {
      for (const std::string& name : predictions.classes) {
        const bool blank = rows.text(i, "label_" + name).empty();
        predictions.labels.push_back(blank ? metrics::kUnknown
                                           : static_cast<int>(rows.number(i, "label_" + name)));
        truth += fmt::format("{} ", predictions.labels.back());
      }
    } else {
      predictions.labels.push_back(rows.class_of(i, "label", predictions.classes));
      truth = predictions.classes[static_cast<size_t>(predictions.labels.back())];
    }
    target.truths.push_back(std::move(truth));
  }
  target.cases = metrics::evaluated(predictions);
}

void read_numbers(StoredTarget& target, const fs::path& folder) {
  const Rows rows(folder);
  rows.put_names(target);
  metrics::Numbers numbers;
  numbers.ids = target.ids;
  numbers.groups = target.groups;
  for (int64_t i = 0; i < rows.size(); ++i) {
    numbers.targets.push_back(rows.number(i, "target"));
    numbers.predicted.push_back(rows.number(i, "predicted"));
    target.truths.push_back(rows.text(i, "target"));
  }
  target.cases = metrics::evaluated(std::move(numbers));
}

std::vector<metrics::Entity> entities_of(const Node& list, const std::vector<std::string>& types) {
  std::vector<metrics::Entity> entities;
  for (const Node& one : list.items()) {
    const std::vector<Node> parts = one.items();
    if (parts.size() != 3) throw one.wrong("found no [begin, end, label]");
    const auto type = std::ranges::find(types, parts[2].text());
    if (type == types.end()) throw one.wrong("found a label that the model does not know");
    entities.push_back(
        {parts[0].count(), parts[1].count(), static_cast<size_t>(type - types.begin())});
  }
  return entities;
}

void read_entities(StoredTarget& target, const Node& node, const fs::path& folder) {
  const std::vector<std::string> types = class_names(node);
  const std::string lines = storage::read_file(folder / "entities.jsonl");
  std::vector<metrics::TaggedText> texts;
  size_t number = 0;
  for (size_t begin = 0, end = 0; begin < lines.size(); begin = end + 1) {
    end = std::min(lines.find('\n', begin), lines.size());
    within(fmt::format("{}:{}", storage::shown(folder / "entities.jsonl"), ++number), [&] {
      const page::Json json = page::Json::parse(lines.substr(begin, end - begin), nullptr, false);
      if (json.is_discarded()) throw data_error("found no JSON", "evaluate once more");
      const Node line(json);
      metrics::TaggedText text;
      text.truth = entities_of(line.at("truth"), types);
      text.found = entities_of(line.at("found"), types);
      text.tokens = line.maybe_count("tokens").value_or(0);
      text.right_tokens = line.maybe_count("right_tokens").value_or(0);
      target.ids.push_back(line.text("id"));
      target.groups.push_back(line.text_or("group", ""));
      target.truths.push_back(json.at("truth").dump());
      texts.push_back(std::move(text));
    });
  }
  target.cases = metrics::evaluated(texts, types);
}

}  // namespace

StoredEvaluation read_evaluation(const fs::path& folder) {
  const fs::path file = folder / "report.json";
  return within(storage::shown(file), [&] {
    const page::Json json = page::parsed(storage::read_file(file));
    const Node report(json);
    StoredEvaluation all{folder, report.text("title"), report.text("split"), {}};
    for (const Node& node : report.items("targets")) {
      StoredTarget target{.name = node.text("name"),
                          .type = node.text("type"),
                          .ids = {},
                          .groups = {},
                          .truths = {},
                          .cases = nullptr};
      const fs::path own = folder / node.text("folder");
      if (node.count("n") == 0)
        throw data_error(
            fmt::format("the target '{}' has no case that was evaluated", target.name));
      if (target.type == "regression")
        read_numbers(target, own);
      else if (target.type == "tagging")
        read_entities(target, node, own);
      else
        for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel})
          if (name_of(mode) == target.type) read_classes(target, node, own, mode);
      if (!target.cases) throw node.at("type").wrong("found a type that this fovea does not know");
      all.targets.push_back(std::move(target));
    }
    return all;
  });
}

}  // namespace fovea::report
