// Writes zip archives member by member, right or wrong as a test wishes.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::test {

struct ZipMember {
  std::string name, bytes;
  bool deflated = false;
  uint32_t mode = 0100644;  ///< 0120777: a link
};

namespace zip {

inline std::string number(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

inline std::string packed(const std::string& bytes) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace zip

inline std::string zip_bytes(const std::vector<ZipMember>& members) {
  std::string file, directory;
  for (const ZipMember& member : members) {
    const std::string stored = member.deflated ? zip::packed(member.bytes) : member.bytes;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(member.bytes.data()),
                           static_cast<uInt>(member.bytes.size()));
    const std::string common = zip::number(20, 2) + zip::number(0, 2) +
                               zip::number(member.deflated ? 8 : 0, 2) + zip::number(0, 4) +
                               zip::number(crc, 4) + zip::number(stored.size(), 4) +
                               zip::number(member.bytes.size(), 4) +
                               zip::number(member.name.size(), 2) + zip::number(0, 2);
    directory += "PK\1\2" + zip::number(0x0314, 2) + common + zip::number(0, 2 + 2 + 2) +
                 zip::number(uint64_t{member.mode} << 16, 4) + zip::number(file.size(), 4) +
                 member.name;
    file += "PK\3\4" + common + member.name + stored;
  }
  const size_t at = file.size();
  return file + directory + "PK\5\6" + zip::number(0, 4) + zip::number(members.size(), 2) +
         zip::number(members.size(), 2) + zip::number(directory.size(), 4) + zip::number(at, 4) +
         zip::number(0, 2);
}

/// A .npy file of version 1.0.
inline std::string npy_bytes(const std::string& header, const std::string& data,
                             const char* version = "\1") {
  std::string text = header;
  while ((10 + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  return "\x93NUMPY" + std::string(version, 1) + std::string(1, '\0') +
         zip::number(text.size(), 2) + text + data;
}
inline std::string npy_header(const std::string& dtype, const std::string& shape,
                              bool fortran = false) {
  return "{'descr': '" + dtype + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }";
}

}  // namespace fovea::test
