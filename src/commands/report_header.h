// What a report says beside the figures: which model, which data, and the card.
#pragma once

#include <string>

#include "fovea/bundle/trained.h"
#include "fovea/nn/model.h"
#include "fovea/report/report.h"
#include "fovea/sources/source.h"

namespace fovea::commands {

struct Evaluated {
  const bundle::Trained& trained;
  const nn::Model& model;
  const sources::Source& source;
  std::string split;
  torch::Device device;
  bool external = false;
};

/// All but the sections, the drift and the notes. Reads the files of the evaluated cases once more, for the
/// fingerprint of the data.
report::Report report_header(const Evaluated& evaluated);

/// The items of the card, which tell of the figures too.
std::vector<report::CardItem> card_of(const Evaluated& evaluated, const report::Report& report);

}  // namespace fovea::commands
