#include <fmt/format.h>

#include <iostream>

#include "fovea/commands/commands.h"
#include "fovea/config/version.h"
#include "fovea/core/error.h"
#include "fovea/report/comparison.h"
#include "fovea/report/page.h"
#include "fovea/storage/file.h"

namespace fovea::commands {
namespace {

namespace fs = std::filesystem;

/// The folder of an evaluation: this one, or that of the split in a run or a bundle.
fs::path evaluation_in(const fs::path& folder, const std::string& split) {
  const fs::path within = folder / ("eval-" + split);
  for (const fs::path& one : {folder, within})
    if (storage::exists(one / "report.json")) return one;
  throw data_error(
      fmt::format("{}: found no report.json, neither in it nor in {}", storage::shown(folder),
                  storage::shown(within)),
      fmt::format("evaluate it first: fovea eval {} --split {}", storage::shown(folder), split));
}

}  // namespace

int report(const ReportRequest& request) {
  const fs::path folder = evaluation_in(request.folder, request.split);
  std::cout << report::write_report_page(folder, {.images = request.images}).string() << std::endl;
  return 0;
}

int compare(const CompareRequest& request) {
  std::vector<report::StoredEvaluation> evaluations;
  for (const fs::path& folder : request.folders)
    evaluations.push_back(report::read_evaluation(evaluation_in(folder, request.split)));
  metrics::BootstrapOptions bootstrap;
  bootstrap.replicates = request.replicates;
  const report::Comparison comparison = report::compare_evaluations(evaluations, bootstrap);
  const fs::path out = request.out.empty() ? fs::path("compare") : request.out;
  storage::make_folder(out);
  storage::write_file_atomically(out / "compare.json", report::comparison_json(comparison));
  storage::write_file_atomically(out / "compare.html",
                                 report::comparison_page(comparison, config::version_text()));
  std::cout << "the comparison is " << (out / "compare.html").string()
            << "; compare.json is beside it\n"
            << report::comparison_text(comparison) << std::flush;
  return 0;
}

}  // namespace fovea::commands
