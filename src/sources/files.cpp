#include "sources/files.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/dicom/scan.h"
#include "fovea/sources/image_tensor.h"
#include "sources/decoded_cache.h"
#include "sources/image_survey.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

std::string changed(const fs::path& path, const storage::FileStamp& listed,
                    const storage::FileStamp& now) {
  return fmt::format(
      "{}: the file changed while it was in use: found {} bytes, {:+.3f} s modified, wanted {} "
      "bytes "
      "as when it was listed; start again, and do not write into the data during a run",
      storage::shown(path), now.size, double(now.modified_ns - listed.modified_ns) * 1e-9,
      listed.size);
}

class FileInput final : public Input {
 public:
  FileInput(std::string name, std::vector<ListedFile> files, const ImageOptions& image,
            const DataOptions& options, bool survey)
      : name_(std::move(name)), files_(std::move(files)), image_(image), options_(options) {
    if (!survey || image_.channels != 0) return;
    survey_ = survey_images(files_);
    image_.channels = survey_.channels;
  }

  torch::Tensor read(int64_t index, Origin& origin) const override {
    const ListedFile& file = files_.at(static_cast<size_t>(index));
    PlacedImage image = read_image(file.path, image_, options_, notes_, file.stamp);
    origin.places.emplace_back(name_, Placement{image.grid, image.grid});
    return std::move(image.values);
  }
  bool has(int64_t index) const override {
    return !files_.at(static_cast<size_t>(index)).path.empty();
  }
  InputShape shape() const override { return {.optional = image_.optional}; }
  std::string file(int64_t index) const override {
    return has(index) ? storage::shown(files_.at(static_cast<size_t>(index)).path) : "";
  }
  const ImageSurvey* survey() const override { return &survey_; }
  std::vector<std::string> notes() const override { return notes_.lines(); }

 private:
  std::string name_;
  std::vector<ListedFile> files_;
  ImageOptions image_;
  DataOptions options_;
  ImageSurvey survey_;
  mutable ImageNotes notes_;
};

class CaseDataset final : public Dataset {
 public:
  explicit CaseDataset(Cases cases) : cases_(std::move(cases)) {
    for (const auto& [name, input] : cases_.inputs)
      schema_.inputs.push_back({name, input->shape()});
    for (const TargetPtr& target : cases_.targets) schema_.targets.push_back(target->spec());
  }

  int64_t size() const override { return static_cast<int64_t>(cases_.ids.size()); }

  Example get(int64_t index) const override {
    // No gradient comes here, and to note that a slice is one costs more than to slice.
    const at::AutoDispatchBelowADInplaceOrView plain;
    Example example{
        cases_.ids.at(static_cast<size_t>(index)), group(index), {}, targets(index), {}};
    Origin origin;
    for (const auto& [name, input] : cases_.inputs)
      if (input->has(index)) example.inputs[name] = input->read(index, origin);
    for (const TargetPtr& target : cases_.targets) target->add_origin(index, origin);
    if (!origin.empty()) example.origin = std::make_shared<const Origin>(std::move(origin));
    return example;
  }

  const Schema& schema() const override { return schema_; }

  TensorMap targets(int64_t index) const override {
    TensorMap one;
    for (const TargetPtr& target : cases_.targets) one[target->spec().name] = target->read(index);
    return one;
  }

  std::string group(int64_t index) const override {
    return cases_.groups.empty() ? "" : cases_.groups.at(static_cast<size_t>(index));
  }

  std::string name(int64_t index) const override {
    for (const auto& [name, input] : cases_.inputs)
      if (std::string file = input->file(index); !file.empty()) return file;
    return cases_.place(static_cast<size_t>(index));
  }

 private:
  Cases cases_;
  Schema schema_;
};

}  // namespace

DatasetPtr case_dataset(Cases cases) { return std::make_shared<CaseDataset>(std::move(cases)); }

InputPtr file_input(const std::string& name, std::vector<ListedFile> files,
                    const ImageOptions& image, const DataOptions& options, bool survey) {
  return std::make_shared<FileInput>(name, std::move(files), image, options, survey);
}

InputPtr image_input(const ImageOptions& options, const InputPlace& place) {
  if (options.column.empty())
    throw config_error(
        "the image '" + place.name + "' has no column",
        "name the table's column of files: DataOptions::inputs." + place.name + ".column");
  return file_input(
      place.name,
      place.files(
          {.column = options.column, .folder = options.folder, .optional = options.optional}),
      options, place.data, !place.cases);
}

