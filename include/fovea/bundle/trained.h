// A trained model on disk: a run folder, or a bundle, which can be copied to another machine.
//
//   config.yaml         the settings that rebuild the model; of a bundle without any path
//   model.json          shapes, classes and what was fitted for the inputs (card.h)
//   model.safetensors   the weights
//   MANIFEST.json       size and SHA-256 of each (storage/manifest.h)
//
// LibTorch cannot export a model made in C++, so the settings that rebuild it travel with the
// weights.
#pragma once

#include <functional>

#include "fovea/bundle/assemble.h"
#include "fovea/bundle/predictor.h"

namespace fovea::bundle {

struct Trained {
  std::filesystem::path folder;
  std::filesystem::path weights;         ///< of the best checkpoint, or of the bundle
  bool portable = false;                 ///< a bundle: names no data of its own
  std::function<void()> verify_weights;  ///< a data Error where they are not those of MANIFEST.json
  config::RunConfig config;
  ModelCard card;
};

/// A data Error where the folder is neither, or where a file is not the one that its MANIFEST.json
/// lists: nothing is read of a file before its hash is known to be right, but for the weights, which
/// `make_model` checks while it reads them. A bundle of an older fovea without MANIFEST.json is
/// taken, and the log says that nothing vouches for it.
Trained open_trained(const std::filesystem::path& folder);

/// With the trained weights, verified.
std::shared_ptr<nn::Model> make_model(const Trained& trained, const tasks::Task& task);

/// The best model of a run as a bundle in `folder`, which is replaced whole. What it cannot mean elsewhere is left out: the places of data, of
/// caches and of files that training started from. (For an instant between two renames there is
/// none.)
void write_bundle(const std::filesystem::path& run, const config::RunConfig& config,
                  const std::filesystem::path& folder);

Predictor make_predictor(const Trained& trained, const torch::Device& device);

}  // namespace fovea::bundle
