#include "fovea/data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <numeric>
#include <unordered_map>

#include "data/stack.h"
#include "fovea/core/error.h"
#include "fovea/data/parallel.h"

namespace fovea {
namespace {

constexpr const char* kLessMemory = "use fewer threads (LoaderOptions::threads) or smaller images";

// The exception being handled, as an Error that names the case.
std::exception_ptr about(const std::string& name) {
  const auto with_name = [&](Fault fault, const std::string& what, const std::string& remedy = "") {
    Error error(fault, what, remedy);
    error.add_place(name);
    return std::make_exception_ptr(error);
  };
  try {
    throw;
  } catch (Error& error) {
    error.add_place_once(name);
    return std::current_exception();
  } catch (const std::bad_alloc&) {
    return with_name(Fault::resources, "not enough memory to decode this case", kLessMemory);
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("can't allocate memory") != std::string::npos)
      return with_name(Fault::resources, "not enough memory for this case (" + what + ")",
                       kLessMemory);
    return with_name(Fault::internal, what);
  } catch (const std::exception& error) {
    return with_name(Fault::internal, error.what());
  } catch (...) {
    return with_name(Fault::internal, "an exception of unknown type");
  }
}

// One batch on its way. All but the stack is guarded by the mutex of Work.
struct Pending {
  Pending(int64_t size, const Schema& schema) : stack(size, schema) {}

  void fail(int64_t slot, std::exception_ptr what) {
    if (!error || slot < failed_slot) {
      error = std::move(what);
      failed_slot = slot;
    }
  }

  Stack stack;
  int64_t started = 0;
  int64_t finished = 0;
  int64_t failed_slot = 0;
  std::exception_ptr error;  // of the first slot that failed
};

// The classes that a case counts for.
std::vector<int64_t> strata_of(const torch::Tensor& target) {
  if (target.is_floating_point() && target.dim() == 0)
    throw config_error("LoaderOptions::balanced: the first target is a number, wanted classes",
                       "leave it out");
  if (target.dim() == 1 && !target.is_floating_point())
    throw config_error("LoaderOptions::balanced: the first target is tags, wanted classes",
                       "leave it out");
  if (target.dim() == 0) return {target.item<int64_t>()};
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < target.numel(); ++i)
    if (target[i].item<double>() > 0.5) labels.push_back(i);
  if (labels.empty()) labels.push_back(target.numel());
  return labels;
}

}  // namespace

// Cases are started in the order of the epoch, so whatever fails first in that order is found
// before anything after it is handed out.
struct Loader::Epoch::Work {
  DatasetPtr data;
  ExampleTransform transform;
  LoaderOptions options;
  int64_t epoch = 0;
  std::vector<int64_t> order;
  std::vector<int64_t> streams;  // of the augmentation, for each place in the order
  int64_t last = 0;              // batches in the epoch

  std::mutex mutex;
  std::condition_variable_any room;  // a worker may start on a case
  std::condition_variable ready;     // a batch is complete
  std::deque<Pending> pending;       // batches front, front + 1, … that were begun
  int64_t front = 0;
  int64_t next = 0;         // place in the order that nobody has started on
  int64_t batch_bytes = 0;  // of the largest batch so far; 0: unknown
  bool waiting = false;     // the caller, for the batch `front`
  bool failed = false;      // nothing more is started
  Workers workers;

  struct Item {
    Pending* batch;
    int64_t slot;
    int64_t place;
  };

  int64_t places() const { return static_cast<int64_t>(order.size()); }

  /// The last batch takes what is left.
  int64_t batch_of(int64_t place) const { return std::min(place / options.batch_size, last - 1); }

  bool ended() const { return failed || next >= places(); }

  bool may_start() const {
    if (!options.overlap && !(waiting && batch_of(next) == front)) return false;
    if (batch_of(next) < front + static_cast<int64_t>(pending.size())) return true;
    const int64_t fit = batch_bytes > 0 ? options.queue_bytes / batch_bytes : 1;
    return static_cast<int64_t>(pending.size()) < std::clamp<int64_t>(fit, 1, options.prefetch);
  }

