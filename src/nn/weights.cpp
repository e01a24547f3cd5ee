#include "fovea/nn/weights.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <map>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/text.h"
#include "fovea/storage/file.h"
#include "fovea/storage/safetensors.h"

namespace fovea::nn {
namespace {

using storage::DType;
using storage::TensorEntry;
using torch::Tensor;

constexpr size_t kListed = 20;  // tensors of each group that a message names

struct TypePair {
  DType stored;
  at::ScalarType scalar;
};
constexpr TypePair kTypes[] = {
    {DType::boolean, at::kBool}, {DType::u8, at::kByte},       {DType::i8, at::kChar},
    {DType::i16, at::kShort},    {DType::i32, at::kInt},       {DType::i64, at::kLong},
    {DType::f16, at::kHalf},     {DType::bf16, at::kBFloat16}, {DType::f32, at::kFloat},
    {DType::f64, at::kDouble},
};

std::string shape_text(const Tensor& tensor) {
  return storage::shape_text(std::span(tensor.sizes().data(), tensor.sizes().size()));
}

at::ScalarType scalar_type(const storage::SafetensorsFile& file, const TensorEntry& entry) {
  const auto* type = std::ranges::find(kTypes, entry.dtype, &TypePair::stored);
  if (type == std::end(kTypes))
    throw data_error(
        fmt::format("reading weights {}: tensor '{}' is of type {}, wanted a type of "
                    "LibTorch",
                    storage::shown(file.path()), entry.name, storage::name_of(entry.dtype)));
  return type->scalar;
}

Tensor read_tensor(const storage::SafetensorsFile& file, const TensorEntry& entry) {
  Tensor tensor = at::empty(entry.shape, scalar_type(file, entry));
  file.read(entry, {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()});
  return tensor;
}

/// Without a second copy in memory where the bytes fit as they are.
void read_into(Tensor to, const storage::SafetensorsFile& file, const TensorEntry& entry) {
  if (to.is_cpu() && to.is_contiguous() && to.scalar_type() == scalar_type(file, entry))
    file.read(entry, {static_cast<std::byte*>(to.mutable_data_ptr()), to.nbytes()});
  else
    to.copy_(read_tensor(file, entry));
}

/// What does not fit, collected before anything is changed.
struct Misfits {
  std::vector<std::string> missing, unexpected, mismatched;

