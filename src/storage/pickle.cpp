#include "fovea/storage/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::storage {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kLooked = 1 << 16;  // bytes looked at from either end of an archive

std::string_view ends_of(const InputFile& file, std::string& room) {
  const int64_t head = std::min(file.size(), kLooked);
  const int64_t tail = std::min(file.size() - head, kLooked);
  room.resize(static_cast<size_t>(head + tail));
  const auto bytes = std::as_writable_bytes(std::span(room));
  file.read(0, bytes.first(static_cast<size_t>(head)));
  file.read(file.size() - tail, bytes.last(static_cast<size_t>(tail)));
  return room;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The first byte of the JSON object that follows a safetensors header length.
bool like_safetensors(std::string_view text) { return text.size() > 8 && text[8] == '{'; }

}  // namespace

std::string pickle_type(const fs::path& path) {
  const InputFile file(path);
  std::string room;
  const std::string_view text = ends_of(file, room);
  if (text.starts_with("PK\x03\x04")) {
    if (has(text, "constants.pkl") || has(text, "/code/__torch__")) {
      return "a TorchScript archive (zip with constants.pkl and code)";
    }
    if (has(text, "data.pkl")) return "a PyTorch archive (zip with data.pkl)";
    return "";
  }
  // Opcode PROTO with a protocol from 2 on starts every pickle since Python 2.3.
  if (text.size() >= 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5 &&
      !like_safetensors(text)) {
    return fmt::format("a pickle (opcode PROTO {} at byte 0)", static_cast<int>(text[1]));
  }
  if (has(text.substr(0, 512), "ustar") && has(text, "pickle")) {
    return "a PyTorch archive of before 2018 (tar with pickle)";
  }
  const std::string extension = path.extension().string();
  for (const std::string_view known : {".pt", ".pth", ".pkl", ".pickle", ".ckpt"}) {
    if (extension == known && !like_safetensors(text)) {
      return fmt::format("a {} file, which is not a safetensors file and may be a pickle",
                         extension);
    }
  }
  return "";
}

void refuse_pickle(const fs::path& path) {
  const std::string type = pickle_type(path);
  if (type.empty()) return;
  throw data_error(
      fmt::format("cannot load weights from {}: it is {}, and loading such a file can run code, so "
                  "it is never read; convert it "
                  "once in Python: import torch, safetensors.torch; "
                  "safetensors.torch.save_file({{k: v.contiguous() for k, v in "
                  "torch.load('{}', weights_only=True, map_location='cpu').items()}}, '{}')",
                  shown(path), type, shown(path.filename()),
                  shown(path.filename().replace_extension(".safetensors"))));
}

}  // namespace fovea::storage
