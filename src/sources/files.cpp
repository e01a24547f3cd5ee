#include "sources/files.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>

#include "fovea/core/error.h"
#include "fovea/dicom/scan.h"
#include "fovea/sources/image_tensor.h"
#include "sources/decoded_cache.h"

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
  FileInput(std::vector<ListedFile> files, const ImageOptions& image, const DataOptions& options)
      : files_(std::move(files)), image_(image), options_(options) {}

  torch::Tensor read(int64_t index) const override {
    const ListedFile& file = files_.at(static_cast<size_t>(index));
    return read_tensor(file.path, image_.channels, options_, file.stamp);
  }
  bool has(int64_t index) const override {
    return !files_.at(static_cast<size_t>(index)).path.empty();
  }
  InputShape shape() const override { return {.optional = image_.optional}; }
  std::string file(int64_t index) const override {
    return has(index) ? storage::shown(files_.at(static_cast<size_t>(index)).path) : "";
  }

 private:
  std::vector<ListedFile> files_;
  ImageOptions image_;
  DataOptions options_;
};

class CaseDataset final : public Dataset {
 public:
  explicit CaseDataset(Cases cases) : cases_(std::move(cases)) {
    for (const auto& [name, input] : cases_.inputs)
      schema_.inputs.push_back({name, input->shape()});
    schema_.targets = cases_.specs;
  }

  int64_t size() const override { return static_cast<int64_t>(cases_.ids.size()); }

  Example get(int64_t index) const override {
    // No gradient comes here, and to note that a slice is one costs more than to slice.
    const at::AutoDispatchBelowADInplaceOrView plain;
    Example example{cases_.ids.at(static_cast<size_t>(index)), group(index), {}, targets(index)};
    for (const auto& [name, input] : cases_.inputs)
      if (input->has(index)) example.inputs[name] = input->read(index);
    return example;
  }

  const Schema& schema() const override { return schema_; }

  TensorMap targets(int64_t index) const override {
    TensorMap one;
    for (const auto& [name, all] : cases_.targets) one[name] = all[index];
    for (const auto& [name, all] : cases_.tags) one[name] = all.at(static_cast<size_t>(index));
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

InputPtr file_input(std::vector<ListedFile> files, const ImageOptions& image,
                    const DataOptions& options) {
  return std::make_shared<FileInput>(std::move(files), image, options);
}

InputPtr image_input(const ImageOptions& options, const InputPlace& place) {
  if (options.column.empty())
    throw config_error("data.inputs." + place.name +
                       ".column is missing: name the table's column of files");
  return file_input(
      place.files(
          {.column = options.column, .folder = options.folder, .optional = options.optional}),
      options, place.data);
}

std::optional<storage::FileStamp> stamp_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return storage::FileStamp{
      .size = status.st_size,
      .modified_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

torch::Tensor read_tensor(const fs::path& path, int64_t channels, const DataOptions& options,
                          const std::optional<storage::FileStamp>& listed) {
  const storage::InputFile file(path);
  if (listed && *listed != file.stamp()) throw io_error(changed(path, *listed, file.stamp()));
  const DecodedCache cache(options.cache_folder, path, file.stamp(), channels, options.formats);
  if (std::optional<torch::Tensor> kept = cache.find()) return *kept;
  const int64_t most = options.formats.max_decoded_mb << 20;
  if (file.size() > most)
    throw data_error(fmt::format("{}: found {} bytes, wanted at most {} (data.max_decoded_mb)",
                                 storage::shown(path), file.size(), most));
  std::string content(static_cast<size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(content)));
  const Image image = decode_image(content, path, options.formats);
  torch::Tensor tensor = within(storage::shown(path), [&] { return to_tensor(image, channels); });
  cache.keep(tensor);
  return tensor;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  const auto hidden = [](const fs::path& path) {
    return path.filename().native().starts_with('.');
  };
  std::vector<fs::path> files;
  try {
    for (auto entry = fs::recursive_directory_iterator(folder);
         entry != fs::recursive_directory_iterator(); ++entry) {
      if (hidden(entry->path())) {
        entry.disable_recursion_pending();
      } else if (entry->is_regular_file()) {
        files.push_back(entry->path());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw io_error(fmt::format("{}: cannot list the folder: {}", storage::shown(folder),
                               error.code().message()));
  }
  std::ranges::sort(files);
  return files;
}

namespace {

/// Whoever gave the file such a name took it for a picture: when it is none, that is worth an error.
bool named_as_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* known : {".dcm", ".dicom", ".png", ".jpg", ".jpeg", ".tif", ".tiff"})
    if (ending == known) return true;
  return false;
}

}  // namespace

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
