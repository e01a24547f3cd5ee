// One message for all that is wrong, so that a table is mended in one go.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/error.h"

namespace fovea::tables {

/// All that was wrong at once.
class SeveralErrors : public Error {
 public:
  SeveralErrors(Fault fault, std::string problem, std::vector<Error> errors, size_t count)
      : Error(fault, std::move(problem)), errors_(std::move(errors)), count_(count) {}
  const std::vector<Error>& errors() const { return errors_; }  ///< the first ones
  size_t count() const { return count_; }

 private:
  std::vector<Error> errors_;
  size_t count_;
};

class Problems {
 public:
  void add(Error error) {
    if (count_ == 0) first_ = std::make_exception_ptr(error);
    if (++count_ <= kShown) errors_.push_back(std::move(error));
  }

  /// Runs `body` and keeps the Error that leaves it, so that what comes next is looked at, too.
  template <class Body>
  void collect(Body&& body) {
    try {
      std::forward<Body>(body)();
    } catch (const SeveralErrors& several) {
      for (const Error& error : several.errors()) add(error);
      count_ += several.count() - several.errors().size();
    } catch (const Error& error) {
      const bool first = empty();
      add(error);
      if (first) first_ = std::current_exception();  // of its own type
    }
  }

  bool empty() const { return count_ == 0; }

  /// Throws the only Error as it is, of several one with all of them, of the first one's fault.
  void raise() const {
    if (count_ == 0) return;
    if (count_ == 1) std::rethrow_exception(first_);
    std::string text = fmt::format("found {} problems", count_);
    for (const Error& error : errors_) text += fmt::format("\n  {}", error.what());
    if (count_ > errors_.size()) text += fmt::format("\n  … and {} more", count_ - errors_.size());
    throw SeveralErrors(errors_[0].fault(), std::move(text), errors_, count_);
  }

 private:
  static constexpr size_t kShown = 20;
  size_t count_ = 0;
  std::exception_ptr first_;
  std::vector<Error> errors_;  // the first ones
};

}  // namespace fovea::tables
