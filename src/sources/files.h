// Cases, and files of theirs on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/data/dataset.h"
#include "fovea/sources/data_options.h"
#include "fovea/sources/image_notes.h"
#include "fovea/sources/source.h"
#include "fovea/storage/file.h"

namespace fovea::sources {

struct Cases {
  std::vector<std::string> ids;
  std::vector<std::string> groups;  // or empty
  std::vector<std::pair<std::string, InputPtr>> inputs;
  std::vector<TargetPtr> targets = {};
  std::function<std::string(size_t)> place = {};  // of a case without a file
};

/// Reads a case when asked.
DatasetPtr case_dataset(Cases cases);

/// One picture per case, decoded when asked. A file that changed since it was listed is an io Error.
/// `survey`: where the settings leave the channels open, all headers are read to choose them.
InputPtr file_input(const std::string& name, std::vector<ListedFile> files,
                    const ImageOptions& image, const DataOptions& options, bool survey = true);

/// Reads a file as the text of a case of a trained model.
CaseReader text_file_reader(const std::string& name, const TextOptions& options,
                            const DataOptions& data, text::TokenizerPtr tokenizer);

/// What tells a changed file; nothing where there is no regular file.
std::optional<storage::FileStamp> stamp_of(const std::filesystem::path& path);

/// An image as a tensor, and where its voxels lie.
struct PlacedImage {
  torch::Tensor values;
  Grid grid;
};

/// One file, from the cache folder where it is there. What its reader has to say goes to `notes`.
PlacedImage read_image(const std::filesystem::path& path, const ImageOptions& image,
                       const DataOptions& options, ImageNotes& notes,
                       const std::optional<storage::FileStamp>& listed = {});

/// What a folder holds, everything below it, by path. Links to folders are followed, each folder
/// once; one that leads back to where it stands is not.
struct FolderListing {
  std::vector<std::filesystem::path> files;    ///< regular ones that are not hidden, sorted
  std::vector<std::filesystem::path> folders;  ///< likewise
  std::vector<std::string> notes;              ///< links, and what was left out
};
FolderListing list_folder(const std::filesystem::path& folder);

/// Whoever gave the file such a name took it for a picture: when it is none, that is worth an error.
bool named_as_picture(const std::filesystem::path& path);

/// Why a file is no picture: "no known format", or what dicom says of an object without pixels;
/// empty where it is one, or a damaged one.
std::string why_no_picture(const std::filesystem::path& path);

}  // namespace fovea::sources
