// Runs that are stopped, hindered or fed with what they cannot learn from: R11 to R19.
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "bad_input/made.h"
#include "support/encapsulated.h"
#include "support/jpeg_bytes.h"

namespace fovea::test {
namespace {

Texts train(const std::string& config, const Texts& more = {}) {
  Texts words{"train", config, "--out", "run", "--device", "cpu"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}
const Texts kForever{"--set", "train.epochs=1000000"};

void r11(Trial& t) {
  const std::string config = lab_config(t);
  t.expect(
      5, train(config),
      {"memory of cpu ran out", "batch of 16 cases", "parameters", "Tried to allocate 2.00 GiB",
       "1.00 GiB is free", "train.batch_size", "The checkpoint of step 3 is kept"},
      failing("memory", "step-00000003"));
  // The memory of the computer, in the thread that loads.
  fs::remove_all(t.path("run"));
  t.expect(5, train(config), {"not enough memory", "t.csv: line", "train.loader_threads"},
           failing("allocation", "step-00000003"));
  t.check(fs::exists(t.path("run/checkpoints/step-00000003/MANIFEST.json")),
          "no checkpoint is left");
}

void r12(Trial& t) {
  // A hundred images of 4 MiB once decoded, in small files.
  DicomImage image = ramp();
  image.rows = image.columns = 1024;
  std::string frame(64, '\0');
  frame[0] = 1;
  frame[4] = 64;
  for (int i = 0; i < 8192; ++i) frame += "\x81x";
  Texts names;
  for (int i = 0; i < 100; ++i) {
    frame[65] = static_cast<char>(i);
    image.pixels.clear();
    std::string data = image.data_set();
    data.resize(data.size() - 12);
    DicomBytes pixels;
    pixels.header(0x7FE00010, "OB", 0xFFFFFFFF).item(0).item(static_cast<uint32_t>(frame.size()));
    pixels.raw(frame).sequence_end();
    names.push_back(std::to_string(i) + ".dcm");
    t.write(names.back(), dicom_file(data + pixels.bytes(), "1.2.840.10008.1.2.5"));
  }
  const std::string config = image_config(t, names);
  const Texts set{
      "--set", "transforms={train: [], eval: []}",      "--set", "train.batch_size=2",
      "--set", "model.encoders.image.cnn.channels=[1]", "--set", "train.loader_threads=4"};
  Texts small = set, large = set;
  small.insert(small.end(), {"--set", "train.loader_mb=16"});
  Trial other;
  const int64_t floor = other.run(train(image_config(other, good_images(other)), small)).peak_mib;
  const Answer answer = t.expect(0, train(config, small), {}, {.seconds = 120});
  // 16 MiB wait, a batch of 8 MiB is computed with its gradients; not the 400 MiB of all.
  t.check(answer.peak_mib <= floor + 256, "took " + std::to_string(answer.peak_mib) +
                                              " MiB, small images " + std::to_string(floor));
  large.insert(large.end(), {"--set", "train.loader_mb=1", "--force"});
  t.expect(5, train(config, large), {".dcm", "4194568 bytes", "1048576", "train.loader_mb"});
}

void r13(Trial& t) {
  const std::string config = lab_config(t);
  const Texts far{"--set", "train.optimizer={sgd: {lr: 1e+30}}",
                  "--set", "train.schedule=constant",
                  "--set", "train.epochs=4"};
  t.expect(3, train(config, far),
           {"epoch", "step", "learning rate 1e+30", "loss", "gradient", "the batch: p",
            "checkpoint", "train.non_finite", "skip"});
  Texts skipping = far;
  skipping.insert(skipping.end(), {"--set", "train.non_finite=skip", "--force"});
  t.expect(3, train(config, skipping),
           {"step skipped", "10 steps in a row were skipped", "train.clip_norm"});
}

void r14(Trial& t) {
  Texts names = good_images(t, 10);
  // A segment that ends early.
  const std::string frame = std::string("\1\0\0\0\x40", 5) + std::string(59, '\0') + "\x05x";
  t.write("g3.dcm", encapsulated(ramp(), item("") + item(frame) + kEnd));
  const Answer answer =
      t.expect(3, train(image_config(t, names), {"--set", "train.loader_threads=4"}),
               {"g3.dcm", "frame 1", "RLE", "epoch 1"}, {.seconds = 10});
}

void r15(Trial& t) {
  const std::string config = lab_config(t);
  Texts first = train(config, kForever), second = train(config, {"--resume"});
  t.expect(75, first, {}, {.meanwhile = when(t.path("run/metrics.csv"), "\n1,", [&](int pid) {
                             t.expect(4, second,
                                      {"run/lock", "pid " + std::to_string(pid), "host ", "start ",
                                       "held by another"});
                             kill(pid, SIGTERM);
                           })});
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  first.push_back("--resume");
  const auto resumed = [&](const std::string& lock, int code, const Texts& texts,
                           const Texts& more) {
    t.write("run/lock", lock);
    Texts words = first;
    words.insert(words.end(), more.begin(), more.end());
    const auto rows = std::to_string(std::ranges::count(t.read("run/metrics.csv"), '\n'));
    t.expect(code, words, texts, {.meanwhile = [&](int pid) {
               for (int i = 0; i < 400 && code == 75; ++i) {
                 usleep(10000);
                 if (std::to_string(std::ranges::count(t.read("run/metrics.csv"), '\n')) != rows)
                   break;
               }
               if (code == 75) kill(pid, SIGTERM);
             }});
  };
  resumed("pid 999999999\nhost " + std::string(host) + "\nstart 2024-01-01T00:00:00Z\n", 75,
          {"pid 999999999", host, "2024-01-01T00:00:00Z", "lock is taken"}, {});
  resumed("pid 7\nhost elsewhere\nstart 2024-01-01T00:00:00Z\n", 4,
          {"run/lock", "pid 7", "host elsewhere", "another host", "--break-lock"}, {});
  resumed("pid 7\nhost elsewhere\nstart 2024-01-01T00:00:00Z\n", 75, {"lock is taken"},
          {"--break-lock"});
}

void r16(Trial& t) {
  const std::string config = lab_config(t);
  const auto newest = [&] {
    std::string name;
    for (const auto& entry : fs::directory_iterator(t.path("run/checkpoints")))
      if (entry.path().filename().string().starts_with("step-") &&
          entry.path().filename().string() > name && fs::exists(entry.path() / "MANIFEST.json"))
        name = entry.path().filename().string();
    return name;
  };
  for (const auto& [number, name] :
       std::map<int, std::string>{{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}}) {
    const Answer answer = t.expect(75, train(config, kForever), {"stopped by " + name, "--resume"},
                                   {.meanwhile = when(t.path("run/metrics.csv"), "\n1,",
                                                      [n = number](int pid) { kill(pid, n); })});
    t.contains(answer, {"step ", "run/checkpoints/" + newest(), " s after the signal"});
    fs::remove_all(t.path("run"));
  }
  // Twice: the disk is so slow that the first commit is not done.
  Start slow = failing("slow=1000", ".tmp-step-00000006");
  slow.meanwhile = [&](int pid) {
    for (int i = 0; i < 6000 && !fs::exists(t.path("run/checkpoints/.tmp-step-00000006")); ++i)
      usleep(1000);
    kill(pid, SIGINT);
    usleep(200'000);
    kill(pid, SIGINT);
  };
  t.expect(130, train(config, kForever), {}, slow);
  t.check(newest() == "step-00000003", "the newest checkpoint is " + newest());
  Texts again = train(config, {"--resume", "--set", "train.epochs=1000000"});
  t.expect(75, again, {}, {.meanwhile = [&](int pid) {
             for (int i = 0; i < 6000 && newest() == "step-00000003"; ++i) usleep(1000);
             kill(pid, SIGTERM);
           }});
}

void r17(Trial& t) {
  const std::string config = lab_config(t);
  t.expect(0, train(config), {}, failing("clock", "step-00000003"));
  const std::string log = t.read("run/log.jsonl");
  t.check(log.find("seconds\":-") == std::string::npos &&
              log.find("per_second\":-") == std::string::npos,
          "a duration is negative: " + log);
  fs::remove_all(t.path("run"));
  const Answer full =
      t.expect(0, train(config), {"log.jsonl", "No space left on device", "goes on"},
               failing("write=28", "run/log.jsonl"));
  t.check(full.err.find("No space left") == full.err.rfind("No space left"),
          "said twice: " + full.err);
  const std::string manifest = t.read("run/manifest.json");
  t.check(manifest.find("\"dropped_log_lines\": 0") == std::string::npos &&
              manifest.find("\"dropped_log_lines\": ") != std::string::npos,
          "the dropped lines are not counted");
  t.check(t.read("run/metrics.csv").find("\n2,6,") != std::string::npos, "training did not go on");
}

void r18(Trial& t) {
  const std::string config = lab_config(t);
  t.expect(5, train(config),
           {"cpu failed at step 4", "CUDA error: unspecified launch failure",
            "checkpoints/step-00000003", "--resume"},
           failing("device", "step-00000003"));
  t.expect(0, train(config, {"--resume"}), {});
}

void r19(Trial& t) {
  std::string rows;
  for (int i = 0; i < 20; ++i) rows += "p" + std::to_string(i) + ",5,6,,train\n";
  const std::string config = lab_config(t, rows);
  t.refused(train(config, {"--set", "data.targets.ill.missing=[\"\"]"}),
            {"t.csv", "of 20 rows none is left", "every target", "missing"});
  t.check(!fs::exists(t.path("run")), "a run was begun");
}

}  // namespace

Rows run_rows() {
  return {
      {"R11", "the memory runs out", r11},
      {"R12", "huge cases, and one above the bound of the queue", r12},
      {"R13", "a loss that is not finite", r13},
      {"R14", "a thread of the loader that meets a bad file", r14},
      {"R15", "two processes on one run, locks that were left", r15},
      {"R16", "signals", r16},
      {"R17", "a clock that is set back, a log that is full", r17},
      {"R18", "the GPU is gone during a step", r18},
      {"R19", "nothing is left to learn from", r19},
  };
}

}  // namespace fovea::test
