#include "fovea/inputs/image.h"

#include <fmt/format.h>

#include <optional>

#include "fovea/core/error.h"
#include "fovea/formats/formats.h"
#include "fovea/formats/placed_image.h"
#include "inputs/image_survey.h"

namespace fovea::inputs {
namespace {

namespace fs = std::filesystem;

formats::PlacedOptions placed(const ImageOptions& image, const ReadOptions& read) {
  formats::PlacedOptions options{
      .channels = image.channels, .formats = read.formats, .cache_folder = read.cache_folder};
  options.formats.axes = image.axes;
  return options;
}

/// One file as the input `name` of a case; `listed` as read_placed has it.
torch::Tensor read_file(const std::string& name, const fs::path& path,
                        const formats::PlacedOptions& options, formats::ImageNotes& notes,
                        Origin& origin, const std::optional<storage::FileStamp>& listed = {}) {
  formats::PlacedImage image = formats::read_placed(path, options, notes, listed);
  origin.places.emplace_back(name, Placement{image.grid, image.grid});
  return std::move(image.values);
}

class ImageInput final : public Input {
 public:
  ImageInput(std::string name, std::vector<ListedFile> files, const ImageOptions& image,
             const ReadOptions& read, int64_t chosen)
      : name_(std::move(name)),
        files_(std::move(files)),
        options_(placed(image, read)),
        chosen_(chosen),
        optional_(image.optional) {
    if (chosen_ != 0) options_.channels = chosen_;
  }

  torch::Tensor read(int64_t index, Origin& origin) const override {
    const ListedFile& file = files_.at(static_cast<size_t>(index));
    return read_file(name_, file.path, options_, notes_, origin, file.stamp);
  }
  bool has(int64_t index) const override {
    return !files_.at(static_cast<size_t>(index)).path.empty();
  }
  InputShape shape() const override { return {.optional = optional_}; }
  std::string file(int64_t index) const override {
    return has(index) ? storage::shown(files_.at(static_cast<size_t>(index)).path) : "";
  }
  Node chosen() const override {
    Node node;
    if (chosen_ != 0) node.at("channels") = fovea::write_value(chosen_);
    return node;
  }
  std::vector<std::string> notes() const override { return notes_.lines(); }

 private:
  std::string name_;
  std::vector<ListedFile> files_;
  formats::PlacedOptions options_;
  int64_t chosen_;  // channels; 0: nothing was left open
  bool optional_;
  mutable formats::ImageNotes notes_;
};

InputPtr open(const ImageOptions& options, const InputPlace& place) {
  if (options.column.empty())
    throw config_error(
        "the image '" + place.name + "' has no column",
        "name the table's column of files: DataOptions::inputs." + place.name + ".column");
  std::vector<ListedFile> files = place.files({.column = options.column,
                                               .folder = options.folder,
                                               .optional = options.optional,
                                               .names_case = !options.optional});
  return image_files(place.name, std::move(files), options, place.read,
                     place.cases ? nullptr : &place.findings);
}

FileReader reader(const ImageOptions& image, const FilePlace& place) {
  const auto notes = std::make_shared<formats::ImageNotes>();
  return {.shape = {},
          .read = [name = place.name, options = placed(image, place.read), notes](
                      const fs::path& path,
                      Origin& origin) { return read_file(name, path, options, *notes, origin); },
          .notes = [notes] { return notes->lines(); }};
}

}  // namespace

InputPtr image_files(const std::string& name, std::vector<ListedFile> files,
                     const ImageOptions& options, const ReadOptions& read,
                     tables::Findings* findings) {
  ImageSurvey survey;
  if (findings != nullptr && options.channels == 0)
    survey = survey_images(files, read.formats.max_decoded_mb);
  for (const std::string& note : survey.notes)
    findings->notes.push_back(fmt::format("input '{}': {}", name, note));
  return std::make_shared<ImageInput>(name, std::move(files), options, read, survey.channels);
}

InputType image_input(const ImageOptions& options) {
  return {.open = [options](const InputPlace& place) { return open(options, place); },
          .image = true,
          .files = {.why_not = formats::why_not_image,
                    .rows_name_files = true,
                    .open = [options](const FilePlace& place) { return reader(options, place); }}};
}

ImageOptions image_options(const std::string& name, const InputChoice& input) {
  if (const auto* image = input.as<ImageOptions>()) return *image;
  throw config_error("DataOptions::inputs." + name + ": found the type '" + input.name() +
                     "', wanted image: only the rows of a table have other inputs");
}

}  // namespace fovea::inputs
