// The page of an evaluation: one HTML file that stands alone, without scripts, fonts or pictures from
// elsewhere.
//
// It shows what report.json says (docs/report.schema.json) and computes nothing but the proportions of
// a threshold that a reader moves. Texts are escaped, whatever they hold.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::report {

/// The version of the layout of report.json; it rises when a key changes its meaning.
inline constexpr int kReportSchema = 1;

/// Bytes that thumbnails and plots do not push the page beyond.
inline constexpr size_t kLargestPage = 4'800'000;

struct PageOptions {
  bool images = true;  ///< thumbnails of cases and links to their files, which are patient data
};

/// The page of a report.json, with the plots and thumbnails that lie below `folder`. What of these is
/// missing, is damaged or has no room is said in its place. A data Error, with the place in the
/// document, where `report_json` is damaged or of a later version.
std::string report_page(std::string_view report_json, const std::filesystem::path& folder,
                        const PageOptions& options = {});

/// Writes folder/report.html from folder/report.json, as a whole, and returns its path. Errors: data
/// as above; io where a file cannot be read or written.
std::filesystem::path write_report_page(const std::filesystem::path& folder,
                                        const PageOptions& options = {});

}  // namespace fovea::report
