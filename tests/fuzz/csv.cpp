// Parser: src/storage/csv.cpp src/storage/table.cpp src/storage/text.cpp
// The first byte chooses the options.
#include "fovea/storage/csv.h"
#include "fovea/storage/text.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    const uint8_t choice = input.byte();
    storage::CsvOptions options;
    options.delimiter = ",;\t "[choice & 3];
    options.quote = (choice & 4) != 0 ? '\0' : (choice & 8) != 0 ? '\'' : '"';
    options.check_quotes = (choice & 16) == 0;
    if ((choice & 32) != 0) options.columns = {"a", "b"};
    storage::Table table = storage::read_csv(fuzz::file_of(input.rest()), options);
    const storage::Table again = table;
    table.append(again);
    const auto columns = static_cast<int64_t>(table.columns().size());
    size_t bytes = 0;
    for (int64_t row = 0; row < table.rows(); ++row)
      for (int64_t column = 0; column < columns; ++column) {
        const std::string_view cell = table.cell(row, column);
        bytes += cell.size();
        fuzz::require(storage::valid_utf8(cell) == cell.size(), "a cell that is not UTF-8");
        fuzz::require(cell == again.cell(row % again.rows(), column), "another cell");
      }
    fuzz::require(bytes <= 2 * size, "more text than the file has");
    table.place(table.rows() - 1);
    table.column("b");
  });
}
