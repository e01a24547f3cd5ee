#include "fovea/bundle/trained.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "bundle/files.h"
#include "fovea/bundle/load.h"
#include "fovea/bundle/openmp_guard.h"
#include "fovea/bundle/parts.h"
#include "fovea/config/yaml.h"
#include "fovea/core/log.h"
#include "fovea/nn/inference.h"
#include "fovea/nn/weights.h"
#include "fovea/storage/file.h"
#include "fovea/storage/manifest.h"
#include "fovea/train/device.h"
#include "fovea/train/run_folder.h"

namespace fovea::bundle {
namespace {

namespace fs = std::filesystem;
using storage::shown;

constexpr int kFirstWithManifest = 4;  // format of model.json

// Settings that name places of the machine they were written on; a test holds the list against the
// documentation of all settings.
constexpr std::string_view kPlaces[] = {"root", "table",        "folder",  "path",
                                        "file", "cache_folder", "weights", "after_last"};

void forget_places(Node& node, bool is_place, bool is_text) {
  for (Entry& entry : node.entries) {
    const bool named = std::ranges::find(kPlaces, entry.key) != std::end(kPlaces);
    const bool text = entry.key == "after_last" || (entry.key == "folder" && node.path != "data");
    forget_places(entry.value, is_place || named, is_text || (named && text));
  }
  for (Node& item : node.items) forget_places(item, is_place, is_text);
  if (node.kind == Node::Kind::scalar && is_place && fs::path(node.text).is_absolute())
    node = is_text ? Node::scalar("", true) : Node{};
  // A table for each split.
  if (node.kind == Node::Kind::map && is_place && !is_text && !node.entries.empty() &&
      std::ranges::all_of(node.entries,
                          [](const Entry& e) { return e.value.kind == Node::Kind::null; }))
    node = Node{};
}

/// The settings without any place on this machine.
config::RunConfig portable(const config::RunConfig& settings) {
  Node node = Fields::write(settings);
  if (Node* data = node.find("data")) data->path = "data";
  forget_places(node, false, false);
  config::RunConfig result;
  Fields::read(node, result);
  return result;
}

bool is_bundle(const fs::path& folder) { return storage::exists(folder / "model.safetensors"); }

}  // namespace

Trained open_trained(const fs::path& folder) {
  if (!storage::exists(folder / "model.json") || !storage::exists(folder / "config.yaml"))
    throw data_error(shown(folder) +
                     ": found no model.json and config.yaml, wanted a run folder or a "
                     "bundle, as training leaves them");
  Trained trained;
  trained.folder = folder;
  trained.portable = is_bundle(folder);
  if (!trained.portable) {
    trained.config = config::read_config(folder / "config.yaml");
    trained.card = read_card(folder / "model.json");
    trained.weights = train::trained_weights(folder);
    trained.verify_weights = [weights = trained.weights] { train::verify_weights(weights); };
    return trained;
  }
  trained.weights = folder / "model.safetensors";
  if (storage::exists(folder / storage::kManifestName)) {
    const storage::Manifest manifest = storage::read_manifest(folder, kBundleType);
    storage::verify(manifest, folder, {"config.yaml", "model.json"});
    trained.verify_weights = [manifest, folder] {
      storage::verify(manifest, folder, {"model.safetensors"});
    };
  }
  trained.card = read_card(folder / "model.json");
  if (!trained.verify_weights) {
    if (trained.card.format >= kFirstWithManifest)
      throw data_error(shown(folder) +
                           ": found no MANIFEST.json, wanted the one that was written "
                           "with the bundle",
                       "copy the bundle whole");
    log_info(shown(folder) +
             ": a bundle of an older fovea without MANIFEST.json: nothing vouches for "
             "its files");
    trained.verify_weights = [] {};
  }
  trained.config = portable(config::read_config(folder / "config.yaml"));
  return trained;
}

std::shared_ptr<nn::Model> make_model(const Trained& trained, const tasks::Task& task) {
  nn::ModelOptions options = trained.config.model;
  options.weights.clear();  // what training started from matters no more
  auto model =
      std::make_shared<nn::Model>(options, trained.card.inputs, task.heads(), std::nullopt);
  // Two passes over the file, side by side: both wait for memory more than for a core. One after the
  // other where the system starts no more threads.
  auto verified = std::async(std::launch::async | std::launch::deferred, trained.verify_weights);
  nn::load_weights(*model, trained.weights);
  verified.get();
  return model;
}

void write_bundle(const fs::path& run, const config::RunConfig& settings, const fs::path& folder) {
  const std::string name = folder.filename().string();
  const fs::path fresh = folder.parent_path() / (".tmp-" + name);
  const fs::path before = folder.parent_path() / (".old-" + name);
  fs::remove_all(fresh);
  fs::remove_all(before);
  storage::make_folder(fresh);
  const fs::path best = train::trained_weights(run);
  std::error_code failed;
  fs::create_hard_link(fs::canonical(best), fresh / "model.safetensors", failed);
  if (failed) fs::copy_file(best, fresh / "model.safetensors");  // a file system without links
  storage::write_file_atomically(fresh / "config.yaml", config::resolved_text(portable(settings)));
  storage::write_file_atomically(fresh / "model.json", storage::read_file(run / "model.json"));
  storage::write_manifest(fresh, kBundleType, kBundleFiles);
  if (storage::exists(folder)) storage::rename_durably(folder, before);
  storage::rename_durably(fresh, folder);
  fs::remove_all(before);
}

Predictor make_predictor(const Trained& trained, const torch::Device& device) {
  auto parts = std::make_shared<Predictor::Parts>();
  parts->task = make_task(trained.config, trained.card);
  parts->model = make_model(trained, *parts->task);
  parts->model->eval();
  nn::fuse_for_inference(*parts->model);
  parts->model->to(device);
  parts->inputs = trained.card.inputs;
  for (const auto& [name, input] : trained.config.data.inputs)
    if (const auto tokenizer = input.make().tokenizer)
      if (const Node* fitted = trained.card.fitted.find(name))
        parts->words[name] = tokenizer(*fitted);
  parts->targets = trained.card.targets;
  parts->device = device;
  parts->transform = make_pipeline(trained.config, trained.config.transforms.eval);
  sources::DataOptions data = data_in_use(trained.config);
  data.cache_folder.clear();  // of training: a file that is asked about is read once
  sources::CaseReader reader = sources::case_reader(data, trained.card.fitted);
  parts->schema = std::move(reader.schema);
  parts->read = std::move(reader.read);
  parts->notes = std::move(reader.notes);
  return Predictor(std::move(parts));
}

}  // namespace fovea::bundle

namespace fovea {

Predictor load(const std::filesystem::path& run_or_bundle, const std::string& device) {
  return guarded([&] {
    const torch::Device there = train::choose_device(device);
    return bundle::make_predictor(bundle::open_trained(run_or_bundle), there);
  });
}

}  // namespace fovea
