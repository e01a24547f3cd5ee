// Windows of a table per second, from the CSV file to batches, as bench/peers/series.py.
//   bench_series CONFIG [KEY=VALUE…]
#include <fmt/format.h>

#include "fovea/bundle/assemble.h"
#include "fovea/core/error.h"
#include "measure.h"

using namespace fovea;

namespace {

void serve(const std::filesystem::path& path, const std::vector<std::string>& set) {
  const config::RunConfig config = config::read_config(path, set);
  int64_t windows = 0;
  const auto read_all = [&] {
    windows = 0;
    const sources::Source source = sources::open_source(config.data, config.seed);
    const Loader loader(source.data, {}, train::training_loader(config.train, config.seed));
    for (const Batch& batch : loader.epoch(0)) windows += batch.size();
  };
  read_all();
  std::cout << "ready" << std::endl;
  while (bench::our_turn()) {
    const double seconds = bench::seconds_of(read_all);
    std::cout << static_cast<double>(windows) / seconds << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw config_error("wanted: bench_series CONFIG [KEY=VALUE…]");
    serve(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "bench_series: " << error.what() << '\n';
    return 1;
  }
}
