// Parser: src/tables/cells.cpp src/tables/why_not_a_number.cpp src/tables/names.cpp
// Cells end in NUL; the first byte chooses how numbers are written.
#include "tables/cells.h"
#include "fuzz/support/fuzz.h"
#include "tables/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    const uint8_t choice = input.byte();
    const tables::NumberFormat format{.decimal = (choice & 1) != 0 ? ',' : '.',
                                      .thousands = "\0. '"[choice >> 1 & 3],
                                      .json = (choice & 8) != 0};
    tables::NumberReader reader(format, {"NA", "-9"}, tables::NumberReader::Dates(choice >> 4 & 1));
    tables::NumberReader either(format, {}, tables::NumberReader::Dates::either);
    std::vector<std::string> keys, notes;
    while (!input.rest().empty()) {
      const std::string cell = input.part();
      tables::number_in(cell, format);
      if (const auto date = tables::date_in(cell)) tables::date_text(date->days);
      tables::why_not_a_number(cell, format, "Options::missing");
      tables::means_missing(cell);
      either.read(cell);
      if (reader.read(cell).type == tables::NumberReader::Cell::wrong)
        reader.refusal(cell, "Options::missing");
      keys.push_back(tables::name_key(cell, format.decimal));
      tables::is_whole(keys.back());
      tables::truth_in(keys.back());
      tables::alike_key(keys.back());
      tables::is_nested(cell);
    }
    reader.add_notes("column", notes);
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    tables::clashes(keys);
  });
}
