#include "fovea/formats/placed_image.h"

#include <fmt/format.h>

#include <span>

#include "formats/decoded_cache.h"
#include "fovea/core/error.h"
#include "fovea/formats/image_tensor.h"

namespace fovea::formats {
namespace {

namespace fs = std::filesystem;

std::string changed(const fs::path& path, const storage::FileStamp& listed,
                    const storage::FileStamp& now) {
  return fmt::format(
      "{}: the file changed while it was in use: found {} bytes, {:+.3f} s modified, wanted {} "
      "bytes "
      "as when it was listed; start again, and do not write into the data during a run",
      storage::shown(path), now.size, double(now.modified_ns - listed.modified_ns) * 1e-9,
      listed.size);
}

storage::InputFile open_listed(const fs::path& path,
                               const std::optional<storage::FileStamp>& listed) {
  try {
    return storage::InputFile(path);
  } catch (const Error& error) {
    if (!listed || *listed == storage::FileStamp{}) throw;
    throw Error(
        error.fault(),
        fmt::format("{}; the file had {} bytes when it was listed", error.what(), listed->size),
        "start again, and leave the data alone during a run");
  }
}

}  // namespace

PlacedImage read_placed(const fs::path& path, const PlacedOptions& options, ImageNotes& notes,
                        const std::optional<storage::FileStamp>& listed) {
  const storage::InputFile file = open_listed(path, listed);
  if (listed && *listed != file.stamp()) throw io_error(changed(path, *listed, file.stamp()));
  const FormatOptions& formats = options.formats;
  const DecodedCache cache(options.cache_folder, path, file.stamp(), options.channels, formats);
  std::vector<std::string> said;
  if (std::optional<PlacedImage> kept = cache.find(said)) {
    notes.add(storage::shown(path), said);
    return std::move(*kept);
  }
  const int64_t most = formats.max_decoded_mb << 20;
  if (file.size() > most)
    throw data_error(fmt::format("{}: found {} bytes, wanted at most {}", storage::shown(path),
                                 file.size(), most),
                     "raise FormatOptions::max_decoded_mb if it is meant to be so large");
  std::string content(static_cast<size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(content)));
  Image decoded = decode_image(content, path, formats);
  PlacedImage placed{
      within(storage::shown(path), [&] { return to_tensor(decoded, options.channels); }),
      decoded.grid()};
  if (options.channels == 1 && decoded.channels == 3) decoded.notes.push_back("colour became grey");
  notes.add(storage::shown(path), decoded.notes);
  cache.keep(placed, decoded.notes);
  return placed;
}

}  // namespace fovea::formats
