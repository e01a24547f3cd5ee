// Rows left until the last one of a group, as a target.
#pragma once

#include "fovea/targets/targets.h"

namespace fovea::targets {

struct RemainingUsefulLifeOptions {
  double clip = 0;
  Named<std::string> after_last{};

  void describe(Fields& f) {
    f("clip", clip, "larger values are set to this; 0: no limit").at_least(0);
    f("after_last", after_last,
      "for tables whose groups end early: by split, the file with the number of rows left after "
      "the last one, one per group in their order");
  }
};
/// Rows left until the last one of the group: the remaining useful life of a device, in the steps of
/// the table. A data Error where a file has not a number for each group.
TargetPtr remaining_useful_life_target(const RemainingUsefulLifeOptions& options,
                                       const TargetPlace& place);

}  // namespace fovea::targets
