// Checkpoints on disks that fail and computers that go out, and runs that go on: R01 to R08.
#include <nlohmann/json.hpp>

#include "bad_input/made.h"
#include "support/sha256.h"

namespace fovea::test {
namespace {

Texts train(const std::string& config, const Texts& more = {}) {
  Texts words{"train", config, "--out", "run", "--device", "cpu"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Steps of an epoch of lab_config: 36 cases in batches of 16.
const std::string kFirst = "step-00000003", kSecond = "step-00000006";

/// Whether every file of the folder is as its MANIFEST.json says.
bool is_whole(const fs::path& checkpoint) {
  const auto manifest =
      nlohmann::json::parse(read_text(checkpoint / "MANIFEST.json"), nullptr, false);
  if (!manifest.is_object() || !manifest.contains("files")) return false;
  for (const auto& [name, file] : manifest["files"].items()) {
    const std::string content = read_text(checkpoint / name);
    if (file["bytes"] != content.size() || file["sha256"] != sha256(as_bytes(content)))
      return false;
  }
  return true;
}

bool has_left_overs(const Trial& t) {
  for (const auto& entry : fs::directory_iterator(t.path("run/checkpoints")))
    if (entry.path().filename().string().starts_with(".")) return true;
  return false;
}

/// A run of three epochs that ended in the third, with the checkpoints of two.
struct Stopped {
  Trial trial;
  std::string config;
  Stopped() : config(lab_config(trial)) {
    trial.run(train(config, {"--set", "train.epochs=3"}), failing("kill=1", ".tmp-step-00000009"));
    fs::remove_all(trial.path("run/checkpoints/.tmp-step-00000009"));
  }
};

/// A copy of it: its config.
std::string stopped(const Trial& t) {
  static const Stopped instance;
  fs::remove_all(t.path("run"));
  fs::copy(instance.trial.path("run"), t.path("run"),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  return instance.config;
}
Texts resumed(const std::string& config) {
  return train(config, {"--set", "train.epochs=3", "--resume"});
}

void r01(Trial& t) {
  const std::string config = lab_config(t);
  int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(lab_run().run) / "best" / ""))
    bytes += static_cast<int64_t>(entry.file_size());
  for (int64_t space = 0; space < bytes; space += 1024) {
    fs::remove_all(t.path("run"));
    t.expect(4, train(config),
             {"run/checkpoints/.tmp-" + kSecond, "No space left on device", "bytes wanted", "free",
              "saving the checkpoint of step 6", "checkpoints/" + kFirst + " is kept", "--resume"},
             failing("space=" + std::to_string(space), ".tmp-" + kSecond));
    t.check(is_whole(t.path("run/checkpoints/" + kFirst)), "the checkpoint before is not whole");
    t.check(!has_left_overs(t), "a temporary folder is left");
  }
  t.expect(0, train(config, {"--resume"}), {});
  t.check(t.read("run/metrics.csv") == read_text(fs::path(lab_run().run) / "metrics.csv"),
          "the resumed run ends otherwise");
}

void r02(Trial& t) {
  const std::string config = lab_config(t);
  t.expect(128 + 9, train(config), {}, failing("kill=2", ".tmp-" + kSecond));
  t.check(has_left_overs(t), "nothing is left");
  t.expect(0, train(config, {"--resume"}),
           {"removed", "run/checkpoints/.tmp-" + kSecond, "left by a run that was cut off",
            "the checkpoint of step 3"});
  t.check(!has_left_overs(t), "a left-over is left");
  t.check(t.read("run/best/model.safetensors") ==
              read_text(fs::path(lab_run().run) / "best/model.safetensors"),
          "the resumed run ends otherwise");
}

/// What each power loss leaves; from the first commit on a whole checkpoint is among it.
void r03(Trial& t) {
  const std::string config = lab_config(t);
  const std::string folder = t.path("run").string();
  t.expect(0, train(config), {}, failing("record=" + t.path("lost").string(), folder));
  int64_t states = 0, bad = 0, first = -1;
  std::vector<fs::path> to_resume;
  for (; fs::exists(t.path("lost") / std::to_string(states)); ++states)
    for (const char* kept : {"names", "synced"}) {
      const fs::path state = t.path("lost") / std::to_string(states) / kept;
      bool whole = false;
      std::error_code absent;
      for (const auto& entry : fs::directory_iterator(state / "checkpoints", absent))
        whole = whole ||
                (entry.path().filename().string().starts_with("step-") && is_whole(entry.path()));
      if (whole && first < 0 && std::string(kept) == "synced") first = states;
      if (first >= 0 && !whole) ++bad;
      if (first >= 0 && states % 16 == 0) to_resume.push_back(state);
    }
  t.check(states > 40, std::to_string(states) + " states");
  t.check(first > 0, "there was no checkpoint");
  t.check(bad == 0, std::to_string(bad) + " of " + std::to_string(2 * states) +
                        " states have no whole checkpoint");
  for (const fs::path& state : to_resume) {
    fs::remove_all(t.path("run"));
    fs::copy(state, t.path("run"), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    t.expect(0, train(config, {"--resume"}), {});
    t.check(t.read("run/metrics.csv") == read_text(fs::path(lab_run().run) / "metrics.csv"),
            state.string() + " ends otherwise");
  }
}

void r04(Trial& t) {
  const std::string config = lab_config(t);
  for (const auto& [code, text] :
       std::vector<std::pair<std::string, std::string>>{{"write=30", "Read-only file system"},
                                                        {"fsync=5", "Input/output error"},
                                                        {"write=116", "Stale file handle"},
                                                        {"rename=5", "Input/output error"}}) {
    fs::remove_all(t.path("run"));
    const std::string operation = code.substr(0, code.find('='));
    t.expect(4, train(config),
             {kSecond, operation, text, "saving the checkpoint of step 6",
              "checkpoints/" + kFirst + " is kept"},
             failing(code,
                     "checkpoints/" + std::string(operation == "rename" ? "" : ".tmp-") + kSecond));
    t.check(is_whole(t.path("run/checkpoints/" + kFirst)), "the checkpoint before is not whole");
  }
}

void r05(Trial& t) {
  const std::string config = stopped(t);
  const std::string newest = "run/checkpoints/" + kSecond;
  const std::string good = read_text(t.path(newest + "/model.safetensors"));
  const auto damaged = [&](const std::string& file, const std::string& bytes, const Texts& texts) {
    stopped(t);
    if (bytes == "remove")
      fs::remove(t.path(newest + "/" + file));
    else
      t.write(newest + "/" + file, bytes);
    const Answer answer = t.expect(3, resumed(config), {newest, file, "remove"});
    t.contains(answer, texts);
  };
  std::string flipped = good;
  flipped[good.size() / 2] ^= 4;
  const auto hash = [](const std::string& bytes) { return sha256(as_bytes(bytes)).substr(0, 16); };
  damaged("model.safetensors", flipped, {"SHA-256", hash(good), hash(flipped)});
  damaged("model.safetensors", good.substr(0, good.size() - 1),
          {std::to_string(good.size() - 1) + " bytes", "wanted " + std::to_string(good.size())});
  damaged("optimizer.safetensors", "remove", {"missing"});
  damaged("state.json", "{}", {"bytes, wanted"});
  damaged("MANIFEST.json", "{}", {});
  damaged("added.bin", "x", {"MANIFEST.json does not name added.bin"});
  // What the message advises: the one before.
  stopped(t);
  fs::remove_all(t.path(newest));
  t.expect(0, resumed(config), {});
}

void r07(Trial& t) {
  const std::string config = stopped(t);
  Texts words = resumed(config);
  words.insert(words.end(), {"--set", "train.batch_size=8"});
  t.expect(2, words, {"train.batch_size: 16 -> 8", "--allow-changed"});
  // Other data.
  const std::string own = lab_config(t, lab_rows(60));
  fs::remove_all(t.path("run"));
  Texts mine = train(own, {"--set", "train.epochs=3"});
  t.run(mine, failing("kill=1", ".tmp-step-00000009"));
  t.write("t.csv", kLabHeader + lab_rows(59) + "q1,3,4,no,train\n");
  mine.push_back("--resume");
  t.expect(2, mine,
           {"(data)", " -> ", "1 case was added, 1 removed, 0 changed", "--allow-changed"});
  mine.push_back("--allow-changed");
  t.expect(0, mine, {});
  t.contains({.out = t.read("run/manifest.json")}, {"\"changed\"", "(data)"});
}

void r08(Trial& t) {
  const std::string config = stopped(t);
  const std::string manifest = "run/checkpoints/" + kSecond + "/MANIFEST.json";
  std::string text = t.read(manifest);
  text.replace(text.find("\"format\": 2"), 11, "\"format\": 9");
  t.write(manifest, text);
  t.expect(3, resumed(config), {manifest, "format 9", "up to 2", "newer"});
}

}  // namespace

Rows checkpoint_rows() {
  return {
      {"R01", "a disk that is full in the middle of a checkpoint", r01},
      {"R02", "kill -9 in the middle of a checkpoint", r02},
      {"R03", "power losses", r03},
      {"R04", "a disk that fails", r04},
      {"R05", "a damaged checkpoint", r05},
      {"R07", "a run that goes on with another config or other data", r07},
      {"R08", "a checkpoint of a newer format", r08},
  };
}

}  // namespace fovea::test
