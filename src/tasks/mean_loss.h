// The loss as a figure.
#pragma once

#include <cmath>

#include "fovea/tasks/task.h"

namespace fovea::tasks {

class MeanLoss {
 public:
  void add(double loss, int64_t cases) {
    sum_ += loss * static_cast<double>(cases);
    cases_ += cases;
  }
  int64_t cases() const { return cases_; }
  NamedFigure figure() const {
    NamedFigure figure{.name = "loss", .why_undefined = "", .higher_is_better = false};
    if (cases_ > 0) figure.value = sum_ / static_cast<double>(cases_);
    if (!std::isfinite(figure.value))
      figure.why_undefined = cases_ > 0 ? "not finite, or not computed" : "no case was evaluated";
    return figure;
  }

 private:
  double sum_ = 0;
  int64_t cases_ = 0;
};

}  // namespace fovea::tasks
