#include "fovea/train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "fovea/core/log.h"
#include "fovea/storage/append_file.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "train/checkpoint_files.h"
#include "train/run_facts.h"
#include "train/run_files.h"
#include "train/run_lock.h"

namespace fovea::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Opening = RunOptions::Opening;
using storage::shown;

constexpr int kFormat = 1;
constexpr int64_t kKept = 3;  // checkpoints: the newest two and the best
constexpr const char* kSalt = "salt";
constexpr int64_t kLargestSalt = 1 << 10;  // bytes
constexpr const char* kMetricsHeader = "epoch,step,split,metric,value\n";

std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)), ms.count() % 1000);
}

/// How much of metrics.csv there was when a checkpoint was written.
int64_t bytes_in(const std::string& note) {
  int64_t bytes = -1;
  const auto [end, failed] = std::from_chars(note.data(), note.data() + note.size(), bytes);
  if (failed != std::errc() || end != note.data() + note.size() || bytes < 0)
    throw data_error(
        fmt::format("a checkpoint notes '{}' bytes of metrics.csv, wanted a whole number", note));
  return bytes;
}

}  // namespace

class RunFolder::Implementation {
 public:
  Implementation(const fs::path& path, RunIdentity identity, const RunOptions& options)
      : path_(path), lock_(prepared(path, options), options.break_lock), options_(options) {
    const bool resuming = options.opening == Opening::resume && is_run(path);
    if (options.opening == Opening::replace && is_run(path)) forget_run(path);
    facts_ = facts_of(identity);
    config_before_ = settings_of(identity.config_before);
    config_written_ = settings_of(identity.config_written);
    const bool same = resuming && continue_manifest(identity);
    if (!resuming) begin_manifest();
    // What rebuilds the model is what it was trained with last.
    if (!same || !storage::exists(path / "config.yaml"))
      storage::write_file_atomically(path / "config.yaml", identity.config_yaml);
    if (!identity.cases.empty())
      storage::write_file_atomically(path / storage::kCasesName, storage::text_of(identity.cases));
    keep_salt();
    storage::make_folder(checkpoints());
    tidy_checkpoints(checkpoints());
    metrics_.emplace(path / "metrics.csv");
    log_.emplace(path / "log.jsonl");
    if (metrics_->size() == 0) append_metrics(kMetricsHeader);
    write_manifest();
  }

  std::optional<Checkpoint> resume() {
    std::vector<fs::path> all = checkpoints_in(checkpoints());
    Checkpoint checkpoint;
    Notes notes;
    while (!all.empty()) {
      try {
        checkpoint = read_checkpoint(all.back(), notes);
        break;
      } catch (const Error& error) {
        if (!options_.fall_back || all.size() == 1 || error.fault() != Fault::data) throw;
        log_warning(fmt::format("{}; going on from {}", error.what(), shown(all[all.size() - 2])));
        all.pop_back();
      }
    }
    if (all.empty()) {
      if (options_.opening == Opening::resume)
        log_info(shown(path_) + ": no checkpoint is in it, so training begins at the start");
      set_metrics(kMetricsHeader);
      return {};
    }
    log_info(
        fmt::format("{}: going on from the checkpoint of step {}", shown(path_), checkpoint.step));
    restore_metrics(checkpoint.step, notes);
    // After a crash between the commit and the link, the link is behind.
    if (const std::string& best = notes["best"];
        !best.empty() && storage::exists(checkpoints() / best))
      link_best(best);
    best_ = notes["best"];
    return checkpoint;
  }

  void check_space(const Checkpoint& checkpoint, int64_t free_bytes) {
    const auto there = static_cast<int64_t>(checkpoints_in(checkpoints()).size());
    const int64_t wanted =
        std::max<int64_t>(1, kKept - there);  // a new one comes before an old goes
    const std::string warning = too_little_space(wanted, bytes_of(checkpoint), free_bytes);
    if (warning.empty()) return;
    log_warning(shown(path_) + ": " + warning);
    append_log("warning", "little_space", Json{{"text", warning}}.dump());
  }

  void save(const Checkpoint& checkpoint, bool best) {
    metrics_->sync();
    const std::string name = checkpoint_name(checkpoint.step);
    const std::string best_after = best ? name : best_;
    const Notes notes{{"metrics_bytes", std::to_string(metrics_->size())},
                      {"metrics", metrics_text_},
                      {"best", best_after},
                      {"libtorch", TORCH_VERSION}};
    within("run " + shown(path_), [&] { write_checkpoint(checkpoints(), checkpoint, notes); });
    best_ = best_after;
    if (best) link_best(name);
    prune_checkpoints(checkpoints(), best_);
  }

  void append_metrics(std::string_view lines) {
    metrics_->append(lines);
    metrics_text_ += lines;
  }
  const std::string& metrics() const { return metrics_text_; }

