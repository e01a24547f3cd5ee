// `fovea list` and docs/configuration.md: what the catalogues and the settings say of themselves.
#include <fmt/format.h>

#include <iostream>

#include "fovea/commands/commands.h"
#include "fovea/config/run_config.h"
#include "fovea/core/text.h"
#include "fovea/formats/formats.h"
#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/regression.h"
#include "fovea/nn/blocks.h"
#include "fovea/phantom/phantom.h"
#include "fovea/tasks/losses.h"
#include "fovea/text/tokenizers.h"
#include "fovea/train/optimizers.h"
#include "fovea/train/schedules.h"

namespace fovea::commands {
namespace {

const std::vector<const CatalogueBase*>& catalogues() {
  static const std::vector<const CatalogueBase*> all{&inputs::input_types(),
                                                     &targets::target_types(),
                                                     &text::tokenizers(),
                                                     &nn::encoders(),
                                                     &nn::fusions(),
                                                     &nn::blocks(),
                                                     &transforms::transforms(),
                                                     &transforms::batch_transforms(),
                                                     &tasks::tasks(),
                                                     &tasks::losses(),
                                                     &train::optimizers(),
                                                     &train::schedules()};
  return all;
}

std::string row_text(const SettingRow& row) {
  return fmt::format("{} ({}{}; default {}): {}", row.name, row.type,
                     row.range.empty() ? "" : ", " + row.range, row.fallback, row.help);
}

void print_settings(const std::vector<SettingRow>& rows) {
  for (const SettingRow& row : rows) std::cout << "    " << row_text(row) << '\n';
}

void print_line(std::string_view name, std::string_view help) {
  std::cout << fmt::format("{:<22} {}\n", name, help);
}

/// Markdown tables break at a bar.
std::string cell(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.replace(at, 1, "\\|");
  return text;
}

std::string table(const std::vector<SettingRow>& rows) {
  std::string text =
      "| key | type | default | range | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const SettingRow& row : rows)
    text += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", row.name, cell(row.type),
                        cell(row.fallback), cell(row.range), cell(row.help));
  return text;
}

/// Everything that `best` may name.
template <class Each>
void for_each_metric(const Each& each) {
  for (const auto& metric : metrics::catalogue()) each(metric.name, metric.help, metric.goal);
  for (const auto& metric : metrics::regression_catalogue())
    each(metric.name, metric.help, metric.goal);
  each("precision", "for entities: share of those found that are correct; f1 combines both",
       metrics::kHigher);
  each("recall", "for entities: share of the true ones that were found", metrics::kHigher);
  each("token_accuracy", "for entities: share of the tokens that have the correct tag",
       metrics::kHigher);
  each("loss", "for any task: the training loss, over the validation cases", metrics::kLower);
}

}  // namespace

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const CatalogueBase* catalogue : catalogues()) names.push_back(catalogue->family());
  for (const char* name : {"metrics", "formats", "phantom", "configuration"})
    names.emplace_back(name);
  return names;
}

std::vector<std::string> configuration_keys() {
  std::vector<std::string> keys;
  for (const SettingRow& row : Fields::list(config::RunConfig{})) keys.push_back(row.name);
  return keys;
}

int list(const std::string& family, bool verbose) {
  for (const CatalogueBase* catalogue : catalogues()) {
    if (catalogue->family() != family) continue;
    for (const CatalogueBase::Row& row : catalogue->rows()) {
      print_line(row.name, row.help);
      if (verbose) print_settings(row.defaults()->list());
    }
    return 0;
  }
  if (family == "metrics") {
    for_each_metric([](std::string_view name, std::string_view help, const metrics::Goal& goal) {
      print_line(name, fmt::format("{} (best: {})", help, metrics::words(goal)));
    });
  } else if (family == "formats") {
    for (const formats::Format& format : formats::formats()) print_line(format.name, format.help);
  } else if (family == "phantom") {
    print_settings(Fields::list(phantom::PhantomOptions{}));
  } else if (family == "configuration") {
    std::cout << configuration_reference();
  } else {
    const std::string near = nearest(family, families());
    throw config_error(
        "list: found the family '" + family + "'",
        (near.empty() ? "" : "did you mean '" + near + "'? ") + "known: " + join(families()));
  }
  return 0;
}

std::string configuration_reference() {
  std::string text =
      "# Configuration\n\n"
      "Every key of a config file, printed from the settings themselves by `fovea list "
      "configuration`; a test fails when "
      "this page is stale.\n\n"
      "A named thing is written `name` or `{name: {settings}}`; where one value is enough, `{name: "
      "value}` sets its first "
      "setting. Paths are relative to the folder of the file, those of `--set` and of "
      "`${VARIABLES}` to "
      "the working folder. "
      "Unknown keys, keys written twice, wrong types and values out of range are errors that name "
      "file and line.\n\n"
      "## Keys\n\n" +
      table(Fields::list(config::RunConfig{}));
  for (const CatalogueBase* catalogue : catalogues()) {
    text += fmt::format("\n## The {}\n", catalogue->family());
    for (const CatalogueBase::Row& row : catalogue->rows()) {
      text += fmt::format("\n### `{}`\n\n{}\n", row.name, row.help);
      const std::vector<SettingRow> rows = row.defaults()->list();
      if (!rows.empty()) text += fmt::format("\n{}", table(rows));
    }
  }
  text += "\n## The metrics\n\n| name | meaning | best |\n| --- | --- | --- |\n";
  for_each_metric([&](std::string_view name, std::string_view help, const metrics::Goal& goal) {
    text +=
        fmt::format("| `{}` | {} | {} |\n", name, cell(std::string(help)), metrics::words(goal));
  });
  return text;
}

}  // namespace fovea::commands
