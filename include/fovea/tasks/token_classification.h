// Token classification: the entities that a report names, and a structured report filled with them.
#pragma once

#include "fovea/tasks/task.h"

namespace fovea::tasks {

struct TokenClassificationOptions {
  bool crf = true;
  Named<std::string> report{};

  void describe(Fields& f) {
    f("crf", crf,
      "score tags together with their neighbours (a conditional random field); false: each token "
      "alone");
    f("report", report,
      "the fields of a structured report and the type of entity that fills each: {diagnosis: "
      "Disease}");
  }
};

/// A head per target on each token of its text, of 1 + 2 K tags (BIO) for K types of entity.
/// Decoded are whole sequences in which an entity begins before it goes on (Viterbi) and none lies
/// on a token that stands for no text, int64 [N, L], -1 on padding. Answers are entities in code
/// points of the text as it was given.
///
/// Metrics are about the entities as they were written (the input "TARGET.entities"): one that was
/// cut off with its text, or that no tag can say, is missed. Tokens that stand for no text do not
/// count.
///
/// A config Error where a target is not of tags, or a field of the report names no type.
TaskPtr token_classification(const TokenClassificationOptions& options,
                             const std::vector<TargetSpec>& targets);

}  // namespace fovea::tasks
