// The digests of all cases: what a run notes of its data (storage/case_digests.h).
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "fovea/sources/source.h"
#include "fovea/storage/case_digests.h"

namespace fovea::sources {

/// A digest of each case: of its split, patient and targets, and of the bytes of its images' files,
/// which are all read once; those whose sizes and times are as `known` has them are not read again. Of
/// an archive the arrays are taken; what a table or a text says is not in it (Input::fingerprint).
/// `advance` is called once per case, one call at a time. Errors name the file. Of `cases` alone, in their
/// order, where some are named.
storage::CaseDigests digests(const Source& source, const storage::CaseDigests& known,
                             const std::function<void()>& advance,
                             const std::optional<std::vector<int64_t>>& cases = {});

}  // namespace fovea::sources
