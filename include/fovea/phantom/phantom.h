// Demo data without a network: synthetic, labelled chest radiographs and CT-like volumes as valid
// DICOM. No person was ever photographed; every patient is called PHANTOM-0001 and so on.
#pragma once

#include <filesystem>
#include <functional>

#include "fovea/core/fields.h"

namespace fovea::phantom {

struct PhantomOptions {
  int64_t patients = 300;
  int64_t images_per_patient = 3;
  int64_t size = 128;
  int64_t volumes = 2;
  int64_t slices = 24;
  double prevalence = 0.5;
  double difficulty = 0.5;
  bool report = false;
  bool labs = false;
  int64_t seed = 1;
  int64_t threads = 0;

  void describe(Fields& f) {
    f("patients", patients, "patients with radiographs").between(1, 9999);
    f("images_per_patient", images_per_patient, "radiographs of each patient").between(1, 99);
    f("size", size, "rows and columns of every image, pixels").between(32, 2048);
    f("volumes", volumes, "CT series, each of a patient of its own").between(0, 999);
    f("slices", slices, "slices of a CT series").between(4, 512);
    f("prevalence", prevalence, "share of the patients that have lesions").between(0, 1);
    f("difficulty", difficulty, "0: lesions stand out, 1: they nearly drown in noise")
        .between(0, 1);
    f("report", report, "labels.csv has a reader's report of each radiograph, and its entities");
    f("labs", labs, "labels.csv has laboratory values: crp, ldh, leukocytes, smoker");
    f("seed", seed, "the same seed gives the same bytes").at_least(0);
    f("threads", threads, "0: one per processor; changes no byte").between(0, 256).cosmetic();
  }
};

struct Summary {
  int64_t patients = 0;  ///< those of the volumes included
  int64_t images = 0;
  int64_t images_with_lesions = 0;
  int64_t volumes = 0;
  int64_t lesions = 0;  ///< in radiographs and volumes, each time one is seen
};

using Progress = std::function<void(int64_t done, int64_t total)>;  ///< files; one call at a time

/// Fills `folder`, which must be new or empty:
///
///   labels.csv    one row per radiograph: path, patient, label, class, split, age, sex, lesions,
///                 mask, boxes ("x y width height" in pixels from the top left, joined by ';');
///                 where asked for, report, entities ([[begin, end, label], …] in code points) and
///                 crp, ldh, leukocytes, smoker, some of them blank. Radiograph, report and values
///                 err independently: together they say more than each alone
///   boxes.csv     one row per lesion: path, x, y, width, height, kind, contrast
///   volumes.csv   one row per CT series: path (a folder), patient, label, class, age, sex, lesions
///   images/ volumes/   DICOM
///   masks/        PNG of the same path, 255 inside a lesion, 0 elsewhere
///   README.txt    written last: where it is, the set is complete
///
/// All radiographs of a patient share anatomy and lesions and lie in one split (70/10/20 % train,
/// val, test; stratified by label). They differ in pose, exposure, noise, monitoring leads and
/// encoding: CR and Secondary Capture, MONOCHROME1 and 2, 8, 10, 12 and signed 16 bits, four
/// transfer syntaxes. Structures of equal total brightness that are not lesions keep a linear model
/// of the pixels near chance. Bytes depend on the options alone (UIDs under 2.25 from the seed, no
/// clock). A config Error where the folder holds something
/// already, an io Error where it cannot be written.
Summary write_phantoms(const std::filesystem::path& folder, const PhantomOptions& options = {},
                       const Progress& progress = {});

}  // namespace fovea::phantom