  Item start() {
    const int64_t batch = batch_of(next);
    if (batch == front + static_cast<int64_t>(pending.size())) {
      const int64_t begin = batch * options.batch_size;
      const int64_t end = batch == last - 1 ? places() : begin + options.batch_size;
      pending.emplace_back(end - begin, data->schema());
    }
    Pending& home = pending[static_cast<size_t>(batch - front)];
    return {&home, home.started++, next++};
  }

  void run(const Item& item);
  void work(const std::stop_token& stop);
  bool complete() const;
  std::optional<Batch> take();
};

void Loader::Epoch::Work::run(const Item& item) {
  const auto place = static_cast<size_t>(item.place);
  const int64_t index = order[place];
  std::exception_ptr error;
  try {
    Random random(options.seed, Purpose::augment, static_cast<uint64_t>(epoch),
                  static_cast<uint64_t>(streams[place]));
    Example example = data->get(index);
    if (transform) example = transform(std::move(example), random);
    if (example.bytes() > options.queue_bytes)
      throw resource_error(
          fmt::format("the case holds {} bytes, more than all waiting batches together "
                      "may, {}",
                      example.bytes(), options.queue_bytes),
          "crop or resize it, or raise LoaderOptions::queue_bytes");
    item.batch->stack.put(item.slot, std::move(example), index);
  } catch (...) {
    error = about(data->name(index));
  }
  const int64_t bytes = item.batch->stack.bytes();
  const std::lock_guard lock(mutex);
  if (error) {
    item.batch->fail(item.slot, error);
    failed = true;
  }
  if (bytes > batch_bytes || error) room.notify_all();
  batch_bytes = std::max(batch_bytes, bytes);
  ++item.batch->finished;
  if (complete()) ready.notify_one();
}

bool Loader::Epoch::Work::complete() const {
  if (pending.empty()) return false;
  const Pending& batch = pending.front();
  return batch.finished == batch.stack.size() || (failed && batch.finished == batch.started);
}

void Loader::Epoch::Work::work(const std::stop_token& stop) {
  become_worker(options.overlap);
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex);
    if (!room.wait(lock, stop, [&] { return ended() || may_start(); }) || ended()) return;
    const Item item = start();
    lock.unlock();
    run(item);
  }
}

std::optional<Batch> Loader::Epoch::Work::take() {
  std::unique_lock lock(mutex);
  if (front == last) return std::nullopt;
  while (workers.size() == 0 && !complete()) {
    const Item item = start();
    lock.unlock();
    run(item);
    lock.lock();
  }
  waiting = true;
  if (!options.overlap) room.notify_all();
  ready.wait(lock, [&] { return complete(); });
  waiting = false;
  Pending& batch = pending.front();  // nobody else touches it any more
  if (batch.error) std::rethrow_exception(batch.error);
  lock.unlock();  // the others go on meanwhile
  Batch result = batch.stack.finish();
  lock.lock();
  pending.pop_front();
  ++front;
  room.notify_all();
  return result;
}

Loader::Epoch::Epoch(std::unique_ptr<Work> work) : work_(std::move(work)) {}
Loader::Epoch::Epoch(Epoch&&) noexcept = default;

Loader::Epoch::~Epoch() = default;

Loader::Epoch::Iterator Loader::Epoch::begin() {
  advance();
  return Iterator(*this);
}

void Loader::Epoch::advance() {
  current_.reset();  // first: its memory serves the next one
  current_ = work_->take();
}

Loader::Loader(DatasetPtr data, ExampleTransform transform, LoaderOptions options)
    : data_(std::move(data)), transform_(std::move(transform)), options_(options) {
  if (data_->size() == 0) throw data_error("loader: the data set has no cases, wanted at least 1");
  if (options_.batch_size < 1 || options_.prefetch < 1 || options_.queue_bytes < 1)
    throw config_error(fmt::format(
        "LoaderOptions: found batch_size {}, prefetch {}, queue_bytes {}; each must be at least 1",
        options_.batch_size, options_.prefetch, options_.queue_bytes));
  if (options_.threads < 0) options_.threads = processors();
  if (batches() == 0)
    throw config_error(
        fmt::format("loader: {} cases do not fill one batch of {}, and one that is not full is to "
                    "be left out (drop_last)",
                    data_->size(), options_.batch_size),
        "use smaller batches (LoaderOptions::batch_size)");
  if (!options_.balanced) return;
  std::map<int64_t, std::vector<int64_t>> by_class;
  for (int64_t i = 0; i < data_->size(); ++i) {
    const TensorMap targets = data_->targets(i);
    if (targets.empty())
      throw config_error("LoaderOptions::balanced needs a target, the data has none");
    for (const int64_t c : strata_of(targets.begin()->second)) by_class[c].push_back(i);
  }
  for (auto& [c, cases] : by_class) {
    classes_.push_back(c);
    strata_.push_back(std::move(cases));
  }
}

