#include "fovea/tasks/classification.h"
#include "fovea/tasks/regression.h"
#include "fovea/tasks/several.h"
#include "fovea/tasks/tagging.h"

namespace fovea::tasks {

TaskTable& tasks() {
  static TaskTable table(
      "tasks",
      {
          TaskTable::item<ClassificationOptions>(
              "classification",
              "one of two or more classes, or several labels at once, for each case",
              classification),
          TaskTable::item<RegressionOptions>(
              "regression", "a quantity in its own unit for each case", regression),
          TaskTable::item<TaggingOptions>(
              "tagging", "entities named in a text, and a structured report filled with them",
              tagging),
          TaskTable::item<SeveralOptions>(
              "several", "targets of different kinds at once, a task for each", several),
      });
  return table;
}

}  // namespace fovea::tasks
