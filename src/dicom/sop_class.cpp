#include <algorithm>
#include <utility>

#include "dicom/collected.h"

namespace fovea::dicom {

std::string sop_class_name(const std::string& uid) {
  static constexpr std::string_view kStorage = "1.2.840.10008.5.1.4.1.1.";
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"1", "Computed Radiography Image"},
      {"1.1", "Digital X-Ray Image, for presentation"},
      {"1.1.1", "Digital X-Ray Image, for processing"},
      {"1.2", "Digital Mammography X-Ray Image, for presentation"},
      {"1.2.1", "Digital Mammography X-Ray Image, for processing"},
      {"2", "CT Image"},
      {"2.1", "Enhanced CT Image"},
      {"3.1", "Ultrasound Multi-frame Image"},
      {"4", "MR Image"},
      {"4.1", "Enhanced MR Image"},
      {"6.1", "Ultrasound Image"},
      {"7", "Secondary Capture Image"},
      {"7.1", "Multi-frame Single Bit Secondary Capture Image"},
      {"7.2", "Multi-frame Grayscale Byte Secondary Capture Image"},
      {"7.3", "Multi-frame Grayscale Word Secondary Capture Image"},
      {"7.4", "Multi-frame True Color Secondary Capture Image"},
      {"9.1.1", "12-lead ECG Waveform"},
      {"9.1.2", "General ECG Waveform"},
      {"9.1.3", "Ambulatory ECG Waveform"},
      {"11.1", "Grayscale Softcopy Presentation State"},
      {"12.1", "X-Ray Angiographic Image"},
      {"12.2", "X-Ray Radiofluoroscopic Image"},
      {"13.1.3", "Breast Tomosynthesis Image"},
      {"20", "Nuclear Medicine Image"},
      {"30", "Parametric Map"},
      {"66", "Raw Data"},
      {"66.1", "Spatial Registration"},
      {"66.4", "Segmentation"},
      {"77.1.4", "Visible Light Photographic Image"},
      {"77.1.5.1", "Ophthalmic Photography 8 Bit Image"},
      {"77.1.5.4", "Ophthalmic Tomography Image"},
      {"77.1.6", "Visible Light Whole Slide Microscopy Image"},
      {"88.11", "Basic Text Structured Report"},
      {"88.22", "Enhanced Structured Report"},
      {"88.33", "Comprehensive Structured Report"},
      {"88.59", "Key Object Selection"},
      {"104.1", "Encapsulated PDF"},
      {"128", "Positron Emission Tomography Image"},
      {"481.1", "RT Image"},
      {"481.2", "RT Dose"},
      {"481.3", "RT Structure Set"},
      {"481.5", "RT Plan"},
  };
  if (uid.empty()) return "an object without SOPClassUID";
  if (uid.starts_with(kStorage))
    for (const auto& [tail, name] : kNames)
      if (std::string_view(uid).substr(kStorage.size()) == tail) return std::string(name);
  const bool sound = uid.find_first_not_of("0123456789.") == std::string::npos;
  return sound ? "SOP class " + uid : "an object whose SOPClassUID is not a UID";
}

}  // namespace fovea::dicom
