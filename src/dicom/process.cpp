#include "fovea/dicom/process.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/oflog/oflog.h>

namespace fovea::dicom {

void silence_dcmtk() { OFLog::configure(OFLogger::OFF_LOG_LEVEL); }

}  // namespace fovea::dicom
