// A Dataset yields examples by position. Everything that changes one (subset, cache, transform) is
// a wrapper over it.
#pragma once

#include <functional>
#include <memory>

#include "fovea/core/random.h"
#include "fovea/data/example.h"

namespace fovea {

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  /// Decodes case `index`. Called from many threads at once. Errors name the file. The tensors may
  /// be shared with the data set: nobody writes into them.
  virtual Example get(int64_t index) const = 0;
  /// What all cases have in common. Default: every input and target has one size and is in every
  /// case.
  virtual const Schema& schema() const;
  /// The id that `get` gives the case; by default it asks that.
  virtual std::string id(int64_t index) const { return get(index).id; }
  /// The targets alone, without decoding anything.
  virtual TensorMap targets(int64_t index) const = 0;
  /// The patient of the case without decoding; "" where unknown.
  virtual std::string group(int64_t index) const = 0;
  /// What a message calls the case: its path, or "file.npz[12]".
  virtual std::string name(int64_t index) const = 0;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// The cases at `indices`, in that order.
DatasetPtr subset(DatasetPtr data, std::vector<int64_t> indices);

/// Keeps decoded examples in memory until `max_bytes` are held; later ones are decoded each time.
/// Safe from many threads.
DatasetPtr cached(DatasetPtr data, int64_t max_bytes);

/// What changes an example; the Random is the example's own stream. Pure: it does not write into
/// the tensors it was given.
using ExampleTransform = std::function<Example(Example, Random&)>;

}  // namespace fovea
