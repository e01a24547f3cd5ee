// `fovea inspect`: one function per file type, told apart by content.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/dicom/image.h"
#include "fovea/formats/formats.h"
#include "fovea/formats/image_tensor.h"
#include "fovea/io/npz.h"
#include "fovea/io/wfdb.h"
#include "fovea/nn/summary.h"
#include "fovea/storage/case_names.h"
#include "fovea/storage/file.h"
#include "fovea/storage/safetensors.h"
#include "fovea/train/device.h"

namespace fovea::commands {
namespace {

void line(std::string_view name, std::string_view value) {
  std::cout << fmt::format("  {:<28} {}\n", name, value);
}

std::string shape_text(const std::vector<int64_t>& shape) { return storage::shape_text(shape); }

void inspect_pixels(const Image& image) {
  const torch::Tensor values = formats::to_tensor(image).to(torch::kFloat64);
  line("pixels", fmt::format("{} frames x {} rows x {} columns x {} channels", image.frames,
                             image.height, image.width, image.channels));
  line("values", fmt::format("{:g} to {:g}, mean {:.6g}", values.min().item<double>(),
                             values.max().item<double>(), values.mean().item<double>()));
  for (const std::string& note : image.notes) line("note", note);
}

void inspect_image(const std::filesystem::path& path, const formats::Format& format) {
  std::cout << in_our_words(path.string()) << ": " << format.help << '\n';
  if (format.name == "dicom")
    for (const auto& [name, value] : dicom::describe(dicom::scan(path))) line(name, value);
  inspect_pixels(formats::read_image(path));
}

void inspect_npz(const std::filesystem::path& path) {
  std::cout << in_our_words(path.string()) << ": NumPy archive\n";
  for (const io::NpzEntry& entry : io::NpzFile::open(path).entries())
    line(entry.name, fmt::format("{} {}", storage::name_of(entry.header.dtype),
                                 shape_text(entry.header.shape)));
}

bool is_safetensors(const std::filesystem::path& path, std::string_view head) {
  return path.extension() == ".safetensors" || (head.size() > 9 && head.substr(8, 2) == "{\"");
}

void inspect_safetensors(const std::filesystem::path& path) {
  const auto file = storage::SafetensorsFile::open(path);
  std::cout << in_our_words(path.string()) << ": safetensors\n";
  int64_t numbers = 0;
  for (const storage::TensorEntry& tensor : file.entries()) {
    int64_t count = 1;
    for (const int64_t side : tensor.shape) count *= side;
    numbers += count;
    line(tensor.name,
         fmt::format("{} {}", storage::name_of(tensor.dtype), shape_text(tensor.shape)));
  }
  line("in all", fmt::format("{} tensors, {} numbers", file.entries().size(), numbers));
  for (const auto& [key, value] : file.metadata()) line("metadata " + key, value);
}

void inspect_record(const std::filesystem::path& path) {
  const io::WfdbRecord record = io::read_wfdb(path);
  const io::WfdbHeader& header = record.header;
  std::cout << in_our_words(path.string()) << ": WFDB record\n";
  line("samples", fmt::format("{} at {:g} Hz, {:.1f} s", header.samples, header.frequency,
                              static_cast<double>(header.samples) / header.frequency));
  for (size_t k = 0; k < header.signals.size(); ++k) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t t = 0; t < header.samples; ++t) {
      low = std::fmin(low, record.value(t, k));  // fmin and fmax pass over missing samples
      high = std::fmax(high, record.value(t, k));
    }
    const io::WfdbSignal& signal = header.signals[k];
    line("signal " + signal.name,
         fmt::format("format {}, {:g} to {:g} {}", signal.format, low, high, signal.units));
  }
}

void inspect_annotations(const std::filesystem::path& path) {
  const auto annotations = io::read_wfdb_annotations(path);
  std::map<std::string, int64_t> counts;
  for (const io::WfdbAnnotation& one : annotations.all) ++counts[one.symbol];
  std::cout << in_our_words(path.string()) << ": WFDB annotations\n";
  for (const auto& [symbol, count] : counts) line(symbol, std::to_string(count));
}

