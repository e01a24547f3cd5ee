// The table of optimizers. To add one: a file like optimizers/sgd.cpp, and a line here.
#include "fovea/train/optimizers.h"

#include "fovea/train/optimizers/adam.h"
#include "fovea/train/optimizers/adamw.h"
#include "fovea/train/optimizers/rmsprop.h"
#include "fovea/train/optimizers/sgd.h"

namespace fovea::train {

OptimizerTable& optimizers() {
  static OptimizerTable table(
      "optimizers",
      {
          OptimizerTable::item<SgdOptions>("sgd", "gradient descent with momentum", sgd),
          OptimizerTable::item<AdamOptions>(
              "adam", "Kingma and Ba 2015; weight decay as an L2 penalty", adam),
          OptimizerTable::item<AdamWOptions>(
              "adamw", "Adam with decoupled weight decay (Loshchilov and Hutter 2019)", adamw),
          OptimizerTable::item<RmspropOptions>("rmsprop", "Tieleman and Hinton 2012", rmsprop),
      });
  return table;
}

}  // namespace fovea::train
