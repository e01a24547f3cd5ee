// Parser: src/storage/jsonl.cpp
#include "fovea/storage/jsonl.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const storage::Table table =
        storage::read_jsonl(fuzz::file_of(fuzz::Input(data, size).rest()), 1 << 20);
    const auto columns = static_cast<int64_t>(table.columns().size());
    for (int64_t column = 0; column < columns; ++column) {
      table.notes(column);
      for (int64_t row = 0; row < table.rows(); ++row) table.cell(row, column);
    }
  });
}
