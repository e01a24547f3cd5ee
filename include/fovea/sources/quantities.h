// What can be said of each case in numbers and categories: of images their size, spacing and intensity, of
// texts and series their length, of tables their columns, of targets their classes. By it one set of cases is
// compared with another.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fovea/data/dataset.h"
#include "fovea/sources/source.h"

namespace fovea::sources {

struct Quantity {
  std::string of;    ///< the input, or the target
  std::string name;  ///< "width", "mean intensity", "age"
  bool category = false;
  std::vector<double> numbers = {};          ///< of each case; NaN where missing
  std::vector<std::string> categories = {};  ///< of each case; empty where missing
};

/// The cases of a split, or of "all".
std::vector<int64_t> cases_of(const Source& source, const std::string& split);

/// The patient of each case, as metrics::Clusters has them.
std::vector<uint32_t> patients_of(const Dataset& data, const std::vector<int64_t>& cases);

/// Of the cases at these places, without reading a file: columns of tables, and targets.
std::vector<Quantity> known_quantities(const Source& source, const std::vector<int64_t>& cases);

/// The cases of another data set, whose images, texts and series are measured as they are read. Safe from many
/// threads; memory for a few numbers per case.
class Measured final : public Dataset {
 public:
  explicit Measured(DatasetPtr data);

  int64_t size() const override { return data_->size(); }
  Example get(int64_t index) const override;
  const Schema& schema() const override { return data_->schema(); }
  std::string id(int64_t index) const override { return data_->id(index); }
  TensorMap targets(int64_t index) const override { return data_->targets(index); }
  std::string group(int64_t index) const override { return data_->group(index); }
  std::string name(int64_t index) const override { return data_->name(index); }

  /// Of all cases; missing of those that were not read, or lack the input.
  std::vector<Quantity> quantities() const;

 private:
  using Key = std::pair<std::string, std::string>;  // input and name

  DatasetPtr data_;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<Key, std::vector<double>>> numbers_;  // of each case
};

}  // namespace fovea::sources
