#include "train/checkpoint_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/core/log.h"
#include "fovea/storage/file.h"
#include "fovea/storage/manifest.h"
#include "fovea/storage/text.h"

namespace fovea::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using storage::shown;

constexpr const char* kType = "checkpoint";
const std::vector<std::string> kFiles = {"model.safetensors", "optimizer.safetensors",
                                         "state.json"};

Error damaged(const fs::path& folder, const std::string& what) {
  return data_error(fmt::format("the checkpoint {} is damaged: {}", shown(folder), what),
                    "remove it to go on from the one before, or start anew");
}

/// JSON has no infinities.
Json number_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  return json == "inf" ? INFINITY : json == "-inf" ? -INFINITY : NAN;
}

void check_weights(const nn::NamedTensors& model) {
  for (const auto& [name, tensor] : model)
    if (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>())
      throw data_error("saving a checkpoint: the weight '" + name +
                       "' holds a number that is not finite; the checkpoint before is kept");
}

std::string state_json(const Checkpoint& checkpoint, const Notes& notes) {
  Json numbers = Json::object();
  for (const auto& [name, value] : checkpoint.state.numbers) numbers[name] = number_json(value);
  return Json{{"step", checkpoint.step}, {"numbers", numbers}, {"notes", notes}}.dump(1) + "\n";
}

nn::NamedTensors tensors_of(const State& state) {
  return {state.tensors.begin(), state.tensors.end()};
}

void write_files(const fs::path& folder, const Checkpoint& checkpoint, const Notes& notes) {
  nn::save_tensors(checkpoint.model, folder / "model.safetensors");
  nn::save_tensors(tensors_of(checkpoint.state), folder / "optimizer.safetensors");
  storage::write_file_atomically(folder / "state.json", state_json(checkpoint, notes));
  storage::write_manifest(folder, kType, kFiles, checkpoint.step);
  storage::sync_folder(folder);
}

Json parsed(const fs::path& path) {
  Json json = Json::parse(storage::read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw damaged(path.parent_path(), path.filename().string() + " is not a JSON object");
  return json;
}

}  // namespace

std::string checkpoint_name(int64_t step) { return fmt::format("step-{:08}", step); }

std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().filename().string().starts_with("step-") &&
        storage::exists(entry.path() / "MANIFEST.json"))
      found.push_back(entry.path());
  // By number: the ninth digit makes longer names.
  std::ranges::sort(found, {}, [](const fs::path& path) {
    const std::string name = path.filename().string();
    return std::pair(name.size(), name);
  });
  return found;
}

void tidy_checkpoints(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".tmp-") || name.starts_with(".old-")) left.push_back(entry.path());
  }
  for (const fs::path& path : left) {
    const std::string name = path.filename().string().substr(5);
    if (path.filename().string().starts_with(".old-") && !storage::exists(folder / name) &&
        storage::exists(path / "MANIFEST.json") && name.ends_with(".replaced")) {
      storage::rename_durably(path, folder / name.substr(0, name.size() - 9));
      continue;
    }
    log_info("removed " + shown(path) + ", left by a run that was cut off");
    fs::remove_all(path, ignored);
  }
}

int64_t bytes_of(const Checkpoint& checkpoint) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : checkpoint.model)
    bytes += static_cast<int64_t>(tensor.nbytes());
  for (const auto& [name, tensor] : checkpoint.state.tensors)
    bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

std::string too_little_space(int64_t wanted, int64_t bytes, int64_t free_bytes) {
  if (wanted * bytes <= free_bytes) return "";
  return fmt::format(
      "found {} bytes free, wanted {} for {} checkpoints of {} each: the run will stop where the "
      "disk is full, and keep the checkpoint before; free some space, or write to another disk",
      free_bytes, wanted * bytes, wanted, bytes);
}

fs::path write_checkpoint(const fs::path& folder, const Checkpoint& checkpoint,
                          const Notes& notes) {
  check_weights(checkpoint.model);
  const std::string name = checkpoint_name(checkpoint.step);
  const fs::path temporary = folder / (".tmp-" + name), target = folder / name;
  const fs::path replaced = folder / (".old-" + name + ".replaced");
  std::error_code ignored;
  try {
    fs::remove_all(temporary, ignored);
    storage::make_folder(temporary);
    write_files(temporary, checkpoint, notes);
    if (storage::exists(target)) storage::rename_durably(target, replaced);
    storage::rename_durably(temporary, target);
  } catch (const Error& error) {
    fs::remove_all(temporary, ignored);
    if (storage::exists(replaced) && !storage::exists(target))
      fs::rename(replaced, target, ignored);
    const std::vector<fs::path> before = checkpoints_in(folder);
    throw Error(error.fault(),
                fmt::format("saving the checkpoint of step {}: {}", checkpoint.step, error.what()),
                before.empty()
                    ? "there is no checkpoint before it"
                    : fmt::format("the checkpoint {} is kept: mend the disk and go on from it "
                                  "(Opening::resume)",
                                  shown(before.back())));
  }
  fs::remove_all(replaced, ignored);
  return target;
}

void verify_files(const fs::path& folder, const std::vector<std::string>& names) {
  const storage::Manifest manifest = storage::read_manifest(folder, kType);
  // `best` is a link to the folder whose name says the step.
  const std::string name = fs::canonical(folder).filename().string();
  if (manifest.step && name.starts_with("step-") && name != checkpoint_name(*manifest.step))
    throw damaged(folder, fmt::format("MANIFEST.json is of step {}", *manifest.step));
  storage::verify(manifest, folder, names);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string added = entry.path().filename().string();
    if (added != storage::kManifestName && !added.starts_with('.') &&
        !manifest.files.contains(added))
      throw damaged(folder, "MANIFEST.json does not name " + storage::escaped(added));
  }
}

Checkpoint read_checkpoint(const fs::path& folder, Notes& notes) {
  verify_files(folder, kFiles);
  const Json json = parsed(folder / "state.json");
  Checkpoint checkpoint;
  checkpoint.step = json.value("step", int64_t{0});
  if (const std::string name = fs::canonical(folder).filename().string();
      name != checkpoint_name(checkpoint.step))
    throw damaged(folder, fmt::format("its state is of step {}", checkpoint.step));
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : json.at("numbers").items()) numbers[name] = number_of(value);
  notes = json.at("notes").get<Notes>();
  checkpoint.model = nn::load_tensors(folder / "model.safetensors");
  TensorMap tensors;
  for (auto& [name, tensor] : nn::load_tensors(folder / "optimizer.safetensors"))
    tensors[name] = std::move(tensor);
  checkpoint.state = State(std::move(tensors), std::move(numbers));
  return checkpoint;
}

void prune_checkpoints(const fs::path& folder, const fs::path& best) {
  std::vector<fs::path> all = checkpoints_in(folder);
  for (size_t i = 0; i + 2 < all.size(); ++i) {
    if (all[i].filename() == best.filename()) continue;
    const fs::path old = folder / (".old-" + all[i].filename().string());
    std::error_code ignored;
    fs::rename(all[i], old, ignored);
    fs::remove_all(old, ignored);
  }
}

}  // namespace fovea::train
