// Data sets and configs that rows of several areas make.
#pragma once

#include <string>
#include <vector>

#include "bad_input/trial.h"
#include "support/dicom_bytes.h"
#include "support/program.h"

namespace fovea::test {

/// A DICOM image of 16 x 16 whose pixels count on from `first`.
inline DicomImage ramp(int first = 0) {
  DicomImage made;
  made.rows = made.columns = 16;
  made.pixels.clear();
  for (int i = 0; i < 256; ++i) made.pixels += static_cast<char>((first + i) % 251);
  return made;
}

/// What follows the data section of a config for small images.
inline const std::string kImageModel = R"(
transforms: {train: [{resize: 16}, {scale: range}], eval: [{resize: 16}, {scale: range}]}
model: {encoders: {image: {cnn: {channels: [4, 4]}}}}
train: {epochs: 1, batch_size: 4, precision: fp32, threads: 1, loader_threads: 1}
)";

/// labels.csv and c.yaml for these image files: every other case is ill; two of five are for validation and test. `more`
/// are lines of the data section.
inline std::string image_config(const Trial& trial, const Texts& files,
                                const std::string& more = "") {
  std::string table = "path,ill,split\n";
  for (size_t i = 0; i < files.size(); ++i)
    table += files[i] + (i % 2 == 0 ? ",no," : ",yes,") +
             (i % 10 == 6 || i % 10 == 7   ? "val\n"
              : i % 10 == 8 || i % 10 == 9 ? "test\n"
                                           : "train\n");
  trial.write("labels.csv", table);
  return trial.write("c.yaml", R"(data:
  root: .
  table: labels.csv
  inputs: {image: {column: path}}
  targets: {ill: {column: ill}}
  split: split
)" + more + kImageModel);
}

/// Ten good images g0.dcm to g9.dcm, and their names.
inline Texts good_images(const Trial& trial, int count = 10) {
  Texts names;
  for (int i = 0; i < count; ++i) {
    names.push_back("g" + std::to_string(i) + ".dcm");
    trial.write(names.back(), ramp(i).file());
  }
  return names;
}

/// Numbers of patients in a CSV: ill where the marker is above 50.
inline std::string lab_rows(int count, int first = 0) {
  std::string rows;
  for (int i = first; i < first + count; ++i) {
    const int marker = i * 37 % 101;
    rows += "p" + std::to_string(i) + "," + std::to_string(marker) + "," +
            std::to_string(i * 61 % 83) + (marker > 50 ? ",yes," : ",no,") +
            (i % 5 == 0   ? "test"
             : i % 5 == 1 ? "val"
                          : "train") +
            "\n";
  }
  return rows;
}
inline const std::string kLabHeader = "id,marker,noise,ill,split\n";

inline const std::string kLabData = R"(data:
  root: .
  table: t.csv
  inputs: {labs: {table: {columns: [marker, noise]}}}
  targets: {ill: {column: ill, classes: ["no", "yes"]}}
  id: id
  split: split
)";
inline const std::string kLabModel = R"(model: {encoders: {labs: {mlp: {hidden: [4]}}}}
train: {epochs: 2, batch_size: 16, precision: fp32, threads: 1, loader_threads: 0}
)";

/// t.csv and c.yaml of a small model of laboratory values.
inline std::string lab_config(const Trial& trial, const std::string& rows = lab_rows(60),
                              const std::string& more = "") {
  trial.write("t.csv", kLabHeader + rows);
  return trial.write("c.yaml", kLabData + more + kLabModel);
}

/// Runs that were trained once, for rows that need one: of ten images, and of laboratory values.
struct TinyRun {
  Trial trial;
  std::string config, run;

  explicit TinyRun(bool images) {
    config = images ? image_config(trial, good_images(trial)) : lab_config(trial);
    run = trial.path("run").string();
    const Answer trained = trial.run({"train", config, "--out", run, "--device", "cpu"});
    if (trained.code != 0) throw std::runtime_error("fovea train failed: " + trained.err);
  }
};

inline TinyRun& image_run() {
  static TinyRun instance(true);
  return instance;
}
inline TinyRun& lab_run() {
  static TinyRun instance(false);
  return instance;
}

/// A copy of the laboratory run, to be spoilt: its folder.
inline std::string copy_of_lab_run(const Trial& trial, const std::string& name = "run") {
  fs::copy(lab_run().run, trial.path(name),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  return trial.path(name).string();
}

/// The machine fails so (faults.cpp) in paths that hold `where`.
inline Start failing(const std::string& how, const std::string& where) {
  return {.environment = {
              {"LD_PRELOAD", FOVEA_FAULTS}, {"FOVEA_FAULT", how}, {"FOVEA_FAULT_IN", where}}};
}

/// What is called while the program runs: `act` once the file holds the text.
inline std::function<void(int)> when(const fs::path& file, const std::string& text,
                                     const std::function<void(int pid)>& act) {
  return [=](int pid) {
    for (int i = 0; i < 6000 && read_text(file).find(text) == std::string::npos; ++i) usleep(5000);
    act(pid);
  };
}

}  // namespace fovea::test
