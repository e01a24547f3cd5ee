#include "fovea/commands/words.h"

#include <fmt/format.h>

#include <iostream>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/storage/case_names.h"

namespace fovea::commands {
namespace {

/// Where a struct of settings stands in a config file. NAME is what the user calls an input or a
/// target.
struct Section {
  std::string_view type, key;
};

constexpr Section kSections[] = {
    {"DataOptions", "data"},
    {"FormatOptions", "data"},
    {"DicomOptions", "data.dicom"},
    {"WindowOptions", "data.dicom.window"},
    {"RowOptions", "data.rows"},
    {"ImageOptions", "data.inputs.NAME"},
    {"TableOptions", "data.inputs.NAME.table"},
    {"TextOptions", "data.inputs.NAME.text"},
    {"SequenceTransformerOptions", "model.encoders.NAME.transformer"},
    {"SeriesOptions", "data.inputs.NAME.series"},
    {"ClassesOptions", "data.targets.NAME"},
    {"NumberOptions", "data.targets.NAME.number"},
    {"RemainingUsefulLifeOptions", "data.targets.NAME.remaining_useful_life"},
    {"TagsOptions", "data.targets.NAME.tags"},
    {"TransformsOptions", "transforms"},
    {"ModelOptions", "model"},
    {"MultiTaskOptions", "task.multi_task"},
    {"TokenClassificationOptions", "task.token_classification"},
    {"CrossEntropyOptions", "task.classification.loss.cross_entropy"},
    {"BceOptions", "task.classification.loss.bce"},
    {"FocalOptions", "task.classification.loss.focal"},
    {"SgdOptions", "train.optimizer.sgd"},
    {"TrainOptions", "train"},
};

/// What is not simply the field's name in its section.
struct Exception {
  std::string_view type, field, word;
};

constexpr Exception kExceptions[] = {
    {"DecodeOptions", "jpeg_predictor6", "data.dicom.jpeg_predictor6"},
    {"FormatOptions", "dicom", "data.dicom"},
    {"ImageLimits", "max_decoded_bytes", "data.max_decoded_mb"},
    {"Limits", "max_decoded_bytes", "data.max_decoded_mb"},
    {"Limits", "max_inflated_bytes", "data.max_decoded_mb"},
    {"LoaderOptions", "balanced", "train.balanced"},
    {"LoaderOptions", "batch_size", "train.batch_size"},
    {"LoaderOptions", "queue_bytes", "train.loader_mb"},
    {"LoaderOptions", "threads", "train.loader_threads"},
    {"Limits", "max_decoded_bytes", "data.max_decoded_mb"},
    {"Opening", "replace", "--force"},  // RunOptions::Opening
    {"Opening", "resume", "--resume"},
    {"RunOptions", "allow_changed", "--allow-changed"},
    {"RunOptions", "break_lock", "--break-lock"},
};

}  // namespace

std::string word_for(std::string_view type, std::string_view field) {
  for (const Exception& one : kExceptions)
    if (one.type == type && one.field == field) return std::string(one.word);
  for (const Section& one : kSections)
    if (one.type == type) return fmt::format("{}.{}", one.key, field);
  return "";
}

std::string in_our_words(std::string_view message) {
  return storage::without_paths(reworded(message, word_for));
}

std::string noted(const std::string& note) {
  log_info(note);
  return in_our_words(note);
}

void complain(std::string_view message) { std::cerr << "fovea: " << in_our_words(message) << '\n'; }

}  // namespace fovea::commands
