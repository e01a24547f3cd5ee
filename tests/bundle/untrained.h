// A bundle that was never trained, for tests of what loads and asks it.
#pragma once

#include "fovea/bundle/trained.h"
#include "fovea/io/npy.h"
#include "fovea/nn/weights.h"
#include "fovea/storage/file.h"
#include "fovea/storage/manifest.h"
#include "support/test_files.h"

namespace fovea::bundle {

/// A bundle with the weights that training would begin with, and images to ask it about.
struct Untrained {
  test::TempFolder folder;
  std::vector<std::filesystem::path> images;
  std::filesystem::path path = folder / "bundle";

  Untrained() {
    std::string table = "file,y,split\n";
    for (int i = 0; i < 24; ++i) {
      io::Array array{.dtype = io::DType::f32, .shape = {8 + i % 3, 8}, .bytes = {}};
      array.bytes.resize(static_cast<size_t>(array.shape[0] * 8) * sizeof(float));
      for (int64_t k = 0; k < array.shape[0] * 8; ++k)
        array.data<float>()[k] = static_cast<float>((k * 31 + i * 17) % 23);
      const std::string name = "i" + std::to_string(i) + ".npy";
      io::write_npy(folder / name, array);
      images.push_back(folder / name);
      table += name + (i % 2 == 0 ? ",a," : ",b,") + (i < 16 ? "train\n" : "val\n");
    }
    folder.write("t.csv", table);
    const auto yaml = folder.write("c.yaml", R"(data:
  table: t.csv
  inputs: {image: {column: file}}
  targets: {y: {column: y}}
  split: split
transforms: {eval: [{resize: 8}]}
model: {encoders: {image: {cnn: {channels: [4]}}}}
)");
    const config::RunConfig config = config::read_config(yaml);
    const sources::Source source = sources::open_source(config.data, 1);
    const ModelCard card = make_card(config, source);
    const auto model = make_model(config, card, *make_task(config, card));
    storage::make_folder(path);
    nn::save_weights(*model, path / "model.safetensors");
    storage::write_file_atomically(path / "config.yaml", config::resolved_text(config));
    write_card(path / "model.json", card);
    storage::write_manifest(path, "bundle", {"config.yaml", "model.json", "model.safetensors"});
  }
};

inline const Untrained& untrained() {
  static const Untrained instance;
  return instance;
}

}  // namespace fovea::bundle
