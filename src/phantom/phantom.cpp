#include "fovea/phantom/phantom.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <mutex>

#include "fovea/core/threads.h"
#include "fovea/io/image_file.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "phantom/plan.h"
#include "phantom/radiograph.h"
#include "phantom/report.h"
#include "phantom/volume.h"

namespace fovea::phantom {

namespace {

namespace fs = std::filesystem;

// Every radiograph takes the next row, so a patient's radiographs differ in it.
constexpr Encoding kEncodings[] = {
    {12, false, false, Syntax::explicit_le}, {8, false, false, Syntax::jpeg_lossless},
    {12, false, true, Syntax::implicit_le},  {16, true, false, Syntax::explicit_le},
    {10, false, false, Syntax::rle},         {12, false, true, Syntax::jpeg_lossless},
    {10, false, true, Syntax::explicit_le},  {8, false, true, Syntax::explicit_le},
    {16, true, true, Syntax::rle},           {12, false, false, Syntax::explicit_le},
};

constexpr const char* kReadme =
    R"(Synthetic chest radiographs and CT-like volumes, written by `fovea phantom`.
No image shows a person; names, identifiers, ages and dates are made up.

labels.csv    one row per radiograph: path, patient, label (1: with lesions), class, split, age, sex,
              number of lesions, mask, boxes ("x y width height" in pixels, joined by ';'); with the
              settings report and labs a reader's report, its entities, and laboratory values
boxes.csv     one row per lesion of a radiograph
volumes.csv   one row per CT series: path (a folder of slices), patient, label, class, split, age, sex, lesions,
              mask (a folder of slices), boxes ("x y z width height depth" in voxels, joined by ';')
images/       DICOM: CR and Secondary Capture, 8 to 16 bits, MONOCHROME1 and 2, four transfer syntaxes
volumes/      DICOM: CT, one folder per series
masks/        PNG of the same path, 255 inside a lesion

All images of a patient lie in one split.

)";

struct RadiographRow {
  std::string path, mask;
  std::vector<Finding> found;
  Report report;
  std::vector<std::string> labs;
};

void write_mask(const fs::path& path, int64_t size, const std::vector<uint8_t>& mask) {
  Image image{.height = size, .width = size};
  image.pixels.resize(mask.size());
  std::memcpy(image.pixels.data(), mask.data(), mask.size());
  io::write_png(path, image);
}

void prepare(const fs::path& folder) {
  std::error_code none;
  if (fs::exists(folder, none) && (!fs::is_directory(folder, none) || !fs::is_empty(folder, none)))
    throw config_error(fmt::format(
        "phantom: {} exists and is not an empty folder; nothing was written: give a new one",
        storage::shown(folder)));
  for (const char* part : {"images", "masks", "volumes"}) storage::make_folder(folder / part);
}

/// Writes one set; its functions run on many threads and touch only their own entry.
class Writer {
 public:
  Writer(fs::path folder, const PhantomOptions& options)
      : folder_(std::move(folder)),
        options_(options),
        patients_(plan_patients(options)),
        contrast_(0.34 - 0.24 * options.difficulty),
        radiographs_(static_cast<size_t>(options.patients * options.images_per_patient)) {
    for (int64_t v = 0; v < options.volumes; ++v) {
      Random random = stream(options, Use::thorax, v);
      thoraxes_.push_back(
          draw_thorax(random, volume_patient(v).patient.lesions, 1.5 - 0.8 * options.difficulty));
      storage::make_folder(folder_ / "volumes" / volume_patient(v).patient.id);
      storage::make_folder(folder_ / "masks" / volume_patient(v).patient.id);
    }
  }

  int64_t files() const { return radiographs() + options_.volumes * options_.slices; }
  void write(int64_t file) {
    if (file < radiographs())
      make_radiograph(file);
    else
      write_volume_slice((file - radiographs()) / options_.slices,
                         (file - radiographs()) % options_.slices);
  }
  Summary write_tables() const;

 private:
  int64_t radiographs() const { return static_cast<int64_t>(radiographs_.size()); }
  const PlannedPatient& radiograph_patient(int64_t radiograph) const {
    return patients_[static_cast<size_t>(radiograph / options_.images_per_patient)];
  }
  const PlannedPatient& volume_patient(int64_t volume) const {
    return patients_[static_cast<size_t>(options_.patients + volume)];
  }
  void make_radiograph(int64_t radiograph);
  void write_volume_slice(int64_t volume, int64_t slice) const;

