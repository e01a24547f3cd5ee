// Ids and paths of cases, which may name a patient: shown, or hidden in this whole process. Hidden, an
// id is a salted hash (storage/hash.h) from the moment a data set is opened, so that nothing behind it
// knows more; a path is noted when it is found, and replaced in what is said and written.
#pragma once

#include <filesystem>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// Before any data are opened. What was opened before keeps its names.
void hide_names(bool hide = true);
bool names_are_hidden();

/// The id of a case as all but its data set knows it: itself or, hidden, a salted hash of 16 digits.
std::string known_as(std::string id);

/// Notes the path of a case, or of a folder of cases, where names are hidden. To be called before an
/// Error can name it.
void note_path(const std::filesystem::path& path);

/// `text` with each noted path replaced by "#", a salted hash and the ending of the file.
std::string without_paths(std::string text);

}  // namespace fovea::storage
