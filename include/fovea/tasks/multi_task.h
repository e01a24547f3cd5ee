// Several targets at once: a task for each, whose losses add up.
#pragma once

#include <functional>

#include "fovea/tasks/task.h"

namespace fovea::tasks {

/// task: {multi_task: {tasks: {label: classification, age: {regression: huber}}, weights: {age:
/// 0.5}}}
struct MultiTaskOptions {
  Named<TaskChoice> tasks{};
  Named<double> weights{};

  void describe(Fields& f) {
    f("tasks", tasks, "by target: {label: classification, age: {regression: huber}}").required();
    f("weights", weights, "by target: factor of its loss; default: 1").at_least(0);
  }
};

/// A head per target, named like it; metrics are called "target.auc" and files go into a folder per
/// target. A case without the label of one target still counts for the others.
///
/// A config Error where `tasks` and the targets of the data differ.
TaskPtr multi_task(const MultiTaskOptions& options, const std::vector<TargetSpec>& targets);

/// The task of every target, each made alike: itself where there is one, else put together as
/// above. A config Error of `task` where there is no target.
TaskPtr for_each_target(const char* task, const std::vector<TargetSpec>& targets,
                        const std::function<TaskPtr(const TargetSpec&)>& make);

}  // namespace fovea::tasks