constexpr int64_t kSomeTokens = 16;  // the length for which layers of texts are shown

TensorMap blank_inputs(const bundle::ModelCard& card) {
  TensorMap inputs;
  for (const auto& [name, shape] : card.inputs) {
    std::vector<int64_t> sizes{1};
    for (const int64_t side : shape.sizes) sizes.push_back(side < 0 ? kSomeTokens : side);
    inputs[name] = shape.vocabulary > 0 ? torch::ones(sizes, torch::kInt64) : torch::zeros(sizes);
  }
  return inputs;
}

void inspect_trained(const std::filesystem::path& folder) {
  train::choose_device("cpu");
  const bundle::Trained trained = bundle::open_trained(folder);
  const tasks::TaskPtr task = bundle::make_task(trained.config, trained.card);
  const auto model = bundle::make_model(trained, *task);
  const nn::Summary summary = nn::summarize(*model, blank_inputs(trained.card));

  std::cout << in_our_words(folder.string() + ": a trained model, weights in " +
                            trained.weights.string())
            << '\n';
  for (const auto& [name, shape] : trained.card.inputs)
    line("input " + name, shape_text(shape.sizes));
  for (const TargetSpec& target : trained.card.targets) {
    line("target " + target.name,
         target.classes.empty()
             ? fmt::format("a {}, {:.4g} ± {:.4g}", target.type, target.mean, target.deviation)
             : join(target.classes));
    for (size_t k = 0; k < target.points.size(); ++k)
      line("  called " + target.classes.at(target.multi_label() ? k : 1),
           fmt::format("at a probability of {:.4g} or more ({})", target.points[k].threshold,
                       target.points[k].chosen));
  }
  std::cout << fmt::format("  {:<44} {:<14} {:<22} {:>12} {:>15}\n", "layer", "type", "output",
                           "parameters", "multiply-adds");
  for (const nn::LayerRow& row : summary.rows)
    std::cout << fmt::format("  {:<44} {:<14} {:<22} {:>12} {:>15}\n", row.name, row.type,
                             shape_text(row.output), row.parameters, row.multiply_adds);
  std::cout << fmt::format("  {:<44} {:<14} {:<22} {:>12} {:>15}\n", "in all", "", "",
                           summary.parameters, summary.multiply_adds);
}

void inspect_one(const std::filesystem::path& path) {
  if (storage::is_folder(path)) return inspect_trained(path);
  storage::note_path(path);
  const std::string head = storage::read_head(path, formats::kHeadBytes);
  if (const formats::Format* format = formats::format_of(head)) return inspect_image(path, *format);
  if (io::is_zip(head) && path.extension() != ".pt" && path.extension() != ".pth")
    return inspect_npz(path);
  if (path.extension() == ".hea") return inspect_record(path);
  if (path.extension() == ".atr") return inspect_annotations(path);
  if (is_safetensors(path, head)) return inspect_safetensors(path);
  if (formats::named_as_image(path)) formats::read_image(path);  // which says what is wrong
  std::vector<std::string> known;
  for (const formats::Format& format : formats::formats()) known.push_back(format.name);
  throw data_error(storage::shown(path) + ": found a file of no known type; wanted one of " +
                   join(known) +
                   ", npz, safetensors, WFDB (.hea, .atr), or the folder of a run or a bundle");
}

}  // namespace

int inspect(const Paths& paths) {
  int code = 0;  // where files fail for several reasons, that of data
  for (const std::filesystem::path& path : paths) {
    try {
      inspect_one(path);
    } catch (const Error& error) {
      std::cout << std::flush;
      complain(error.what());
      const int own = static_cast<int>(error.fault());
      code = code == 0 || code == own ? own : static_cast<int>(Fault::data);
    }
    if (!std::cout) break;  // the program says why
  }
  return code;
}

}  // namespace fovea::commands
