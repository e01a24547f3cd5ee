#include "fovea/tasks/classification.h"

namespace fovea::tasks {

const TaskTable& tasks() {
  static const TaskTable table(
      "tasks", {
                   TaskTable::item<ClassificationOptions>(
                       "classification",
                       "one of two or more classes, or several labels at once, for each case",
                       classification),
               });
  return table;
}

}  // namespace fovea::tasks
