// Which cases `fovea eval` is about: the model's own data, those of another config, or a table, a folder or an
// archive that is like the model's own.
#pragma once

#include <string>
#include <vector>

#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/report/data_notes.h"

namespace fovea::commands {

struct EvalData {
  config::RunConfig settings;  ///< whose section `data` is evaluated
  std::string split;
  std::string folder;              ///< what the folder of the results is called
  std::vector<std::string> by;     ///< the subgroups
  std::vector<std::string> notes;  ///< what was left out
};

/// A table (.csv, .tsv, .jsonl, .conll), a folder of classes or an archive (.npz) is read as the model's own data
/// were, from its columns; all its cases are evaluated where no split is asked for. Its subgroups are those of
/// the model that it has columns for.
EvalData eval_data(const EvalRequest& request, const bundle::Trained& trained);

/// A data Error where the classes of the data are not those of the model, in the same order: every metric would
/// be about something else.
void check_targets(const bundle::Trained& trained, const sources::Source& source);

/// What was assumed of the cases, those that were read included, and what was cut.
report::DataNotes notes_of(const sources::Source& source, const std::string& split);

}  // namespace fovea::commands
