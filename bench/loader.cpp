// Augmented batches per second, as bench/peers/load.py: every file of the table, again and again until IMAGES are read.
//   bench_loader CONFIG IMAGES [KEY=VALUE…]
#include <fmt/format.h>

#include "fovea/bundle/assemble.h"
#include "fovea/core/error.h"
#include "fovea/io/process.h"
#include "measure.h"

using namespace fovea;

namespace {

void serve(const std::filesystem::path& path, int64_t images, const std::vector<std::string>& set) {
  const config::RunConfig config = config::read_config(path, set);
  const sources::Source source = sources::open_source(config.data, config.seed);
  std::vector<int64_t> indices(images);
  for (int64_t i = 0; i < images; ++i) indices[i] = i % source.data->size();
  const Loader loader(subset(source.data, indices),
                      bundle::make_pipeline(config, config.transforms.train),
                      train::training_loader(config.train, config.seed));
  int64_t epoch = 0;
  const auto read_all = [&] {
    int64_t count = 0;
    for (const Batch& batch : loader.epoch(epoch++)) count += batch.size();
    if (count != images) throw data_error(fmt::format("found {} images, wanted {}", count, images));
  };
  read_all();
  std::cout << "ready" << std::endl;
  while (bench::our_turn())
    std::cout << static_cast<double>(images) / bench::seconds_of(read_all) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  fovea::io::take_opencv();  // as the program does
  try {
    if (argc < 3) throw config_error("wanted: bench_loader CONFIG IMAGES [KEY=VALUE…]");
    serve(argv[1], std::stoll(argv[2]), {argv + 3, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "bench_loader: " << error.what() << '\n';
    return 1;
  }
}
