// Small pictures of the cases that were decided wrongly, for the page of a report.
#pragma once

#include <filesystem>
#include <string>

#include "fovea/data/dataset.h"
#include "fovea/report/section.h"

namespace fovea::commands {

/// Writes failures/0001.png … below `folder`, one for each different case that has an image (of a volume its
/// middle slice), and puts them and the places of the cases' files into the sections. Pictures of an
/// evaluation before are removed. Where names are hidden there is no link. A case that cannot be read any more is
/// left without a picture.
void add_failure_images(std::vector<report::Section>& sections, const Dataset& cases,
                        const std::filesystem::path& folder);

}  // namespace fovea::commands