std::optional<storage::FileStamp> stamp_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return storage::FileStamp{
      .size = status.st_size,
      .modified_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

PlacedImage read_image(const fs::path& path, const ImageOptions& image, const DataOptions& options,
                       ImageNotes& notes, const std::optional<storage::FileStamp>& listed) {
  const storage::InputFile file(path);
  if (listed && *listed != file.stamp()) throw io_error(changed(path, *listed, file.stamp()));
  FormatOptions formats = options.formats;
  formats.axes = image.axes;
  const DecodedCache cache(options.cache_folder, path, file.stamp(), image.channels, formats);
  std::vector<std::string> said;
  if (std::optional<PlacedImage> kept = cache.find(said)) {
    notes.add(storage::shown(path), said);
    return std::move(*kept);
  }
  const int64_t most = formats.max_decoded_mb << 20;
  if (file.size() > most)
    throw data_error(fmt::format("{}: found {} bytes, wanted at most {}", storage::shown(path),
                                 file.size(), most),
                     "raise FormatOptions::max_decoded_mb if it is meant to be so large");
  std::string content(static_cast<size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(content)));
  Image decoded = decode_image(content, path, formats);
  PlacedImage placed{
      within(storage::shown(path), [&] { return to_tensor(decoded, image.channels); }),
      decoded.grid()};
  if (image.channels == 1 && decoded.channels == 3) decoded.notes.push_back("colour became grey");
  notes.add(storage::shown(path), decoded.notes);
  cache.keep(placed, decoded.notes);
  return placed;
}

namespace {

class Lister {
 public:
  explicit Lister(const fs::path& root) : root_(root) {}

  FolderListing list() {
    std::error_code error;
    const fs::path real = fs::canonical(root_, error);
    waiting_.push_back({root_, real, {}});
    for (; !waiting_.empty(); waiting_.pop_front()) read(waiting_.front());
    std::ranges::sort(listing_.files);
    std::ranges::sort(listing_.folders);
    say("links to folders are followed", followed_);
    say("links are left out, they lead back to a folder they stand in", loops_);
    say("links are left out, their folder is read already", again_);
    say("links are left out, they lead nowhere", broken_);
    say("entries are left out, they are no regular files", special_);
    say("hidden entries are left out", hidden_);
    return std::move(listing_);
  }

 private:
  struct Folder {
    fs::path path, real;
    std::vector<fs::path> links;  // real folders in which the links that led here stand
  };

  void read(const Folder& folder) {
    std::error_code error;
    std::vector<fs::path> paths;
    for (fs::directory_iterator entry(folder.path, error), end; !error && entry != end;
         entry.increment(error))
      paths.push_back(entry->path());
    if (error)
      throw io_error(storage::shown(folder.path) + ": cannot list the folder: " + error.message());
    std::ranges::sort(paths);  // which of two links to a folder is followed
    for (const fs::path& path : paths) take(path, folder);
  }

  void take(const fs::path& path, const Folder& folder) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (path.filename().native().starts_with('.')) return hidden_.push_back(path);
    if (fs::is_symlink(fs::symlink_status(path, error)) && !fs::is_regular_file(status))
      return follow(path, status, folder);
    if (fs::is_regular_file(status)) return listing_.files.push_back(path);
    if (!fs::is_directory(status)) return special_.push_back(path);
    listing_.folders.push_back(path);
    waiting_.push_back({path, folder.real / path.filename(), folder.links});
  }

  void follow(const fs::path& path, const fs::file_status& status, const Folder& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error) return broken_.push_back(path);
    if (!fs::is_directory(status)) return special_.push_back(path);
    const auto holds = [&](const fs::path& inner) {
      return std::mismatch(real.begin(), real.end(), inner.begin(), inner.end()).first ==
             real.end();
    };
    if (holds(folder.real) || std::ranges::any_of(folder.links, holds))
      return loops_.push_back(path);
    if (!targets_.insert(real).second) return again_.push_back(path);
    followed_.push_back(path);
    listing_.folders.push_back(path);
    Folder next{path, real, folder.links};
    next.links.push_back(folder.real);
    waiting_.push_back(std::move(next));
  }

  void say(const char* what, std::vector<fs::path>& paths) {
    if (paths.empty()) return;
    std::ranges::sort(paths);
    std::vector<std::string> names;
    for (const fs::path& path : paths)
      names.push_back(storage::shown(path.lexically_relative(root_)));
    listing_.notes.push_back(fmt::format("{}: {} {}: {}", storage::shown(root_), paths.size(), what,
                                         join(names, ", ", 5)));
  }

  const fs::path& root_;
  FolderListing listing_;
  std::deque<Folder> waiting_;
  std::set<fs::path> targets_;  // that links led to
  std::vector<fs::path> followed_, loops_, again_, broken_, special_, hidden_;
};

}  // namespace

FolderListing list_folder(const fs::path& folder) { return Lister(folder).list(); }

bool named_as_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* known : {".dcm", ".dicom", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp",
                            ".webp", ".gif", ".npy"})
    if (ending == known) return true;
  return false;
}

std::string why_no_picture(const fs::path& path) {
  const std::string head = storage::read_head(path, kHeadBytes);
  if (head.empty()) return "";  // an empty file is a damaged one
  const Format* format = format_of(head);
  if (!format) return named_as_picture(path) ? "" : "no known format";
  if (format->name != "dicom") return "";
  try {
    dicom::scan(path);
  } catch (const dicom::NotAnImage&) {
    return "DICOM without pixels";
  } catch (const Error&) {
  }
  return "";
}

}  // namespace fovea::sources
