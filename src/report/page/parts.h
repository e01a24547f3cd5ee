// The parts of the page, in their order. Each is empty where the document has nothing for it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "report/page/document.h"
#include "report/page/html.h"

namespace fovea::report::page {

/// What all parts of a target need.
struct Setting {
  std::filesystem::path folder;  // of the report
  bool images = true;
  double level = 0.95;
  std::string name = {};    // of the target
  std::string id = {};      // of the target, "t1": what its ids begin with
  size_t plot_bytes = 0;    // room that is left for drawings; falls
  size_t image_bytes = 0;   // and for thumbnails
  int64_t images_left = 0;  // thumbnails that may still be shown
};

/// A table of the target in a box that scrolls (html.h).
Html scrolling(const Setting& setting, std::string_view label, const Html& table);

/// A chapter of a target, for the list of contents.
struct Chapter {
  std::string id, title;
};

struct Target {
  Html content;
  std::vector<Chapter> chapters;

  /// A part under a heading of its own, where it has content.
  void add(const Setting& setting, std::string_view id, std::string_view title, const Html& part);
};

// --- summary.cpp
Html masthead(const Node& report);
/// How many patients a target or the data have, or that nobody named them.
Html patients_of(const Node& of);
Html summary(const Node& report, bool images);
Html warnings_of(const Node& target, std::string_view about);

// --- figures.cpp
/// Name, value, interval, n and method of each metric.
Html figures_table(const std::vector<Node>& figures, const Setting& setting);
/// One row for each of `rows` (a class, a group), one column for each metric.
Html per_class(const Node& target, const Setting& setting);
/// Value and interval of a cell, or why there is none.
Html figure_cell(const Node& figure);

// --- decision.cpp
Html operating_points(const Node& report, const Node& target, const Setting& setting);
// --- thresholds.cpp
Html other_thresholds(const Node& target, const Setting& setting);
// --- confusion.cpp
Html confusion(const Node& target, const Setting& setting);
/// Whether there is a matrix that is small enough to be read.
bool has_confusion(const Node& target);

// --- plots.cpp
Html plots(const Node& target, Setting& setting);
/// A file that a report names, below its folder; nothing where it would lie elsewhere.
std::filesystem::path below(const std::filesystem::path& folder, const std::string& name);

// --- tables.cpp
Html table(const Node& table, const Setting& setting);
Html drift(const Node& report);
// --- subgroups.cpp
Html subgroups(const Node& target, const Setting& setting);
// --- failures.cpp
Html failures(const Node& target, Setting& setting);

// --- ending.cpp
Html data_part(const Node& report);
Html card(const Node& report);
Html making(const Node& report);

}  // namespace fovea::report::page
