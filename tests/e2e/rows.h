// A run that was trained on a small table in a second, made once, and tables of any length for it.
#pragma once

#include "support/program.h"

namespace fovea::test {

/// Ill where the marker is above 50; sex and site say nothing. A fifth of the rows is test.
inline std::string patient_rows(int64_t count) {
  std::string rows = "id,marker,noise,sex,age,ill,split\n";
  for (int64_t i = 0; i < count; ++i) {
    const int64_t marker = i * 37 % 101;
    rows += "p" + std::to_string(i) + "," + std::to_string(marker) + "," +
            std::to_string(i * 61 % 83) + (i % 3 == 0 ? ",f," : ",m,") +
            std::to_string(20 + i * 13 % 60) + (marker > 50 ? ",yes," : ",no,") +
            (i % 5 == 0   ? "test"
             : i % 5 == 1 ? "val"
                          : "train") +
            "\n";
  }
  return rows;
}

inline const char* const kRowsConfig = R"(
data:
  root: .
  table: patients.csv
  inputs: {labs: {table: {columns: [marker, noise]}}}
  targets: {ill: {column: ill, classes: ["no", "yes"]}}
  id: id
  split: split
  subgroups: [sex, age]
model: {encoders: {labs: {mlp: {hidden: [8]}}}}
train: {epochs: 3, batch_size: 32, precision: fp32, threads: 1, loader_threads: 1}
)";

struct Rows {
  TempFolder folder;
  fs::path config, run;

  Rows() {
    folder.write("patients.csv", patient_rows(400));
    config = folder.write("rows.yaml", kRowsConfig);
    run = folder / "run";
    const Outcome trained =
        fovea({"train", config.string(), "--out", run.string(), "--device", "cpu"});
    if (trained.code != 0) throw std::runtime_error("fovea train failed: " + trained.err);
  }
  std::string model() const { return quoted(run.string()); }
  /// 60,000 rows: they take seconds.
  fs::path many() const {
    if (!fs::exists(folder / "many.csv")) folder.write("many.csv", patient_rows(60'000));
    return folder / "many.csv";
  }
};

inline const Rows& rows() {
  static const Rows instance;
  return instance;
}

inline std::string fovea_command() { return quoted(program().string()) + " "; }

}  // namespace fovea::test
