// Texts to ids on one thread.    bench_tokenize VOCABULARY TABLE [COUNT]     WordPiece, the column `text` of a CSV table
#include "fovea/core/error.h"
#include "fovea/storage/csv.h"
#include "fovea/text/tokenizers.h"
#include "measure.h"

using namespace fovea;

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw config_error("wanted: bench_tokenize VOCABULARY TABLE [COUNT]");
    text::TokenizerChoice choice;
    choice.set("wordpiece", text::WordPieceOptions{.file = argv[1], .add_special = true});
    const text::TokenizerPtr tokenizer = choice.make();
    tokenizer->fit({});
    const storage::Table table = storage::read_csv(argv[2]);
    const int64_t column = table.column("text");
    const int64_t count = argc > 3 ? std::stoll(argv[3]) : 10000;
    const auto measure = [&] {
      size_t tokens = 0;
      const double seconds = bench::seconds_of([&] {
        for (int64_t i = 0; i < count; ++i)
          tokens += tokenizer->encode(table.cell(i % table.rows(), column)).size();
      });
      return tokens > 0 ? static_cast<double>(count) / seconds : 0;
    };
    measure();
    std::cout << "ready" << std::endl;
    while (bench::our_turn()) std::cout << measure() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "bench_tokenize: " << error.what() << '\n';
    return 1;
  }
}
