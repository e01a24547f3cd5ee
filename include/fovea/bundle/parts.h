// What a Predictor is made of.
#pragma once

#include <unistd.h>

#include <map>

#include "fovea/bundle/predictor.h"
#include "fovea/data/dataset.h"
#include "fovea/nn/model.h"
#include "fovea/tasks/task.h"
#include "fovea/text/tokenizer.h"

namespace fovea {

struct Predictor::Parts {
  std::shared_ptr<nn::Model> model;  ///< in evaluation mode, on `device`
  tasks::TaskPtr task;
  std::vector<std::pair<std::string, InputShape>> inputs;
  std::map<std::string, text::TokenizerPtr> words;  ///< of the inputs that are text
  std::vector<TargetSpec> targets;
  Schema schema;                                              ///< of the cases that `read` gives
  std::function<Example(const std::filesystem::path&)> read;  ///< decodes one file; thread-safe
  std::function<std::vector<std::string>()> notes;            ///< CaseReader::notes
  ExampleTransform transform;                                 ///< of evaluation: draws nothing
  torch::Device device = torch::kCPU;
  pid_t process = getpid();  ///< that loaded it: what is on a GPU does not survive a fork
};

}  // namespace fovea
