// Recognises the files that this library never reads, because loading them can run code.
#pragma once

#include <filesystem>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// "a PyTorch archive (zip with data.pkl)", "a TorchScript archive …", "a pickle …"; "" for any
/// other content. Told by content; the extensions .pt, .pth, .pkl and .ckpt only decide for content
/// that is not a safetensors file either.
std::string pickle_type(const std::filesystem::path& path);

/// A data Error with the type found and the line of Python that converts the file to safetensors,
/// where it is one of these; returns otherwise.
void refuse_pickle(const std::filesystem::path& path);

}  // namespace fovea::storage
