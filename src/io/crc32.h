// The checksum of PNG and zip.
#pragma once

#include <cstdint>
#include <string_view>

namespace fovea::io {

/// CRC-32 (ISO 3309, polynomial 0xedb88320 reflected), continued from `crc`.
uint32_t crc32(std::string_view bytes, uint32_t crc = 0);

}  // namespace fovea::io
