#include "dicom/source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "fovea/core/error.h"

namespace fovea::dicom {
namespace {

constexpr size_t kWindow = 64 * 1024;

}  // namespace

Source::Source(const std::filesystem::path& path)
    : file_(std::in_place, path), size_(static_cast<uint64_t>(file_->size())) {}

const uint8_t* Source::at(uint64_t offset, size_t count) {
  if (!file_) return reinterpret_cast<const uint8_t*>(memory_.data()) + offset;
  if (offset < window_start_ || offset + count > window_start_ + window_.size()) {
    window_.resize(std::min<uint64_t>(kWindow, size_ - offset));
    window_start_ = offset;
    fill(offset, window_.data(), window_.size());
  }
  return window_.data() + (offset - window_start_);
}

void Source::copy(uint64_t offset, void* destination, uint64_t count) {
  if (count > 0) fill(offset, destination, count);
}

void Source::fill(uint64_t offset, void* destination, size_t count) const {
  if (!file_)
    std::memcpy(destination, memory_.data() + offset, count);
  else
    file_->read(static_cast<int64_t>(offset), {static_cast<std::byte*>(destination), count});
}

std::vector<std::byte> read_whole(const std::filesystem::path& path, uint64_t limit) {
  const storage::InputFile file(path);
  if (static_cast<uint64_t>(file.size()) > limit)
    throw data_error(fmt::format("{}: the file has {} bytes; at most {} are read",
                                 storage::shown(path), file.size(), limit),
                     "raise Limits::max_inflated_bytes, or split the object");
  std::vector<std::byte> bytes(static_cast<size_t>(file.size()));
  file.read(0, bytes);
  return bytes;
}

std::vector<std::byte> inflate_raw(Source& source, uint64_t offset, uint64_t limit) {
  struct Stream {
    z_stream z{};
    Stream() {
      if (inflateInit2(&z, -MAX_WBITS) != Z_OK) throw resource_error("zlib cannot start");
    }
    ~Stream() { inflateEnd(&z); }
  } stream;
  z_stream& z = stream.z;

  const uint64_t start = offset;
  std::vector<std::byte> out;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (z.avail_in == 0) {
      const size_t count = std::min<uint64_t>(kWindow, source.size() - offset);
      if (count == 0)
        throw data_error(fmt::format(
            "the deflated data set ends early: {} bytes in, {} out; copy the file again",
            offset - start, out.size()));
      z.next_in = const_cast<uint8_t*>(source.at(offset, count));
      z.avail_in = static_cast<uInt>(count);
      offset += count;
    }
    const size_t before = out.size();
    if (before >= limit)
      throw data_error(
          fmt::format("the deflated data set grows above {} bytes, the most that are read: {} "
                      "bytes in, {} out so far",
                      limit, offset - start - z.avail_in, before),
          "raise Limits::max_inflated_bytes if it is meant");
    // A quarter more each time: a bomb is met before much memory is touched.
    const size_t room = std::min<uint64_t>(limit - before, std::max<size_t>(kWindow, before / 4));
    out.resize(before + room);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    z.avail_out = static_cast<uInt>(std::min<size_t>(room, 1u << 30));
    const uInt offered = z.avail_out;
    status = inflate(&z, Z_NO_FLUSH);
    out.resize(before + (offered - z.avail_out));
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      throw data_error(
          fmt::format("the deflated data set is damaged after {} bytes ({}); copy the file again",
                      offset - start - z.avail_in, z.msg ? z.msg : "zlib error"));
  }
  return out;
}

}  // namespace fovea::dicom
