#include "storage/table_text.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"

namespace fovea::storage {

size_t check_table_text(const std::filesystem::path& path, std::string_view text) {
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    Error error = data_error(problem, remedy);
    error.add_place("reading table " + shown(path));
    return error;
  };
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    throw fail("bytes 0 and 1 are the mark of UTF-16, wanted UTF-8",
               "convert it (iconv -f UTF-16 -t UTF-8)");
  }
  if (const size_t at = text.find('\0'); at != std::string_view::npos) {
    throw fail(fmt::format("byte {} is NUL, so this is UTF-16 or no text; wanted UTF-8", at),
               "convert it (iconv -f UTF-16LE -t UTF-8)");
  }
  if (const size_t at = valid_utf8(text); at < text.size()) {
    throw fail(fmt::format("byte {} ({:#04x}) is not valid UTF-8, perhaps Latin-1", at,
                           static_cast<unsigned char>(text[at])),
               "convert it to UTF-8 (iconv -f LATIN1 -t UTF-8)");
  }
  return text.starts_with("\xef\xbb\xbf") ? 3 : 0;
}

}  // namespace fovea::storage
