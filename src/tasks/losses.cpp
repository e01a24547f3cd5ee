// The table of losses. To add one: a file like losses/focal.cpp, and a line here.
#include "fovea/tasks/losses.h"

#include "fovea/tasks/losses/bce.h"
#include "fovea/tasks/losses/cross_entropy.h"
#include "fovea/tasks/losses/focal.h"
#include "fovea/tasks/losses/huber.h"
#include "fovea/tasks/losses/mae.h"
#include "fovea/tasks/losses/mse.h"

namespace fovea::tasks {

LossTable& losses() {
  static LossTable table(
      "losses",
      {
          LossTable::item<CrossEntropyOptions>(
              "cross_entropy", "one class per case; softmax and negative log likelihood",
              cross_entropy),
          LossTable::item<BceOptions>("bce", "several labels at once; sigmoid and log likelihood",
                                      binary_cross_entropy),
          LossTable::item<FocalOptions>(
              "focal", "easy cases count less (Lin 2017); for classes and for labels", focal),
          LossTable::item<NoOptions>("mse", "for numbers: squared error", mean_squared_error),
          LossTable::item<NoOptions>("mae", "for numbers: absolute error", mean_absolute_error),
          LossTable::item<HuberOptions>(
              "huber",
              "for numbers: squared error near the truth, absolute error beyond (Huber 1964)",
              huber),
      });
  return table;
}

}  // namespace fovea::tasks
