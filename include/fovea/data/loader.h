// Batches from a data set with threads in this process: ordered, bounded in memory, the same for
// any number of threads.
#pragma once

#include <iterator>
#include <optional>

#include "fovea/data/dataset.h"

namespace fovea {

struct LoaderOptions {
  int64_t batch_size = 32;
  int64_t threads = -1;           ///< 0: in the calling thread; -1: one per processor
  int64_t prefetch = 4;           ///< batches that are ready or being filled, at most
  int64_t queue_bytes = 1 << 30;  ///< the same in bytes; one batch is always allowed
  bool overlap = true;     ///< decode while the caller computes, too; false: only while it waits
  bool shuffle = false;    ///< a new permutation each epoch, a function of (seed, epoch)
  bool drop_last = false;  ///< leave out a last batch that is not full
  int64_t least = 1;       ///< cases; a last batch of fewer joins the one before it
  bool balanced = false;   ///< every class equally often, see Loader::order
  uint64_t seed = 1;
};

/// for (const Batch& batch : loader.epoch(3)) …
///
/// All threads work on the same batch, so that the first is ready soon, and go on with the next
/// ones while the caller computes, at a lower priority than the caller. Where it computes with
/// LibTorch on all processors, every case decoded meanwhile costs more than it saves, because
/// threads that wait for each other lose most: with `overlap` off the threads rest while the caller
/// computes, and have all processors while it waits for a batch. That is the choice for training on
/// the CPU; with a GPU leave it on.
///
/// The stream of a case in epoch e is Random(seed, Purpose::augment, e, position in the data set):
/// neither threads nor batch borders change an image. An exception of a thread reaches the caller
/// with the name of the case, in the order of the batches; all threads end. One case larger than
/// `queue_bytes` is a resource Error.
class Loader {
 public:
  /// `transform` may be empty.
  Loader(DatasetPtr data, ExampleTransform transform, LoaderOptions options);

  class Epoch;  ///< an input range of Batch

  /// The batches of one epoch, from batch `position` on (a resumed run starts in the middle).
  Epoch epoch(int64_t epoch, int64_t position = 0) const;
  int64_t batches() const;   ///< in one epoch
  int64_t examples() const;  ///< in one epoch
  int64_t joined() const;    ///< cases of a last batch that joined the one before it
  /// Balanced: how many cases each class of the first target has; -1 where it is not known, and of
  /// several labels at once their number where a case has none.
  std::vector<std::pair<int64_t, int64_t>> strata() const;
  /// The targets of batch `position` of an epoch, as Batch has them, without decoding a case.
  Batch targets(const std::vector<int64_t>& order, int64_t position) const;
  const Dataset& data() const { return *data_; }
  const LoaderOptions& options() const { return options_; }

  /// The cases of one epoch in their order: positions in the data set.
  ///
  /// Balanced: as many cases as the data set has, the same number (±1) of each class of the first
  /// target, so that rare ones come several times, each time with a stream of their own. Several
  /// labels at once: each label, and no label at all, counts as a class; so does a class that is not
  /// known. A config Error where the first target is a number.
  std::vector<int64_t> order(int64_t epoch) const;

 private:
  DatasetPtr data_;
  ExampleTransform transform_;
  LoaderOptions options_;
  std::vector<std::vector<int64_t>> strata_;  // cases by class, for balanced
  std::vector<int64_t> classes_;              // of each of them
};

/// Loading starts when the epoch is made and ends with it: leaving the loop early joins all
/// threads.
class Loader::Epoch {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Epoch& epoch) : epoch_(&epoch) {}
    Batch& operator*() const { return *epoch_->current_; }
    Batch* operator->() const { return &*epoch_->current_; }
    Iterator& operator++() {
      epoch_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !epoch_->current_; }

   private:
    Epoch* epoch_;
  };

  Epoch(Epoch&&) noexcept;
  ~Epoch();

  Iterator begin();  ///< once
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Loader;
  struct Work;
  explicit Epoch(std::unique_ptr<Work> work);
  void advance();

  std::unique_ptr<Work> work_;
  std::optional<Batch> current_;
};

}  // namespace fovea
