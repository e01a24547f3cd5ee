#include "fovea/tasks/classification.h"
#include "fovea/tasks/multi_task.h"
#include "fovea/tasks/regression.h"
#include "fovea/tasks/token_classification.h"

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
          TaskTable::item<TokenClassificationOptions>(
              "token_classification",
              "entities named in a text, and a structured report filled with them",
              token_classification)
              .formerly("tagging")
              .also("ner"),
          TaskTable::item<MultiTaskOptions>(
              "multi_task", "targets of different types at once, a task for each", multi_task)
              .formerly("several"),
      });
  return table;
}

}  // namespace fovea::tasks
