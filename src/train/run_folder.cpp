#include "fovea/train/run_folder.h"

#include <ATen/Version.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "fovea/core/log.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "train/checkpoint_files.h"
#include "train/run_lock.h"

namespace fovea::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Opening = RunOptions::Opening;
using storage::shown;
using Facts = std::map<std::string, std::string>;

constexpr int kFormat = 1;
constexpr int64_t kKept = 3;  // checkpoints: the newest two and the best
constexpr const char* kMetricsHeader = "epoch,step,split,metric,value\n";

std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)), ms.count() % 1000);
}

/// Every setting that can change a number, by its full name.
void flatten(const Node& node, const std::string& path, Facts& facts) {
  if (node.kind == Node::Kind::map && !node.entries.empty()) {
    for (const Entry& entry : node.entries)
      if (!entry.cosmetic)
        flatten(entry.value, path.empty() ? entry.key : path + "." + entry.key, facts);
  } else {
    facts[path] = inline_text(node);
  }
}

Facts facts_of(const RunIdentity& identity) {
  Facts facts;
  if (identity.config.kind == Node::Kind::map) flatten(identity.config, "", facts);
  for (const auto& [name, value] : identity.facts) facts["(" + name + ")"] = value;
  facts["(cpu)"] = at::get_cpu_capability();
  facts["(data)"] = identity.data_fingerprint;
  return facts;
}

/// "  train.epochs: 10 -> 20" for each difference, "" where there is none.
std::string difference(const Facts& before, const Facts& after) {
  std::string text;
  const auto value = [](const Facts& facts, const std::string& key) {
    const auto found = facts.find(key);
    return found == facts.end() ? "(absent)" : found->second;
  };
  Facts all = before;
  all.insert(after.begin(), after.end());
  for (const auto& [key, ignored] : all)
    if (value(before, key) != value(after, key))
      text += fmt::format("\n  {}: {} -> {}", key, value(before, key), value(after, key));
  return text;
}

bool is_run(const fs::path& path) { return fs::exists(path / "manifest.json"); }

/// A lock alone does not make a folder full.
bool holds_nothing(const fs::path& path) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(path, code))
    if (entry.path().filename() != "lock") return false;
  return true;
}

/// What a run writes, and nothing else, is removed.
void remove_run(const fs::path& path) {
  std::error_code ignored;
  for (const char* name : {"config.yaml", "manifest.json", "log.jsonl", "metrics.csv",
                           "rejected.csv", "checkpoints", "best", "learning_curves.svg"})
    fs::remove_all(path / name, ignored);
  std::vector<fs::path> events;
  for (const auto& entry : fs::directory_iterator(path, ignored))
    if (entry.path().filename().string().starts_with("events.out.tfevents."))
      events.push_back(entry.path());
  for (const fs::path& event : events) fs::remove(event, ignored);
}

