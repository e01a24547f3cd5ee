#include "phantom/dicom_file.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::phantom {

namespace {

namespace fs = std::filesystem;

// Once and for ever: other threads may be encoding.
void register_encoders() {
  static std::once_flag once;
  std::call_once(once, [] {
    DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);
    DcmRLEEncoderRegistration::registerCodecs();
  });
}

void check(const OFCondition& condition, const fs::path& path) {
  if (condition.bad())
    throw io_error(fmt::format("writing {}: {}", storage::shown(path), condition.text()));
}

/// A data set that is filled by tag and text.
class DicomFile {
 public:
  explicit DicomFile(const fs::path& path) : path_(path) {
    if (!dcmDataDict.isDictionaryLoaded())
      throw resource_error(
          "DCMTK finds no data dictionary (dicom.dic): reinstall libdcmtk or set DCMDICTPATH");
  }

  void text(const DcmTagKey& tag, const std::string& value) {
    check(set().putAndInsertString(DcmTag(tag), value.c_str()), path_);
  }
  void word(const DcmTagKey& tag, int64_t value) {
    check(set().putAndInsertUint16(DcmTag(tag), static_cast<Uint16>(value)), path_);
  }
  void samples(const std::vector<uint16_t>& values) {
    check(set().putAndInsertUint16Array(DCM_PixelData, values.data(), values.size()), path_);
  }
  void samples(const std::vector<uint8_t>& values) {
    check(set().putAndInsertUint8Array(DCM_PixelData, values.data(), values.size()), path_);
  }

  void save(Syntax syntax) {
    register_encoders();
    const DJ_RPLossless jpeg;
    const DcmRLERepresentationParameter rle;
    const auto [transfer, parameter] =
        [&]() -> std::pair<E_TransferSyntax, const DcmRepresentationParameter*> {
      switch (syntax) {
        case Syntax::implicit_le:
          return {EXS_LittleEndianImplicit, nullptr};
        case Syntax::rle:
          return {EXS_RLELossless, &rle};
        case Syntax::jpeg_lossless:
          return {EXS_JPEGProcess14SV1, &jpeg};
        default:
          return {EXS_LittleEndianExplicit, nullptr};
      }
    }();
    check(set().chooseRepresentation(transfer, parameter), path_);
    check(file_.saveFile(path_.c_str(), transfer), path_);
  }

 private:
  DcmDataset& set() { return *file_.getDataset(); }

  fs::path path_;
  DcmFileFormat file_;
};

std::string decimal(double value) { return fmt::format("{:.6g}", value); }

void put_identity(DicomFile& file, const Header& header, const char* sop_class) {
  const Patient& patient = header.patient;
  file.text(DCM_SOPClassUID, sop_class);
  file.text(DCM_SOPInstanceUID, header.instance_uid);
  file.text(DCM_StudyInstanceUID, header.study_uid);
  file.text(DCM_SeriesInstanceUID, header.series_uid);
  file.text(DCM_PatientName, "PHANTOM^" + patient.id.substr(patient.id.find('-') + 1));
  file.text(DCM_PatientID, patient.id);
  file.text(DCM_PatientBirthDate, "");
  file.text(DCM_PatientSex, std::string(1, patient.sex));
  file.text(DCM_PatientAge, fmt::format("{:03}Y", patient.age));
  file.text(DCM_StudyDate, header.study_date);
  file.text(DCM_StudyTime, "120000");
  file.text(DCM_ReferringPhysicianName, "");
  file.text(DCM_StudyID, header.study_date);
  file.text(DCM_AccessionNumber, "");
  file.text(DCM_Manufacturer, "fovea");
  file.text(DCM_ManufacturerModelName, "phantom");
  file.text(DCM_SeriesNumber, std::to_string(header.series));
  file.text(DCM_InstanceNumber, std::to_string(header.instance));
  file.text(DCM_BodyPartExamined, "CHEST");
}

void put_layout(DicomFile& file, int64_t size, const Encoding& encoding) {
  file.word(DCM_SamplesPerPixel, 1);
  file.text(DCM_PhotometricInterpretation, encoding.monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
  file.word(DCM_Rows, size);
  file.word(DCM_Columns, size);
  file.word(DCM_BitsAllocated, encoding.bits > 8 ? 16 : 8);
  file.word(DCM_BitsStored, encoding.bits);
  file.word(DCM_HighBit, encoding.bits - 1);
  file.word(DCM_PixelRepresentation, encoding.is_signed ? 1 : 0);
}

// Darkest and brightest value of interest, without the one percent at either end.
std::pair<double, double> range_of_interest(std::vector<float> values) {
  const auto at = [&](double share) {
    const auto middle = values.begin() + static_cast<int64_t>(share * (values.size() - 1));
    std::ranges::nth_element(values, middle);
    return static_cast<double>(*middle);
  };
  const double low = at(0.01);
  return {low, std::max(at(0.99), low + 0.05)};
}

}  // namespace

