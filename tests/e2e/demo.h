// A small demo set and a run trained on it, made once for all end-to-end tests by the program
// itself.
#pragma once

#include "support/program.h"

namespace fovea::test {

inline const char* const kTinyConfig = R"(seed: 1
data:
  root: demo
  table: labels.csv
  inputs: {image: {column: path}}
  targets: {label: {column: class, classes: [clear, lesion]}}
  group: patient
  split: split
  subgroups: [sex]
transforms:
  train: [{resize: 48}, {flip: {axis: width}}, {scale: zscore}]
  eval: [{resize: 48}, {scale: zscore}]
model:
  encoders: {image: {cnn: {channels: [8, 16]}}}
train: {epochs: 2, batch_size: 16, precision: fp32, threads: 1, loader_threads: 1, best: auc}
)";

struct Demo {
  TempFolder folder;
  fs::path config;
  fs::path run;
  Outcome trained;

  Demo() {
    const Outcome made =
        fovea({"phantom", (folder / "demo").string(), "--set", "patients=40", "--set",
               "images_per_patient=2", "--set", "size=64", "--set", "volumes=1"});
    if (made.code != 0) throw std::runtime_error("fovea phantom failed: " + made.err);
    config = folder.write("tiny.yaml", kTinyConfig);
    run = folder / "run";
    trained = fovea({"train", config.string(), "--out", run.string(), "--device", "cpu"});
    if (trained.code != 0) throw std::runtime_error("fovea train failed: " + trained.err);
  }

  fs::path images() const { return folder / "demo/images"; }
  fs::path some_image() const { return *fs::recursive_directory_iterator(images()); }
};

inline const Demo& demo() {
  static const Demo instance;
  return instance;
}

}  // namespace fovea::test