std::vector<std::pair<int64_t, int64_t>> Loader::strata() const {
  std::vector<std::pair<int64_t, int64_t>> all;
  for (size_t i = 0; i < strata_.size(); ++i)
    all.emplace_back(classes_[i], static_cast<int64_t>(strata_[i].size()));
  return all;
}

int64_t Loader::examples() const {
  return options_.drop_last ? batches() * options_.batch_size : data_->size();
}

int64_t Loader::batches() const {
  const int64_t full = data_->size() / options_.batch_size;
  const int64_t rest = data_->size() % options_.batch_size;
  return full + (!options_.drop_last && rest != 0 && joined() == 0);
}

int64_t Loader::joined() const {
  const int64_t rest = data_->size() % options_.batch_size;
  const bool joins = data_->size() > options_.batch_size && !options_.drop_last;
  return joins && rest < options_.least ? rest : 0;
}

Batch Loader::targets(const std::vector<int64_t>& order, int64_t position) const {
  const int64_t begin = position * options_.batch_size;
  const int64_t end = position + 1 == batches() ? examples() : begin + options_.batch_size;
  std::vector<Example> cases;
  const std::vector<int64_t> indices(order.begin() + begin, order.begin() + end);
  for (const int64_t i : indices)
    cases.push_back(
        {.id = data_->name(i), .group = "", .inputs = {}, .targets = data_->targets(i)});
  return collate(std::move(cases), indices, {.inputs = {}, .targets = data_->schema().targets});
}

std::vector<int64_t> Loader::order(int64_t epoch) const {
  const auto n = static_cast<size_t>(data_->size());
  std::vector<int64_t> order(n);
  if (options_.balanced) {
    // The classes in turn, and the cases of a class in turn, in a new order each time round.
    Random random(options_.seed, Purpose::sample, static_cast<uint64_t>(epoch));
    std::vector<std::vector<int64_t>> left(strata_.size());
    for (size_t i = 0; i < n; ++i) {
      std::vector<int64_t>& cases = left[i % left.size()];
      if (cases.empty()) random.shuffle(cases = strata_[i % left.size()]);
      order[i] = cases.back();
      cases.pop_back();
    }
  } else {
    std::iota(order.begin(), order.end(), 0);
  }
  if (options_.shuffle || options_.balanced) {
    Random random(options_.seed, Purpose::shuffle, static_cast<uint64_t>(epoch));
    random.shuffle(order);
  }
  order.resize(static_cast<size_t>(examples()));
  return order;
}

Loader::Epoch Loader::epoch(int64_t epoch, int64_t position) const {
  if (position < 0 || position > batches())
    throw config_error(fmt::format("loader: found batch {}, an epoch has {}", position, batches()));
  auto work = std::make_unique<Epoch::Work>();
  work->data = data_;
  work->transform = transform_;
  work->options = options_;
  work->epoch = epoch;
  work->order = order(epoch);
  work->streams.reserve(work->order.size());
  std::unordered_map<int64_t, int64_t> seen;
  for (const int64_t index : work->order)
    work->streams.push_back(index + (options_.balanced ? seen[index]++ * data_->size() : 0));
  work->last = batches();
  work->front = position;
  work->next = std::min(position * options_.batch_size, work->places());
  const int64_t cases = work->places() - work->next;
  const int64_t threads = std::min(options_.threads, cases);
  // Without any, `take` reads the cases itself.
  work->workers.start(threads, [w = work.get()](const std::stop_token& stop) { w->work(stop); });
  return Epoch(std::move(work));
}

}  // namespace fovea
