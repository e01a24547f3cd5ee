// The weights of a model: as a list of names, from and to safetensors, and by group for an
// optimizer.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/nn/model.h"

namespace fovea::nn {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// All parameters, then all buffers, in the order of the modules. The tensors are the model's own.
NamedTensors state(const torch::nn::Module& model);

/// Named tensors to and from a file, whatever device they are on: what a checkpoint needs besides
/// the weights. Reading gives copies on the CPU.
void save_tensors(const NamedTensors& tensors, const std::filesystem::path& path);
NamedTensors load_tensors(const std::filesystem::path& path);

/// Writes `state(model)` atomically, whatever device it is on.
void save_weights(const torch::nn::Module& model, const std::filesystem::path& path);

/// Reads what save_weights wrote: the same names and shapes, no more and no less. Otherwise a data
/// Error lists missing, unexpected and mismatched tensors with both shapes, and the model is as it
/// was. PyTorch's pickle files are refused with the line of Python that converts them.
void load_weights(torch::nn::Module& model, const std::filesystem::path& path);

/// Weights to start training from, of one of two origins:
///   * of a fovea model: heads that are missing or have another shape keep their initial
///     values;
///   * of a bare torchvision or timm model, for the encoder named (or the only one): its classifier
///     (fc.*, classifier.*, head.*) is ignored.
/// Attention blocks and pooling that the file lacks keep their initial values. Weights of an RGB
/// stem serve a one-channel input, summed over the channels: the same as repeating the input; a
/// position embedding of another grid is interpolated. All of that is logged. What remains missing,
/// unexpected or mismatched is a data Error as above.
void start_from(Model& model, const std::filesystem::path& path, std::string_view encoder = "");

/// Parameters that an optimizer treats alike. Frozen ones are in no group, empty groups are left
/// out.
struct ParameterGroup {
  bool head = false;  ///< "heads.…", or else of an encoder
  bool decay =
      false;  ///< not for norms, biases and gates (1-D), class tokens, position embeddings,
              ///< and what makes tokens of a table's columns (Gorishniy et al., 2021)
  NamedTensors parameters;
};
std::vector<ParameterGroup> parameter_groups(const Model& model);

}  // namespace fovea::nn