  void append_log(std::string_view level, std::string_view event, std::string_view fields) {
    Json line{{"time", now()}, {"level", level}, {"event", event}};
    line.update(Json::parse(fields, nullptr, false));
    try {
      log_->append(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } catch (const Error& error) {
      if (dropped_++ == 0)
        log_once("log.jsonl", std::string(error.what()) + "; training goes on without the log");
    }
  }

  void add_note(const std::string& note) {
    Json& notes = manifest_["notes"];
    if (std::find(notes.begin(), notes.end(), Json(note)) == notes.end()) notes.push_back(note);
  }

  void finish(int exit_code) {
    restore_lost_metrics();
    manifest_["end"] = now();
    manifest_["exit_code"] = exit_code;
    manifest_["dropped_log_lines"] = dropped_;
    Json outputs = Json::object();
    for (const char* name : {"metrics.csv", "best/model.safetensors"})
      if (storage::exists(path_ / name)) outputs[name] = storage::sha256_file(path_ / name);
    manifest_["outputs"] = outputs;
    write_manifest();
  }

 private:
  fs::path checkpoints() const { return path_ / "checkpoints"; }

  /// Refuses or makes the folder, before anything in it is touched.
  static const fs::path& prepared(const fs::path& path, const RunOptions& options) {
    refuse_unfit(path, options);
    storage::make_folder(path);
    return path;
  }

  void begin_manifest() {
    manifest_ = Json{{"format", kFormat},
                     {"fovea", options_.version},
                     {"commit", options_.commit},
                     {"libtorch", TORCH_VERSION},
                     {"command_line", options_.command_line},
                     {"start", now()},
                     {"notes", options_.notes},
                     {"resumes", Json::array()},
                     {"settings", facts_}};
  }

  /// Whether the configuration is the same as before.
  bool continue_manifest(const RunIdentity& identity) {
    const auto before = [&]() -> Facts {
      try {
        manifest_ = Json::parse(storage::read_file(path_ / "manifest.json"));
        return in_names_of_today(manifest_.at("settings").get<Facts>(), config_written_,
                                 config_before_);
      } catch (const Json::exception&) {
        throw data_error("cannot resume: " + shown(path_ / "manifest.json") + " is damaged",
                         "start a new run");
      }
    };
    std::string changed = difference(before(), facts_);
    if (!identity.cases.empty() && !identity.cases_before.empty())
      if (const std::string counts = storage::difference(identity.cases_before, identity.cases);
          !counts.empty())
        changed += "\n  (cases): " + counts;
    Json resume{{"time", now()},
                {"fovea", options_.version},
                {"commit", options_.commit},
                {"command_line", options_.command_line}};
    if (!changed.empty()) {
      if (!options_.allow_changed)
        throw config_error(
            fmt::format("cannot resume {}: what decides its numbers has changed{}\n", shown(path_),
                        changed),
            "take the change back, start a new run in another folder, or go on all the same "
            "(RunOptions::allow_changed)");
      log_warning("resuming with changes:" + changed);
      resume["changed"] = changed;
      manifest_["settings"] = facts_;
    }
    manifest_["resumes"].push_back(resume);
    return changed.empty();
  }

  /// The rows as they were when the checkpoint was made, which holds them; whatever was done to the
  /// file since.
  void restore_metrics(int64_t step, const Notes& notes) {
    const int64_t bytes = bytes_in(notes.at("metrics_bytes"));
    std::string found = storage::read_file(path_ / "metrics.csv");
    found.resize(std::min(found.size(), static_cast<size_t>(bytes)));
    const auto kept = notes.find("metrics");
    if (kept == notes.end() && static_cast<int64_t>(found.size()) == bytes)
      return set_metrics(found);
    if (kept != notes.end() && found == kept->second) return set_metrics(found);
    std::string lost = kMetricsHeader;
    if (kept != notes.end()) lost = kept->second;
    log_warning(fmt::format(
        "{}: metrics.csv is not as it was at step {}{}", shown(path_), step,
        kept != notes.end() ? "; its rows are written again from the checkpoint"
                            : ", and this checkpoint, of an older fovea, does not hold its rows: "
                              "they begin anew"));
    if (!lost.starts_with(found))  // an edited one is not thrown away
      storage::rename_durably(path_ / "metrics.csv", path_ / "metrics.found.csv");
    metrics_.emplace(path_ / "metrics.csv");
    set_metrics(lost);
  }

  /// Whoever removes the file while training goes on loses nothing either.
  void restore_lost_metrics() {
    const fs::path file = path_ / "metrics.csv";
    if (!storage::exists(file)) storage::write_file_atomically(file, metrics_text_);
  }

  /// Makes the file hold this and no more. Where it begins with it, as it does unless someone
  /// changed it, nothing is written.
  void set_metrics(std::string_view text) {
    const std::string there = storage::read_file(path_ / "metrics.csv");
    if (there.starts_with(text)) {
      metrics_->cut(static_cast<int64_t>(text.size()));
    } else {
      metrics_->cut(0);
      metrics_->append(text);
    }
    metrics_text_ = text;
  }

  /// The hashes of patients in messages are salted, by the run's own salt, so that those of a resumed
  /// run are the same. It never leaves the run's folder.
  void keep_salt() {
    const fs::path file = path_ / kSalt;
    use_salt_of(path_);
    if (storage::exists(file)) return;
    storage::write_file_atomically(file, storage::salt());
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  }

  void write_manifest() {
    storage::write_file_atomically(path_ / "manifest.json", manifest_.dump(1) + "\n");
  }

  void link_best(const std::string& name) {
    const fs::path fresh = path_ / ".best-new";
    std::error_code code;
    fs::remove(fresh, code);
    fs::create_directory_symlink(fs::path("checkpoints") / name, fresh, code);
    if (code)
      throw io_error(fmt::format("cannot make the link {}: {}", shown(fresh), code.message()));
    storage::rename_durably(fresh, path_ / "best");
  }

  fs::path path_;
  RunLock lock_;
  RunOptions options_;
  Facts facts_;
  Facts config_before_, config_written_;  // of the run that goes on
  Json manifest_;
  std::optional<storage::AppendFile> metrics_, log_;
  std::string metrics_text_;  // of metrics.csv: a checkpoint holds it
  std::string best_;          // the name of its folder
  int64_t dropped_ = 0;
};

RunFolder::RunFolder(fs::path path, RunIdentity identity, RunOptions options)
    : path_(std::move(path)),
      implementation_(
          std::make_unique<Implementation>(path_, std::move(identity), std::move(options))) {}
RunFolder::~RunFolder() = default;

void RunFolder::refuse_unfit(const fs::path& path, const RunOptions& options) {
  if (storage::exists(path)) {
    if (!storage::is_folder(path))
      throw config_error("the output folder " + shown(path) + " is a file", "name a folder");
    const bool full = !holds_nothing(path);
    if (options.opening == Opening::create && full)
      throw config_error("the output folder " + shown(path) + " is not empty",
                         is_run(path) ? "go on with it (Opening::resume), replace the run in it "
                                        "(Opening::replace), or name another folder"
                                      : "name another folder");
    if (options.opening == Opening::resume && full && !is_run(path))
      throw config_error("cannot resume " + shown(path) +
                             ": there is no manifest.json of fovea, so it is not a run",
                         "name the folder of a run");
    if (options.opening == Opening::replace && full && !is_run(path))
      throw config_error(
          "cannot replace " + shown(path) +
              ": there is no manifest.json of fovea, so it is not a run, and nothing "
              "in it is deleted",
          "name another folder");
  }
  fs::path there = fs::absolute(path);
  while (!storage::exists(there) && there.has_relative_path()) there = there.parent_path();
  if (access(there.c_str(), W_OK | X_OK) != 0)
    throw io_error(fmt::format("cannot write the output folder {}: {}: {}", shown(path),
                               shown(there), std::generic_category().message(errno)),
                   "name another folder");
}

fs::path RunFolder::checkpoint(int64_t step) const {
  return path_ / "checkpoints" / checkpoint_name(step);
}
std::optional<Checkpoint> RunFolder::resume() { return implementation_->resume(); }
void RunFolder::check_space(const Checkpoint& checkpoint, int64_t free_bytes) {
  implementation_->check_space(checkpoint, free_bytes);
}
void RunFolder::save(const Checkpoint& checkpoint, bool best) {
  implementation_->save(checkpoint, best);
}
void RunFolder::append_metrics(std::string_view lines) { implementation_->append_metrics(lines); }
const std::string& RunFolder::metrics() const { return implementation_->metrics(); }
void RunFolder::append_log(std::string_view level, std::string_view event,
                           std::string_view fields) {
  implementation_->append_log(level, event, fields);
}
void RunFolder::add_note(const std::string& note) { implementation_->add_note(note); }
void RunFolder::finish(int exit_code) { implementation_->finish(exit_code); }

void use_salt_of(const fs::path& run) {
  if (const fs::path file = run / kSalt; storage::exists(file))
    storage::set_salt(storage::read_file(file, kLargestSalt));
}

fs::path trained_weights(const fs::path& run) {
  if (storage::exists(run / "best" / "MANIFEST.json")) return run / "best" / "model.safetensors";
  const std::vector<fs::path> all = checkpoints_in(run / "checkpoints");
  if (all.empty())
    throw data_error(shown(run) + " holds no checkpoint",
                     "train first, or name the folder of a run");
  log_warning(shown(run) + " has no best checkpoint yet; taking the newest");
  return all.back() / "model.safetensors";
}

void verify_weights(const fs::path& weights) {
  verify_files(weights.parent_path(), {weights.filename().string()});
}

}  // namespace fovea::train
