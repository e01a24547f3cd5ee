#include "fovea/io/npz.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"
#include "io/npy_bytes.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kExtension = ".npy";
constexpr int64_t kRatio = 1000;             // an array of equal numbers reaches 1030
constexpr int64_t kRatioMatters = 64 << 20;  // bytes

struct CloseZip {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
struct CloseMember {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Zip = std::unique_ptr<zip_t, CloseZip>;
using Member = std::unique_ptr<zip_file_t, CloseMember>;

std::string error_text(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

// Opens the archive that InputFile has found to be a regular file, with the entries checked against each other.
Zip open_zip(const fs::path& path) {
  const storage::InputFile file(path);
  int code = 0;
  // That check also stops at two members of one name, without saying which: those are left to the caller.
  for (const int flags : {ZIP_CHECKCONS, 0}) {
    const int descriptor = dup(file.descriptor());
    Zip zip(zip_fdopen(descriptor, flags, &code));
    if (zip) return zip;
    ::close(descriptor);
    if (code != ZIP_ER_EXISTS) break;
  }
  throw data_error(
      fmt::format("reading npz {}: {}; the archive is cut off or damaged, copy it again",
                  storage::shown(path), error_text(code)));
}

// Fills `to` with as many bytes as the member still has.
size_t read_some(zip_file_t* member, char* to, size_t bytes, const std::string& where) {
  size_t done = 0;
  while (done < bytes) {
    const zip_int64_t n = zip_fread(member, to + done, std::min<size_t>(bytes - done, 1 << 30));
    if (n < 0)
      throw data_error(fmt::format("reading npz {}: {}; the archive is damaged", where,
                                   zip_file_strerror(member)));
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

}  // namespace

struct NpzFile::Archive {
  fs::path path;
  Zip zip;

  std::string where(std::string_view member) const {
    return storage::shown(path) + ", member " + storage::escaped(member, 200);
  }
  Error refuse(std::string_view member, const std::string& what) const {
    return data_error(fmt::format("reading npz {}: {}", where(member), what));
  }
  NpzEntry read_entry(const zip_stat_t& info) const {
    const std::string_view name = info.name;
    const Member member = open(info.index, name);
    const auto size = static_cast<int64_t>(info.size);
    std::string head(static_cast<size_t>(std::min(kNpyHeadBytes, size)), '\0');
    head.resize(read_some(member.get(), head.data(), head.size(), where(name)));
    NpyHeader header = read_npy_header(head, where(name));
    if (size - header.data_offset != header.data_bytes) {
      throw refuse(
          name, fmt::format("shape {} wants {} bytes, found {}", storage::shape_text(header.shape),
                            header.data_bytes, size - header.data_offset));
    }
    return {std::string(name.substr(0, name.size() - kExtension.size())), std::move(header)};
  }

  Member open(zip_uint64_t index, std::string_view name) const {
    Member member(zip_fopen_index(zip.get(), index, 0));
    if (!member)
      throw refuse(name, std::string(zip_strerror(zip.get())) + "; the archive is damaged");
    return member;
  }

  void check_name(std::string_view name) const {
    const bool climbs = fmt::format("/{}/", name).find("/../") != std::string::npos;
    if (name.empty() || name[0] == '/' || climbs ||
        name.find_first_of("\\:") != std::string_view::npos) {
      throw refuse(name, "an absolute name or one with '..', wanted a plain name");
    }
    if (!name.ends_with(kExtension))
      throw refuse(name, "wanted arrays only, with names that end in .npy");
  }

  void check_member(const zip_stat_t& info, const NpzLimits& limits) const {
    check_name(info.name);
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((info.valid & kNeeded) != kNeeded)
      throw refuse(info.name, "its directory entry is damaged");
    if (info.encryption_method != ZIP_EM_NONE)
      throw refuse(info.name, "it is encrypted, wanted a plain archive");
    if (info.comp_method != ZIP_CM_STORE && info.comp_method != ZIP_CM_DEFLATE) {
      throw refuse(info.name, fmt::format("compression method {}, wanted 0 (none) or 8 (Deflate)",
                                          info.comp_method));
    }
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    const bool known =
        zip_file_get_external_attributes(zip.get(), info.index, 0, &system, &attributes) == 0;
    const mode_t type = known && system == ZIP_OPSYS_UNIX ? (attributes >> 16) & S_IFMT : 0;
    if (type != 0 && type != S_IFREG)
      throw refuse(info.name, "it is a link or a special file, wanted a regular file");
    if (info.size > static_cast<zip_uint64_t>(limits.max_member_bytes)) {
      throw refuse(info.name, fmt::format("{} bytes uncompressed, the limit is {}", info.size,
                                          limits.max_member_bytes));
    }
    if (info.size > static_cast<zip_uint64_t>(kRatioMatters) &&
        info.size / kRatio > info.comp_size) {
      throw refuse(info.name, fmt::format("{} bytes uncompressed out of {}, more than {} to 1",
                                          info.size, info.comp_size, kRatio));
    }
  }
};

NpzFile::NpzFile() : archive_(std::make_unique<Archive>()) {}
NpzFile::NpzFile(NpzFile&&) noexcept = default;
NpzFile::~NpzFile() = default;

NpzFile NpzFile::open(const fs::path& path, const NpzLimits& limits) {
  NpzFile result;
  Archive& archive = *result.archive_;
  archive.path = path;
  archive.zip = open_zip(path);
  const zip_int64_t members = zip_get_num_entries(archive.zip.get(), 0);
  if (members > limits.max_members) {
    throw data_error(fmt::format("reading npz {}: found {} members, at most {} are read",
                                 storage::shown(path), members, limits.max_members));
  }
  std::set<std::string> names;
  for (zip_int64_t i = 0; i < members; ++i) {
    zip_stat_t info;
    const auto index = static_cast<zip_uint64_t>(i);
    if (zip_stat_index(archive.zip.get(), index, ZIP_FL_ENC_RAW, &info) != 0) {
      throw archive.refuse(std::to_string(i), "its directory entry is damaged");
    }
    archive.check_member(info, limits);
    if (!names.insert(info.name).second) {
      throw archive.refuse(info.name, "two members have this name");
    }
    result.entries_.push_back(archive.read_entry(info));
  }
  return result;
}

const NpzEntry* NpzFile::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const NpzEntry& e) { return e.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

Array NpzFile::read(std::string_view name) const {
  const NpzEntry* entry = find(name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const NpzEntry& each : entries_) names.push_back(storage::escaped(each.name, 100));
    const std::string near = nearest(name, names);
    throw data_error(fmt::format("npz {}: no array '{}'{}; arrays found: {}",
                                 storage::shown(archive_->path), storage::escaped(name, 100),
                                 near.empty() ? "" : "; did you mean '" + near + "'?",
                                 join(names, ", ", 100)));
  }
  const std::string member_name = entry->name + std::string(kExtension);
  const Member member =
      archive_->open(static_cast<zip_uint64_t>(entry - entries_.data()), member_name);
  const std::string where = archive_->where(member_name);
  std::string head(static_cast<size_t>(entry->header.data_offset), '\0');
  std::vector<std::byte> numbers(static_cast<size_t>(entry->header.data_bytes));
  size_t found = read_some(member.get(), head.data(), head.size(), where);
  found += read_some(member.get(), reinterpret_cast<char*>(numbers.data()), numbers.size(), where);
  char beyond;  // reading on to the end makes libzip check the CRC
  found += read_some(member.get(), &beyond, 1, where);
  if (found != head.size() + numbers.size()) {
    throw archive_->refuse(
        member_name, fmt::format("wanted {} bytes, found another number; the archive is damaged",
                                 head.size() + numbers.size()));
  }
  return array_from(entry->header, std::move(numbers));
}

namespace {

[[noreturn]] void fail_writing(const fs::path& path, zip_error_t* error) {
  throw io_error(
      fmt::format("writing npz {}: {}", storage::shown(path), zip_error_strerror(error)));
}

}  // namespace

void write_npz(const fs::path& path, const std::map<std::string, Array>& arrays) {
  constexpr zip_uint16_t kNoTime = 0,
                         kFirstDay = (1 << 5) | 1;  // 1980-01-01 00:00, the first that zip knows
  std::vector<std::string> contents;
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* memory = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (memory == nullptr) fail_writing(path, &error);
  zip_source_keep(memory);
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> kept(memory, &zip_source_free);
  Zip zip(zip_open_from_source(memory, ZIP_TRUNCATE, &error));
  if (!zip) {
    zip_source_free(memory);
    fail_writing(path, &error);
  }
  contents.reserve(arrays.size());
  for (const auto& [name, array] : arrays) {
    const std::string& content = contents.emplace_back(encode_npy(array));
    zip_source_t* source = zip_source_buffer(zip.get(), content.data(), content.size(), 0);
    const zip_int64_t index =
        zip_file_add(zip.get(), (name + std::string(kExtension)).c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      fail_writing(path, zip_get_error(zip.get()));
    }
    zip_set_file_compression(zip.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    zip_file_set_dostime(zip.get(), static_cast<zip_uint64_t>(index), kNoTime, kFirstDay, 0);
  }
  if (zip_close(zip.get()) != 0) fail_writing(path, zip_get_error(zip.get()));
  static_cast<void>(zip.release());
  zip_stat_t info;
  std::string file;
  if (zip_source_open(memory) != 0 || zip_source_stat(memory, &info) != 0)
    fail_writing(path, zip_source_error(memory));
  file.resize(info.size);
  const bool whole =
      zip_source_read(memory, file.data(), file.size()) == static_cast<zip_int64_t>(file.size());
  zip_source_close(memory);
  if (!whole) fail_writing(path, zip_source_error(memory));
  storage::write_file_atomically(path, file);
}

bool is_zip(std::string_view head) { return head.starts_with("PK\x03\x04"); }

}  // namespace fovea::io
