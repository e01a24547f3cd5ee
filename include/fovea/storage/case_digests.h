// What a run learned from, case by case: its cases.csv, by which a run that goes on finds out what has
// changed. It holds no name and no value, only hashes, salted where they are of names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// Each is the beginning of a SHA-256; 0: there is nothing of it.
struct CaseDigest {
  uint64_t name = 0;     ///< of the case's name, salted (storage/hash.h)
  uint64_t learned = 0;  ///< of split, patient and targets
  uint64_t stamp = 0;    ///< of the sizes and times of its files
  uint64_t content = 0;  ///< of the bytes of its files
};
using CaseDigests = std::vector<CaseDigest>;

inline constexpr const char* kCasesName = "cases.csv";  ///< in the folder of a run

uint64_t digest_of(std::string_view bytes);
uint64_t salted_digest_of(std::string_view name);

/// A table of these four columns, in the order of the cases, and back; none where the file is absent.
/// A data Error where it is damaged.
std::string text_of(const CaseDigests& cases);
CaseDigests read_case_digests(const std::filesystem::path& file);

/// "2 cases were added, 1 removed, 3 changed"; "" where they are the same, whatever their order and
/// the times of their files.
std::string difference(const CaseDigests& before, const CaseDigests& after);

}  // namespace fovea::storage
