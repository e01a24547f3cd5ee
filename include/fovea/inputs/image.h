// Images and volumes as an input: a file per case.
#pragma once

#include "fovea/inputs/inputs.h"

namespace fovea::inputs {

struct ImageOptions {
  std::string column{};  // of the table: the file of the case
  std::string folder{};  // put in front of the column's text
  int64_t channels = 0;  // 0: as stored, 1: colour becomes grey, 3: colour wanted
  std::string axes{};    // of NumPy arrays
  bool optional = false;

  void describe(Fields& f) {
    f("column", column, "column of the table with the file of the case");
    f("folder", folder, "folder under the root that the column's paths are relative to");
    f("channels", channels,
      "0: as stored, or 1 if some images are grey and some are colour; 1: colour is converted to "
      "grey; 3: images must be colour")
        .one_of({0, 1, 3});
    f("axes", axes,
      "the axes of NumPy arrays (channels, depth, height, width); default: inferred from their "
      "lengths, and refused where these are ambiguous")
        .one_of({"", "hw", "hwc", "chw", "dhw", "dhwc", "cdhw"});
    f("optional", optional, kOptionalHelp);
  }
};
InputType image_input(const ImageOptions& options);

/// Images of files that stand in no table. Where the settings leave the channels open and somebody
/// takes the `findings`, all headers are read to choose them.
InputPtr image_files(const std::string& name, std::vector<ListedFile> files,
                     const ImageOptions& options, const ReadOptions& read,
                     tables::Findings* findings);

/// The settings of an input that must be an image; else a config Error.
ImageOptions image_options(const std::string& name, const InputChoice& input);

}  // namespace fovea::inputs