  fs::path folder_;
  PhantomOptions options_;
  std::vector<PlannedPatient> patients_;
  double contrast_;
  std::vector<RadiographRow> radiographs_;
  std::vector<Thorax> thoraxes_;
};

void Writer::make_radiograph(int64_t radiograph) {
  const int64_t person = radiograph / options_.images_per_patient;
  const int64_t number = radiograph % options_.images_per_patient;
  const Patient& patient = radiograph_patient(radiograph).patient;
  // At most 99 radiographs a patient: the stream does not depend on how many there are.
  const auto index = static_cast<uint64_t>(100 * person + number);

  Random own = stream(options_, Use::anatomy, person);
  const Anatomy anatomy = draw_anatomy(own, patient.lesions, contrast_);
  Random exposure = stream(options_, Use::exposure, index);
  const Radiograph shot = expose(anatomy, options_.size, contrast_, exposure);

  RadiographRow& row = radiographs_[static_cast<size_t>(radiograph)];
  row.path = fmt::format("images/{}-{:02}.dcm", patient.id, number + 1);
  row.mask = fmt::format("masks/{}-{:02}.png", patient.id, number + 1);
  row.found = shot.found;
  if (options_.report) {
    Random words = stream(options_, Use::report, index);
    row.report = write_report(patient.lesions, shot.found, options_.size, words);
  }
  if (options_.labs) {
    Random values = stream(options_, Use::labs, index);
    row.labs = draw_labs(patient.lesions, values);
  }
  const Header header{.patient = patient,
                      .study_uid = uid(options_, 0, index),
                      .series_uid = uid(options_, 1, index),
                      .instance_uid = uid(options_, 2, index),
                      .frame_uid = "",
                      .study_date = fmt::format("{}{:02}01", 2000 + number / 12, 1 + number % 12)};
  write_radiograph(folder_ / row.path, header, kEncodings[radiograph % std::size(kEncodings)],
                   options_.size, shot.pixels);
  write_mask(folder_ / row.mask, options_.size, shot.mask);
}

void Writer::write_volume_slice(int64_t volume, int64_t slice) const {
  const Patient& patient = volume_patient(volume).patient;
  const auto index = static_cast<uint64_t>(1000 * volume + slice);
  const double pixel_mm = 2 * kHalfWidth_mm / static_cast<double>(options_.size);
  const double slice_mm = 2 * kHalfLength_mm / static_cast<double>(options_.slices);
  // Every other scan runs from head to feet.
  const double along = (static_cast<double>(slice) + 0.5) * slice_mm - kHalfLength_mm;
  const double z_mm = volume % 2 == 0 ? along : -along;

  Random noise = stream(options_, Use::noise, index);
  const Slice scan = scan_slice(thoraxes_[static_cast<size_t>(volume)], options_.size, z_mm, noise);
  const Header header{.patient = patient,
                      .study_uid = uid(options_, 3, volume),
                      .series_uid = uid(options_, 4, volume),
                      .instance_uid = uid(options_, 5, index),
                      .frame_uid = uid(options_, 6, volume),
                      .instance = slice + 1,
                      .study_date = "20000101"};
  const Encoding encoding = volume % 2 == 0 ? Encoding{.bits = 16, .is_signed = true}
                                            : Encoding{.bits = 12, .syntax = Syntax::rle};
  const double corner = pixel_mm / 2 - kHalfWidth_mm;
  const std::string name = fmt::format("{}/{:03}", patient.id, slice + 1);
  write_slice(folder_ / "volumes" / (name + ".dcm"), header, encoding, options_.size, scan.pixels,
              {corner, corner, z_mm}, {slice_mm, pixel_mm, pixel_mm});
  write_mask(folder_ / "masks" / (name + ".png"), options_.size, scan.mask);
}

/// The boxes of the nodules, in voxels from the edge of the first one on.
std::string boxes_of(const std::vector<Nodule>& nodules, const PhantomOptions& options,
                     bool head_first) {
  const double pixel_mm = 2 * kHalfWidth_mm / static_cast<double>(options.size);
  const double slice_mm = 2 * kHalfLength_mm / static_cast<double>(options.slices);
  const auto rounded = [](double voxels) { return std::round(1000 * voxels) / 1000; };
  std::string joined;
  for (const Nodule& one : nodules) {
    const double z = head_first ? -one.z : one.z;
    joined += fmt::format("{}{} {} {} {} {} {}", joined.empty() ? "" : ";",
                          rounded((one.x - one.radius + kHalfWidth_mm) / pixel_mm),
                          rounded((one.y - one.radius + kHalfWidth_mm) / pixel_mm),
                          rounded((z - one.radius + kHalfLength_mm) / slice_mm),
                          rounded(2 * one.radius / pixel_mm), rounded(2 * one.radius / pixel_mm),
                          rounded(2 * one.radius / slice_mm));
  }
  return joined;
}

void put_patient(storage::CsvWriter& table, const PlannedPatient& planned, int64_t lesions) {
  const Patient& patient = planned.patient;
  table.text(patient.id).number(int64_t{patient.lesions});
  table.text(patient.lesions ? "lesion" : "clear").text(planned.split);
  table.number(patient.age).text(std::string(1, patient.sex)).number(lesions);
}

Summary Writer::write_tables() const {
  Summary sum{.patients = static_cast<int64_t>(patients_.size()),
              .images = radiographs(),
              .volumes = options_.volumes};
  std::vector<std::string> columns = {"path", "patient", "label",   "class", "split",
                                      "age",  "sex",     "lesions", "mask",  "boxes"};
  if (options_.report) columns.insert(columns.end(), {"report", "entities"});
  if (options_.labs) columns.insert(columns.end(), kLabColumns.begin(), kLabColumns.end());
  storage::CsvWriter labels(columns);
  storage::CsvWriter boxes({"path", "x", "y", "width", "height", "kind", "contrast"});
  for (int64_t i = 0; i < radiographs(); ++i) {
    const RadiographRow& row = radiographs_[static_cast<size_t>(i)];
    std::string joined;
    for (const Finding& f : row.found) {
      joined +=
          fmt::format("{}{} {} {} {}", joined.empty() ? "" : ";", f.x, f.y, f.width, f.height);
      boxes.text(row.path).number(f.x).number(f.y).number(f.width).number(f.height);
      boxes.text(name_of(f.type)).number(std::round(1000 * f.contrast) / 1000);
      boxes.end_row();
    }
    const auto count = static_cast<int64_t>(row.found.size());
    labels.text(row.path);
    put_patient(labels, radiograph_patient(i), count);
    labels.text(row.mask).text(joined);
    if (options_.report) labels.text(row.report.text).text(row.report.entities);
    for (const std::string& value : row.labs) labels.text(value);
    labels.end_row();
    sum.lesions += count;
    sum.images_with_lesions += radiograph_patient(i).patient.lesions;
  }
  storage::CsvWriter volumes(
      {"path", "patient", "label", "class", "split", "age", "sex", "lesions", "mask", "boxes"});
  for (int64_t v = 0; v < options_.volumes; ++v) {
    const std::vector<Nodule>& nodules = thoraxes_[static_cast<size_t>(v)].nodules;
    const auto count = std::ssize(nodules);
    volumes.text("volumes/" + volume_patient(v).patient.id);
    put_patient(volumes, volume_patient(v), count);
    volumes.text("masks/" + volume_patient(v).patient.id);
    volumes.text(boxes_of(nodules, options_, v % 2 != 0));
    volumes.end_row();
    sum.lesions += count;
  }
  storage::write_file_atomically(folder_ / "labels.csv", labels.content());
  storage::write_file_atomically(folder_ / "boxes.csv", boxes.content());
  storage::write_file_atomically(folder_ / "volumes.csv", volumes.content());
  std::string readme = kReadme;
  for (const SettingRow& row : Fields::list(options_))
    if (row.name != "threads") readme += fmt::format("{} {}\n", row.name, row.fallback);
  storage::write_file_atomically(folder_ / "README.txt", readme);
  return sum;
}

}  // namespace

Summary write_phantoms(const fs::path& folder, const PhantomOptions& options,
                       const Progress& progress) {
  prepare(folder);
  Writer writer(folder, options);
  std::mutex mutex;
  int64_t done = 0;
  for_each_index(writer.files(), options.threads, [&](int64_t file) {
    writer.write(file);
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(++done, writer.files());
  });
  return writer.write_tables();
}

}  // namespace fovea::phantom
