#include "commands/perturbed.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/transforms/perturbation.h"

namespace fovea::commands {
namespace {

constexpr uint64_t kSeed = 0;  // the same noise for every model that is asked

/// The cases with every image perturbed, each by a stream of its own.
class Perturbed final : public Dataset {
 public:
  Perturbed(DatasetPtr data, transforms::TransformPtr perturb)
      : data_(std::move(data)), perturb_(std::move(perturb)) {}

  int64_t size() const override { return data_->size(); }
  const Schema& schema() const override { return data_->schema(); }
  std::string id(int64_t index) const override { return data_->id(index); }
  TensorMap targets(int64_t index) const override { return data_->targets(index); }
  std::string group(int64_t index) const override { return data_->group(index); }
  std::string name(int64_t index) const override { return data_->name(index); }

  Example get(int64_t index) const override {
    Example example = data_->get(index);
    Random random(kSeed, Purpose::augment, 0, static_cast<uint64_t>(index));
    for (auto& [name, input] : example.inputs)
      if (input.dim() >= 3 && input.numel() > 0) input = perturb_->apply(input, random);
    return example;
  }

 private:
  DatasetPtr data_;
  transforms::TransformPtr perturb_;
};

}  // namespace

bool add_robustness(std::vector<report::Section>& sections, const std::vector<std::string>& names,
                    DatasetPtr cases, const std::filesystem::path& folder,
                    const std::function<std::vector<report::Section>(DatasetPtr)>& evaluate) {
  if (names.empty()) return true;
  std::vector<std::vector<report::Robustness>> of_sections(sections.size());
  for (const std::string& name : names) {
    const transforms::Perturbation& perturbation = transforms::perturbation(name);
    for (size_t k = 0; k < sections.size(); ++k)
      of_sections[k].push_back(
          {name, std::string(perturbation.unit), {0}, {sections[k].estimates.at(0)}});
    for (const double strength : perturbation.strengths) {
      const auto found = evaluate(std::make_shared<Perturbed>(cases, perturbation.make(strength)));
      if (found.size() != sections.size()) return false;
      for (size_t k = 0; k < sections.size(); ++k) {
        of_sections[k].back().strengths.push_back(strength);
        of_sections[k].back().estimates.push_back(found[k].estimates.at(0));
      }
    }
  }
  for (size_t k = 0; k < sections.size(); ++k) {
    report::Section& section = sections[k];
    for (const report::Robustness& one : of_sections[k]) {
      const std::string file = fmt::format("robustness_{}.svg", one.perturbation);
      storage::make_folder(folder / section.folder);
      storage::write_file_atomically(
          folder / section.folder / file,
          report::robustness_svg(one, fmt::format("{} · n = {}", section.target, section.n)));
      section.plots.push_back(
          {file, "Under " + one.perturbation,
           fmt::format("{} against the strength of {} ({}), with 95 % intervals.",
                       one.estimates[0].key.name, one.perturbation, one.unit)});
    }
    section.tables.push_back(report::robustness_table(of_sections[k]));
  }
  return true;
}

void check_perturbations(const std::vector<std::string>& names,
                         const std::vector<std::string>& inputs, const Dataset& cases) {
  if (names.empty()) return;
  for (const std::string& name : names) transforms::perturbation(name);
  if (cases.size() == 0) return;
  for (const auto& [name, input] : cases.get(0).inputs)
    for (const std::string& used : inputs)
      if (name == used && input.dim() >= 3) return;
  throw config_error("--perturb: the model reads no image, and only images can be perturbed so far",
                     "leave it out");
}

}  // namespace fovea::commands
