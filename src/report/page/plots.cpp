#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "report/page/drawing.h"
#include "report/page/parts.h"

namespace fovea::report::page {
namespace {

constexpr int64_t kLargestPlot = 2'000'000;  // bytes

/// The drawing, or why there is none.
Drawing read(const std::filesystem::path& path, std::string_view prefix, std::string_view label,
             size_t room) {
  if (path.empty()) return {{}, "it lies outside of the folder of the report"};
  try {
    if (!storage::exists(path)) return {{}, "the file is missing"};
    Drawing read = drawing(storage::read_file(path, kLargestPlot), prefix, label);
    if (read.svg.size() > room) return {{}, "it is too large for this page"};
    return read;
  } catch (const Error& error) {
    return {
        {},
        error.fault() == Fault::data ? "it is too large for this page" : "the file cannot be read"};
  }
}

}  // namespace

std::filesystem::path below(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path inner = name;
  if (name.empty() || inner.is_absolute()) return {};
  for (const auto& part : inner)
    if (part == "..") return {};
  return folder / inner;
}

Html plots(const Node& target, Setting& setting) {
  Html figures;
  size_t index = 0;
  for (const Node& plot : target.items("plots")) {
    const std::string file = plot.text("file"), title = plot.text("title");
    if (file == "confusion_matrix.svg" && has_confusion(target)) continue;  // it is a table here
    const std::string folder = target.text("folder");
    const Drawing shown =
        read(below(setting.folder, folder.empty() ? file : folder + "/" + file),
             fmt::format("{}p{}-", setting.id, ++index), plot.text("alt"), setting.plot_bytes);
    if (shown.why_not.empty()) {
      setting.plot_bytes -= shown.svg.size();
      figures += html(
          "<figure class=\"plot\"><div "
          "class=\"paper\">{}</div><figcaption>{}</figcaption></figure>\n",
          {shown.svg, title});
    } else {
      figures += html(
          "<figure class=\"plot\"><p class=\"missing\">Not shown: {} "
          "(<bdi>{}</bdi>).</p><figcaption>{}</figcaption></figure>\n",
          {shown.why_not, file, title});
    }
  }
  return figures.empty() ? Html() : html("<div class=\"plots\">{}</div>\n", {figures});
}

}  // namespace fovea::report::page
