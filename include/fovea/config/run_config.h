// The whole of a config file, and the way from its text to checked settings.
#pragma once

#include "fovea/core/node.h"
#include "fovea/nn/model.h"
#include "fovea/sources/data_options.h"
#include "fovea/tasks/task.h"
#include "fovea/train/options.h"
#include "fovea/transforms/transform.h"

namespace fovea::config {

struct TransformsOptions {
  std::vector<transforms::TransformChoice> train;
  std::vector<transforms::TransformChoice> eval;
  std::vector<transforms::BatchTransformChoice> batch;

  void describe(Fields& f) {
    f("train", train, "transforms of training images, in this order");
    f("eval", eval, "transforms of validation, test and new images, in this order");
    f("batch", batch, "transforms that mix the cases of a training batch");
  }
};

/// What nobody but its maker can say of a model. It stands on the card of a report; what is empty is "not
/// stated" there.
struct CardOptions {
  std::string intended_use;
  std::string limits;
  std::string source;
  std::string inclusion;
  std::string reference_standard;
  std::string ethics;
  std::string contact;

  void describe(Fields& f) {
    f("intended_use", intended_use, "for whom and for what the model is meant");
    f("limits", limits, "where it must not be used, and what is known to go wrong");
    f("source", source, "where the cases come from: sites, dates, scanners");
    f("inclusion", inclusion, "which cases were taken, and which left out");
    f("reference_standard", reference_standard, "who or what said what is true");
    f("ethics", ethics, "approval and consent");
    f("contact", contact, "who answers for it");
  }
};

/// Every key of a config file. docs/configuration.md is printed from this struct.
struct RunConfig {
  int64_t seed = 1;
  sources::DataOptions data;
  TransformsOptions transforms;
  nn::ModelOptions model;
  tasks::TaskChoice task;
  train::TrainOptions train;
  CardOptions card;

  void describe(Fields& f) {
    f("seed", seed, "for splits, initial weights, order and augmentation").at_least(0);
    f("data", data, "where the cases are");
    f("transforms", transforms, "what is done to images");
    f("model", model, "encoders and what joins them");
    f("task", task, "what is learned");
    f("train", train, "how it is learned");
    f("card", card, "what the card of a report says in the words of its maker").cosmetic();
  }
};

/// Reads the file, applies `--set` assignments in order, expands ${VARIABLES}, checks every key.
/// Where data.root is set anew, absolute paths under the old root move along; one elsewhere that is
/// not set itself is a config Error.
RunConfig read_config(const std::filesystem::path& path, const std::vector<std::string>& set = {});

/// The resolved text: every key with its value, defaults included, paths absolute. Reading it again gives the same settings.
std::string resolved_text(const RunConfig& config);

/// What two runs must share to be the same run: the resolved text without the keys that cannot change a number.
std::string identity_text(const RunConfig& config);

}  // namespace fovea::config
