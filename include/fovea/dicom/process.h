// What DCMTK keeps for the whole process.
#pragma once

namespace fovea::dicom {

/// For a program that is all fovea: DCMTK's log off, which repeats in its own words what becomes an
/// Error here, and at its debug level prints values of tags. The library never calls it: in another
/// program the log is as that program wants it.
void silence_dcmtk();

}  // namespace fovea::dicom
