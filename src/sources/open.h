// The three types of source.
#pragma once

#include "fovea/inputs/image.h"
#include "fovea/sources/source.h"
#include "fovea/targets/classes.h"

namespace fovea::sources {

/// The folder that names in a table are relative to: the root, else the table's own.
inline std::filesystem::path folder_of(const DataOptions& options,
                                       const std::filesystem::path& table) {
  const std::filesystem::path folder = options.root.empty() ? table.parent_path() : options.root;
  return folder.empty() ? std::filesystem::current_path() : folder;
}

/// How `options` say that the files and cells of an input are read; `table`: the one that names them.
inputs::ReadOptions read_options(const DataOptions& options, const std::string& input,
                                 const std::filesystem::path& table = {});

Source open_table(const DataOptions& options, uint64_t seed, const Named<Node>& fitted);
Source open_folder(const DataOptions& options, uint64_t seed);
Source open_npz(const DataOptions& options);  // its own splits

/// Puts targets and splits into `source` and checks what holds for every type: a split name for
/// each case, no patient in two splits (`place` says where a case is listed), every class in the
/// training split.
void finish(Source& source, const std::vector<targets::TargetPtr>& targets,
            const std::vector<std::string>& groups,
            const std::function<std::string(size_t)>& place);

/// The name and settings of the only target (or input) that a folder or an archive has.
template <class Options>
std::pair<std::string, Options> only(const Named<Options>& named, const char* what,
                                     const char* fallback) {
  if (named.empty()) return {fallback, Options()};
  if (named.size() > 1)
    throw config_error(std::string("DataOptions::") + what + ": found " +
                       std::to_string(named.size()) +
                       " entries, wanted one: only a table can hold several");
  return *named.begin();
}

/// The same for the input, which is an image.
inline std::pair<std::string, inputs::ImageOptions> only_image(const inputs::Inputs& inputs) {
  const auto [name, input] = only(inputs, "inputs", "image");
  return {name, inputs::image_options(name, input)};
}

/// The same for the target, which is of classes.
inline std::pair<std::string, targets::ClassesOptions> only_classes(
    const targets::Targets& targets) {
  const auto [name, target] = only(targets, "targets", "label");
  return {name, targets::classes_options(name, target)};
}

}  // namespace fovea::sources
