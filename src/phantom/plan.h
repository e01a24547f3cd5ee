// Who is in the set: patients, labels, splits, identifiers. All from the seed.
#pragma once

#include "fovea/core/random.h"
#include "fovea/phantom/phantom.h"
#include "phantom/dicom_file.h"

namespace fovea::phantom {

/// What a stream of random numbers is for; the epoch of Random.
enum class Use : uint64_t { plan, anatomy, exposure, uid, thorax, noise, report, labs };

Random stream(const PhantomOptions& options, Use use, uint64_t index);

struct PlannedPatient {
  Patient patient;
  std::string split;  ///< "train", "val" or "test"
};

/// Those of the radiographs first, those of the volumes after them.
std::vector<PlannedPatient> plan_patients(const PhantomOptions& options);

/// A UID under 2.25 (PS3.5 B.2) for thing `index` of type `type`.
std::string uid(const PhantomOptions& options, uint64_t type, uint64_t index);

}  // namespace fovea::phantom
