#include "commands/failure_images.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/io/image_file.h"
#include "fovea/storage/case_names.h"
#include "fovea/storage/file.h"

namespace fovea::commands {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kLongestSide = 160;                   // pixels
constexpr double kDarkest = 0.005, kBrightest = 0.995;  // shares of pixels beyond black and white

/// The image of a case as [C, H, W]; of a volume the middle slice. Undefined where it has none.
torch::Tensor picture_of(const Example& example) {
  for (const auto& [name, tensor] : example.inputs) {
    if (tensor.dim() == 3) return tensor;
    if (tensor.dim() == 4) return tensor.select(1, tensor.size(1) / 2);
  }
  return {};
}

Image small(const torch::Tensor& picture) {
  torch::Tensor values = picture.to(torch::kFloat);
  if (values.size(0) != 3) values = values.narrow(0, 0, 1);
  const double shrink =
      std::min(1.0, static_cast<double>(kLongestSide) /
                        static_cast<double>(std::max(values.size(1), values.size(2))));
  const auto side = [&](int64_t axis) {
    return std::max<int64_t>(1, std::llround(shrink * static_cast<double>(values.size(axis))));
  };
  values = at::adaptive_avg_pool2d(values, {side(1), side(2)});
  const torch::Tensor sorted = std::get<0>(values.flatten().sort());
  const auto at_share = [&](double share) {
    return sorted[std::llround(share * static_cast<double>(sorted.numel() - 1))].item<float>();
  };
  const float dark = at_share(kDarkest), bright = at_share(kBrightest);
  values = (values - dark) / std::max(bright - dark, 1e-12F);
  values = values.clamp(0, 1).mul(255).round().to(torch::kUInt8).permute({1, 2, 0}).contiguous();
  Image image{.height = values.size(0), .width = values.size(1), .channels = values.size(2)};
  const auto* bytes = reinterpret_cast<const std::byte*>(values.const_data_ptr<uint8_t>());
  image.pixels.assign(bytes, bytes + values.numel());
  return image;
}

/// Those of an evaluation before, and nothing else that somebody put there.
void remove_pictures(const fs::path& folder) {
  std::error_code absent;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    const std::string number = entry.path().stem().string();
    const bool digits = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    if (entry.path().extension() == ".png" && digits) old.push_back(entry.path());
  }
  for (const fs::path& one : old) fs::remove(one, absent);
}

}  // namespace

void add_failure_images(std::vector<report::Section>& sections, const Dataset& cases,
                        const fs::path& folder) {
  remove_pictures(folder / "failures");
  std::map<uint32_t, std::string> written;  // by case; "" where there is no picture
  for (report::Section& section : sections)
    for (report::Failure& failure : section.failures) {
      const std::string name = cases.name(failure.row);
      if (!storage::names_are_hidden() && storage::exists(name))
        failure.link = fs::absolute(name).string();
      const auto [known, is_new] = written.try_emplace(failure.row);
      if (is_new) {
        try {
          const torch::Tensor picture = picture_of(cases.get(failure.row));
          if (!picture.defined() || picture.numel() == 0) continue;
          storage::make_folder(folder / "failures");
          known->second = fmt::format("failures/{:04}.png", written.size());
          io::write_png(folder / known->second, small(picture));
        } catch (const Error& error) {
          if (error.fault() != Fault::data) throw;
          log_warning(std::string(error.what()) + "; the report has no picture of this case");
          known->second.clear();
        }
      }
      failure.image = known->second;
    }
}

}  // namespace fovea::commands