  void check(const std::filesystem::path& path) const {
    if (missing.empty() && unexpected.empty() && mismatched.empty()) return;
    const auto part = [](const char* what, const std::vector<std::string>& names) {
      return names.empty()
                 ? std::string()
                 : fmt::format("\n  {} {}: {}", names.size(), what, join(names, ", ", kListed));
    };
    throw data_error(fmt::format(
        "loading weights {}: they are of another architecture{}{}{}\nchoose the encoder (and its "
        "settings) that the weights were made with",
        storage::shown(path), part("missing", missing), part("unexpected", unexpected),
        part("mismatched", mismatched)));
  }
};

/// "heads.", "fusion.", "placeholders.": they depend on the task and on the other inputs.
bool is_of_an_encoder(std::string_view name) { return name.starts_with("encoders."); }

bool is_counter(std::string_view name) { return name.ends_with("num_batches_tracked"); }

/// Where the tensors of a file belong: names in the model by names in the file.
struct Plan {
  std::string prefix;  ///< put before a name of the file: "encoders.image." for a bare model
  const Encoder* encoder = nullptr;  ///< whose names those of a bare model are
  bool bare() const { return encoder != nullptr; }
  /// Empty for what is to be left out.
  std::string name_in_model(const std::string& stored) const {
    if (!bare()) return stored;
    const std::string own = encoder->known_as(stored);
    return own.empty() ? own : prefix + own;
  }
};

Plan plan_of(const Model& model, const storage::SafetensorsFile& file, std::string_view encoder) {
  for (const TensorEntry& entry : file.entries())
    if (entry.name.starts_with("encoders.")) return {};
  if (encoder.empty() && model.input_names().size() > 1)
    throw config_error(
        fmt::format("loading weights {}: found a bare model's weights and several "
                    "encoders ({}), wanted the name of the one they are for",
                    storage::shown(file.path()), join(model.input_names())));
  const std::string name(encoder.empty() ? model.input_names()[0] : encoder);
  return {"encoders." + name + ".", &model.encoder(name)};
}

/// `stored` in the shape of the parameter `name`, undefined where there is no sound way.
Tensor adapted(const Model& model, const std::string& name, const Tensor& wanted,
               const Tensor& stored) {
  const bool same_kernel = stored.dim() == wanted.dim() && stored.dim() >= 4 &&
                           stored.size(0) == wanted.size(0) &&
                           stored.sizes().slice(2) == wanted.sizes().slice(2);
  if (same_kernel && stored.size(1) == 3 && wanted.size(1) == 1) return stored.sum(1, true);
  for (const std::string& input : model.input_names()) {
    const std::string prefix = "encoders." + input + ".";
    if (!name.starts_with(prefix)) continue;
    Tensor fitting = model.encoder(input).adapted(name.substr(prefix.size()), stored);
    if (fitting.defined() && fitting.sizes() == wanted.sizes()) return fitting;
  }
  return {};
}

/// "encoders.image.attention.0.…" and "encoders.image.pooling.…": what fovea adds to an
/// architecture; and the pooler, which not every published BERT has.
bool is_addition(const Model& model, std::string_view name) {
  return std::ranges::any_of(model.input_names(), [&](const std::string& input) {
    const std::string prefix = "encoders." + input + ".";
    return name.starts_with(prefix + "attention.") || name.starts_with(prefix + "pooling.") ||
           name.starts_with(prefix + "pooler.");
  });
}

}  // namespace

NamedTensors state(const torch::nn::Module& model) {
  NamedTensors tensors;
  for (const auto& item : model.named_parameters()) tensors.emplace_back(item.key(), item.value());
  for (const auto& item : model.named_buffers()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

void save_tensors(const NamedTensors& tensors, const std::filesystem::path& path) {
  std::vector<Tensor> kept;  // holds the bytes while they are written
  std::vector<storage::TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    const Tensor bytes = tensor.detach().to(at::kCPU).contiguous();
    kept.push_back(bytes);
    const auto* type = std::ranges::find(kTypes, bytes.scalar_type(), &TypePair::scalar);
    views.push_back({name,
                     type->stored,
                     bytes.sizes().vec(),
                     {static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()}});
  }
  storage::write_safetensors(path, std::move(views));
}

NamedTensors load_tensors(const std::filesystem::path& path) {
  const storage::SafetensorsFile file = storage::SafetensorsFile::open(path);
  NamedTensors tensors;
  for (const TensorEntry& entry : file.entries())
    tensors.emplace_back(entry.name, read_tensor(file, entry));
  return tensors;
}

void save_weights(const torch::nn::Module& model, const std::filesystem::path& path) {
  save_tensors(state(model), path);
}

void load_weights(torch::nn::Module& model, const std::filesystem::path& path) {
  const storage::SafetensorsFile file = storage::SafetensorsFile::open(path);
  Misfits misfits;
  std::vector<std::pair<Tensor, const TensorEntry*>> fitting;
  const NamedTensors tensors = state(model);
  for (const auto& [name, tensor] : tensors) {
    const TensorEntry* entry = file.find(name);
    if (!entry) {
      misfits.missing.push_back(name + " " + shape_text(tensor));
    } else if (tensor.sizes() != at::IntArrayRef(entry->shape)) {
      misfits.mismatched.push_back(fmt::format(
          "{} (file {}, model {})", name, storage::shape_text(entry->shape), shape_text(tensor)));
    } else {
      fitting.emplace_back(tensor, entry);
    }
  }
  for (const TensorEntry& entry : file.entries()) {
    if (std::ranges::none_of(tensors, [&](const auto& one) { return one.first == entry.name; }))
      misfits.unexpected.push_back(entry.name + " " + storage::shape_text(entry.shape));
  }
  misfits.check(path);
  const torch::NoGradGuard no_grad;
  for (const auto& [tensor, entry] : fitting) read_into(tensor, file, *entry);
}

void start_from(Model& model, const std::filesystem::path& path, std::string_view encoder) {
  const storage::SafetensorsFile file = storage::SafetensorsFile::open(path);
  const Plan plan = plan_of(model, file, encoder);
  const NamedTensors tensors = state(model);
  std::map<std::string, Tensor, std::less<>> open(tensors.begin(), tensors.end());

  Misfits misfits;
  std::vector<std::pair<Tensor, const TensorEntry*>> fitting;
  std::vector<std::pair<Tensor, Tensor>> made_to_fit;
  std::vector<std::string> changed, initial;
  for (const TensorEntry& entry : file.entries()) {
    const std::string name = plan.name_in_model(entry.name);
    if (name.empty()) continue;
    const auto target = open.find(name);
    if (target == open.end()) {
      if (is_of_an_encoder(name))
        misfits.unexpected.push_back(entry.name + " " + storage::shape_text(entry.shape));
      continue;
    }
    const Tensor wanted = target->second;
    const std::string stored_shape = storage::shape_text(entry.shape);
    if (wanted.sizes() == at::IntArrayRef(entry.shape)) {
      fitting.emplace_back(wanted, &entry);
    } else if (!is_of_an_encoder(name)) {
      continue;  // stays open: keeps its initial values
    } else if (const Tensor made = adapted(model, name, wanted, read_tensor(file, entry));
               made.defined()) {
      made_to_fit.emplace_back(wanted, made);
      changed.push_back(fmt::format("{} {} -> {}", name, stored_shape, shape_text(wanted)));
    } else {
      misfits.mismatched.push_back(
          fmt::format("{} (file {}, model {})", name, stored_shape, shape_text(wanted)));
    }
    open.erase(name);
  }
  for (const auto& [name, tensor] : tensors) {
    if (!open.contains(name) || is_counter(name)) continue;
    const bool other_encoder =
        plan.bare() && is_of_an_encoder(name) && !name.starts_with(plan.prefix);
    if (!is_of_an_encoder(name) || other_encoder || is_addition(model, name)) {
      initial.push_back(name);
    } else {
      misfits.missing.push_back(name.substr(plan.prefix.size()) + " " + shape_text(tensor));
    }
  }
  misfits.check(path);
  const torch::NoGradGuard no_grad;
  for (const auto& [tensor, entry] : fitting) read_into(tensor, file, *entry);
  for (const auto& [tensor, made] : made_to_fit) Tensor(tensor).copy_(made);
  log_info(fmt::format(
      "weights: {} tensors from {}{}{}", fitting.size() + made_to_fit.size(), storage::shown(path),
      changed.empty() ? "" : "; made to fit: " + join(changed),
      initial.empty() ? "" : "; left at their initial values: " + join(initial, ", ", kListed)));
}

std::vector<ParameterGroup> parameter_groups(const Model& model) {
  std::vector<ParameterGroup> groups;
  for (const bool head : {false, true})
    for (const bool decay : {true, false}) groups.push_back({head, decay, {}});
  for (const auto& item : model.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const std::string& name = item.key();
    const bool head = !is_of_an_encoder(name);
    const bool decay = item.value().dim() > 1 && !name.ends_with("cls_token") &&
                       !name.ends_with("pos_embed") && name.find(".tokenizer.") == name.npos;
    groups[2 * head + !decay].parameters.emplace_back(name, item.value());
  }
  std::erase_if(groups, [](const ParameterGroup& group) { return group.parameters.empty(); });
  return groups;
}

}  // namespace fovea::nn
