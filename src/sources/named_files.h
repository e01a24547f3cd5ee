// The files that a table names.
#pragma once

#include <map>

#include "fovea/sources/data_options.h"

namespace fovea::sources {

class NamedFiles {
 public:
  NamedFiles(const DataOptions& options, const inputs::Rows& rows)
      : options_(options), rows_(rows) {}

  /// The file of each row. A data Error for one outside the root; missing ones are kept for
  /// `refuse_missing`.
  std::vector<inputs::ListedFile> list(const inputs::FileColumn& where);
  /// A data Error that names the missing ones with their lines.
  void refuse_missing() const;

 private:
  void check_inside(const std::filesystem::path& root, const std::filesystem::path& path, size_t i);

  const DataOptions& options_;
  const inputs::Rows& rows_;
  std::vector<std::string> missing_;  // "line 3: scans/a.png"
  std::map<std::string, std::filesystem::path> real_folders_;
};

}  // namespace fovea::sources