void write_radiograph(const fs::path& path, const Header& header, const Encoding& encoding,
                      int64_t size, const std::vector<float>& values) {
  DicomFile file(path);
  put_identity(
      file, header,
      encoding.is_signed ? UID_SecondaryCaptureImageStorage : UID_ComputedRadiographyImageStorage);
  file.text(DCM_ImageType, encoding.is_signed ? "DERIVED\\SECONDARY" : "ORIGINAL\\PRIMARY");
  file.text(DCM_PatientOrientation, "L\\F");
  file.text(DCM_Modality, encoding.is_signed ? "OT" : "CR");
  const std::string spacing = decimal(380.0 / static_cast<double>(size));
  if (encoding.is_signed) {
    file.text(DCM_ConversionType, "SYN");
    file.text(DCM_RescaleIntercept, "1000");
    file.text(DCM_RescaleSlope, "0.5");
    file.text(DCM_RescaleType, "US");
    file.text(DCM_NominalScannedPixelSpacing, spacing + "\\" + spacing);
  } else {
    file.text(DCM_ViewPosition, "PA");
    file.text(DCM_ImagerPixelSpacing, spacing + "\\" + spacing);
  }
  file.text(DCM_PixelSpacing, spacing + "\\" + spacing);
  file.text(DCM_PixelSpacingCalibrationType, "GEOMETRY");
  file.text(DCM_PixelSpacingCalibrationDescription, "synthetic");
  file.text(DCM_BurnedInAnnotation, "NO");
  put_layout(file, size, encoding);

  // Signed: stored -2000 … 2000 and a physical value of 0 … 2000.
  const double top = encoding.is_signed ? 4000 : std::exp2(encoding.bits) - 1;
  const double base = encoding.is_signed ? -2000 : 0;
  const auto polarity = [&](double value) { return encoding.monochrome1 ? 1 - value : value; };
  const auto stored = [&](float value) {
    return static_cast<int32_t>(std::lround(base + top * polarity(value)));
  };
  if (encoding.bits > 8) {
    std::vector<uint16_t> samples(values.size());
    std::ranges::transform(values, samples.begin(), stored);
    file.samples(samples);
  } else {
    std::vector<uint8_t> samples(values.size());
    std::ranges::transform(values, samples.begin(), stored);
    file.samples(samples);
  }
  const double physical = encoding.is_signed ? 2000 : top;
  const auto [low, high] = range_of_interest(values);
  file.text(DCM_WindowCenter, decimal(std::round(physical * polarity((low + high) / 2))));
  file.text(DCM_WindowWidth, decimal(std::max(2.0, std::round(physical * (high - low)))));
  file.save(encoding.syntax);
}

void write_slice(const fs::path& path, const Header& header, const Encoding& encoding, int64_t size,
                 const std::vector<float>& hounsfield, std::array<double, 3> position_mm,
                 std::array<double, 3> spacing_mm) {
  DicomFile file(path);
  put_identity(file, header, UID_CTImageStorage);
  file.text(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
  file.text(DCM_Modality, "CT");
  file.text(DCM_PatientPosition, "HFS");
  file.text(DCM_FrameOfReferenceUID, header.frame_uid);
  file.text(DCM_PositionReferenceIndicator, "");
  file.text(DCM_KVP, "120");
  file.text(DCM_AcquisitionNumber, "1");
  file.text(DCM_SliceThickness, decimal(spacing_mm[0]));
  file.text(DCM_ImagePositionPatient, decimal(position_mm[0]) + "\\" + decimal(position_mm[1]) +
                                          "\\" + decimal(position_mm[2]));
  file.text(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
  file.text(DCM_PixelSpacing, decimal(spacing_mm[1]) + "\\" + decimal(spacing_mm[2]));
  put_layout(file, size, encoding);
  const double intercept = encoding.is_signed ? 0 : -1024;
  file.text(DCM_RescaleIntercept, decimal(intercept));
  file.text(DCM_RescaleSlope, "1");
  file.text(DCM_RescaleType, "HU");
  file.text(DCM_WindowCenter, "-500\\40");
  file.text(DCM_WindowWidth, "1500\\400");
  file.text(DCM_WindowCenterWidthExplanation, "LUNG\\SOFT TISSUE");
  std::vector<uint16_t> samples(hounsfield.size());
  std::ranges::transform(hounsfield, samples.begin(), [&](float value) {
    return static_cast<uint16_t>(std::lround(std::clamp(value, -1024.f, 3000.f) - intercept));
  });
  file.samples(samples);
  file.save(encoding.syntax);
}

}  // namespace fovea::phantom