/// A file that grows by whole lines.
class Journal {
 public:
  explicit Journal(fs::path path) : path_(std::move(path)) {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail("open");
  }
  ~Journal() { close(descriptor_); }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void append(std::string_view text) {
    const int64_t before = size();
    while (!text.empty()) {
      const ssize_t n = ::write(descriptor_, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const int code = errno;
        cut(before);  // no half line
        errno = code;
        fail("write");
      }
      text.remove_prefix(static_cast<size_t>(n));
    }
  }
  void sync() {
    if (fsync(descriptor_) != 0) fail("fsync");
  }
  void cut(int64_t bytes) {
    if (ftruncate(descriptor_, bytes) != 0) fail("cut");
  }
  int64_t size() const {
    struct stat info {};
    return fstat(descriptor_, &info) == 0 ? info.st_size : 0;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw io_error(fmt::format("cannot {} {}: {}", what, shown(path_),
                               std::generic_category().message(errno)));
  }
  fs::path path_;
  int descriptor_ = -1;
};

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
    if (options.opening == Opening::replace) remove_run(path);
    facts_ = facts_of(identity);
    if (resuming) {
      continue_manifest();
    } else {
      begin_manifest();
      storage::write_file_atomically(path / "config.yaml", identity.config_yaml);
    }
    storage::make_folder(checkpoints());
    tidy_checkpoints(checkpoints());
    metrics_.emplace(path / "metrics.csv");
    log_.emplace(path / "log.jsonl");
    if (metrics_->size() == 0) metrics_->append(kMetricsHeader);
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
      metrics_->cut(static_cast<int64_t>(std::string_view(kMetricsHeader).size()));
      return {};
    }
    metrics_->cut(bytes_in(notes["metrics_bytes"]));
    // After a crash between the commit and the link, the link is behind.
    if (const std::string& best = notes["best"]; !best.empty() && fs::exists(checkpoints() / best))
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
                      {"best", best_after},
                      {"libtorch", TORCH_VERSION}};
    within("run " + shown(path_), [&] { write_checkpoint(checkpoints(), checkpoint, notes); });
    best_ = best_after;
    if (best) link_best(name);
    prune_checkpoints(checkpoints(), best_);
  }

  void append_metrics(std::string_view lines) { metrics_->append(lines); }

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
    if (std::ranges::find(notes, Json(note)) == notes.end()) notes.push_back(note);
  }

  void finish(int exit_code) {
    manifest_["end"] = now();
    manifest_["exit_code"] = exit_code;
    manifest_["dropped_log_lines"] = dropped_;
    Json outputs = Json::object();
    outputs["metrics.csv"] = storage::sha256_file(path_ / "metrics.csv");
    const fs::path model = path_ / "best" / "model.safetensors";
    if (fs::exists(model)) outputs["best/model.safetensors"] = storage::sha256_file(model);
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

  void continue_manifest() {
    manifest_ = Json::parse(storage::read_file(path_ / "manifest.json"), nullptr, false);
    if (!manifest_.is_object() || !manifest_.contains("settings"))
      throw data_error("cannot resume: " + shown(path_ / "manifest.json") +
                       " is damaged; start a new run");
    const std::string changed = difference(manifest_["settings"].get<Facts>(), facts_);
    Json resume{{"time", now()},
                {"fovea", options_.version},
                {"commit", options_.commit},
                {"command_line", options_.command_line}};
    if (!changed.empty()) {
      if (!options_.allow_changed)
        throw config_error(
            fmt::format("cannot resume {}: what decides its numbers has changed{}\n"
                        "take the change back, start a new run (--out), or go on "
                        "all the same (--allow-changed)",
                        shown(path_), changed));
      log_warning("resuming with changes:" + changed);
      resume["changed"] = changed;
      manifest_["settings"] = facts_;
    }
    manifest_["resumes"].push_back(resume);
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
  Json manifest_;
  std::optional<Journal> metrics_, log_;
  std::string best_;  // the name of its folder
  int64_t dropped_ = 0;
};

RunFolder::RunFolder(fs::path path, RunIdentity identity, RunOptions options)
    : path_(std::move(path)),
      implementation_(
          std::make_unique<Implementation>(path_, std::move(identity), std::move(options))) {}
RunFolder::~RunFolder() = default;

void RunFolder::refuse_unfit(const fs::path& path, const RunOptions& options) {
  if (options.opening == Opening::create && fs::exists(path) && !holds_nothing(path))
    throw config_error(
        fmt::format("the output folder {} is not empty; go on with it (--resume), "
                    "replace the run in it (--force), or name another (--out)",
                    shown(path)));
  if (options.opening == Opening::resume && fs::exists(path) && !is_run(path) &&
      !holds_nothing(path))
    throw config_error(
        fmt::format("cannot resume {}: there is no manifest.json, so it is no run", shown(path)));
  fs::path there = fs::absolute(path);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  if (access(there.c_str(), W_OK | X_OK) != 0)
    throw io_error(fmt::format("cannot write the output folder {}: {}: {}; name another (--out)",
                               shown(path), shown(there), std::generic_category().message(errno)));
}

std::optional<Checkpoint> RunFolder::resume() { return implementation_->resume(); }
void RunFolder::check_space(const Checkpoint& checkpoint, int64_t free_bytes) {
  implementation_->check_space(checkpoint, free_bytes);
}
void RunFolder::save(const Checkpoint& checkpoint, bool best) {
  implementation_->save(checkpoint, best);
}
void RunFolder::append_metrics(std::string_view lines) { implementation_->append_metrics(lines); }
void RunFolder::append_log(std::string_view level, std::string_view event,
                           std::string_view fields) {
  implementation_->append_log(level, event, fields);
}
void RunFolder::add_note(const std::string& note) { implementation_->add_note(note); }
void RunFolder::finish(int exit_code) { implementation_->finish(exit_code); }

fs::path trained_weights(const fs::path& run) {
  if (fs::exists(run / "best" / "MANIFEST.json")) return run / "best" / "model.safetensors";
  const std::vector<fs::path> all = checkpoints_in(run / "checkpoints");
  if (all.empty())
    throw data_error(
        fmt::format("{} holds no checkpoint; train first, or name a run folder", shown(run)));
  log_warning(shown(run) + " has no best checkpoint yet; taking the newest");
  return all.back() / "model.safetensors";
}

void verify_weights(const fs::path& weights) {
  verify_files(weights.parent_path(), {weights.filename().string()});
}

}  // namespace fovea::train
