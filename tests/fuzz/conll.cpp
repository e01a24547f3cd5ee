// Parser: src/tables/conll.cpp
#include "fovea/tables/read_table.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const storage::Table table = tables::read_conll(fuzz::file_of(fuzz::Input(data, size).rest()));
    for (int64_t row = 0; row < table.rows(); ++row)
      fuzz::require(!table.cell(row, 1).empty(), "a sentence without its spans");
  });
}
