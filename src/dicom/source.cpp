#include "dicom/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fovea/core/error.h"

namespace fovea::dicom {
namespace {

constexpr size_t kWindow = 64 * 1024;

int open_regular(const std::filesystem::path& path, uint64_t& size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    throw io_error(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw io_error(fmt::format("{}: not a regular file; wanted a DICOM file", path.string()));
  }
  size = static_cast<uint64_t>(status.st_size);
  return descriptor;
}

void read_at(int descriptor, const std::filesystem::path& path, uint64_t offset, void* destination,
             size_t count) {
  auto* out = static_cast<uint8_t*>(destination);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor, out, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw io_error(fmt::format("{}: reading at offset {} failed: {}", path.string(), offset,
                                 got < 0 ? std::strerror(errno) : "the file became shorter"));
    out += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
}

}  // namespace

Source::Source(const std::filesystem::path& path) : path_(path) {
  descriptor_ = open_regular(path, size_);
}

Source::~Source() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

const uint8_t* Source::at(uint64_t offset, size_t count) {
  if (descriptor_ < 0) return reinterpret_cast<const uint8_t*>(memory_.data()) + offset;
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
  if (descriptor_ < 0)
    std::memcpy(destination, memory_.data() + offset, count);
  else
    read_at(descriptor_, path_, offset, destination, count);
}

std::vector<std::byte> read_whole(const std::filesystem::path& path, uint64_t limit) {
  uint64_t size = 0;
  const int descriptor = open_regular(path, size);
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};
  if (size > limit)
    throw data_error(
        fmt::format("{}: the file has {} bytes, wanted at most {}", path.string(), size, limit),
        "split the object");
  std::vector<std::byte> bytes(size);
  read_at(descriptor, path, 0, bytes.data(), bytes.size());
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
          fmt::format("the deflated data set grows above the {} bytes that are accepted: {} bytes "
                      "in, {} out so far",
                      limit, offset - start - z.avail_in, before),
          "split the object, if it is meant to be so large");
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
