// LibTorch's modules have no forward hooks. Its dispatcher has: every operator call can be observed
// with its arguments. A layer is then an operator that reads a parameter, and is called after it.
#include "fovea/nn/summary.h"

#include <ATen/record_function.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <unordered_map>

namespace fovea::nn {
namespace {

using torch::Tensor;

using Arguments = const std::vector<c10::IValue>&;

struct Observed {
  std::string_view op;
  std::string_view type;
  /// Multiply-adds, from the arguments and the number of values that came out; null: none.
  int64_t (*multiply_adds)(Arguments in, int64_t out);
};

int64_t of_convolution(Arguments in, int64_t out) { return out * in[1].toTensor()[0].numel(); }
int64_t of_product(Arguments in, int64_t out) { return out * in[0].toTensor().size(-1); }
// q k' and the product with v
int64_t of_attention(Arguments in, int64_t out) {
  const Tensor &q = in[0].toTensor(), &k = in[1].toTensor();
  return q.numel() * k.size(-2) + out * k.size(-2);
}

// the same of the parts of a packed qkv, each position with those of its window; argument 4, none: the whole grid
int64_t of_windows(Arguments in, int64_t out) {
  const auto window = in[4].toIntVector();
  const auto grid = in[0].toTensor().sizes().slice(1, in[0].toTensor().dim() - 2);
  int64_t keys = 1;
  for (size_t axis = 0; axis < grid.size(); ++axis)
    keys *= window.empty() ? grid[axis] : window[axis];
  return 2 * out * keys;
}

/// The parameters of a recurrent network: the last list of tensors.
c10::List<Tensor> listed(Arguments in) {
  c10::List<Tensor> last;
  for (const c10::IValue& argument : in)
    if (argument.isTensorList()) last = argument.toTensorList();
  return last;
}
// each weight with each time step of each case
int64_t of_recurrence(Arguments in, int64_t) {
  const Tensor& steps = in[0].toTensor();
  int64_t weights = 0;
  for (const Tensor& parameter : listed(in))
    if (parameter.dim() == 2) weights += parameter.numel();
  return steps.numel() / steps.size(-1) * weights;
}

constexpr Observed kObserved[] = {
    {"aten::conv1d", "convolution", of_convolution},
    {"aten::conv2d", "convolution", of_convolution},
    {"aten::conv3d", "convolution", of_convolution},
    {"aten::linear", "linear", of_product},
    {"aten::matmul", "product", of_product},
    {"aten::bmm", "product", of_product},
    {"aten::scaled_dot_product_attention", "attention", of_attention},
    {"fovea::sdpa_fwd", "attention", of_attention},
    {"fovea::window_sdpa_fwd", "attention", of_windows},
    {"aten::batch_norm", "batch norm", nullptr},
    {"aten::layer_norm", "layer norm", nullptr},
    {"aten::lstm", "recurrent", of_recurrence},
    {"aten::gru", "recurrent", of_recurrence},
    {"aten::rnn_tanh", "recurrent", of_recurrence},
    {"aten::embedding", "embedding", nullptr},
};

std::string parent(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

struct Observer {
  std::unordered_map<const c10::TensorImpl*, std::string> parameters;  ///< not yet seen in a layer
  std::unordered_map<const c10::TensorImpl*, std::string> names;       ///< all
  std::vector<LayerRow> rows;
  int depth = 0;  ///< of observed operators: linear calls matmul

  LayerRow& row(const std::string& name, std::string_view type) {
    const auto found = std::ranges::find_if(
        rows, [&](const LayerRow& row) { return row.name == name && row.type == type; });
    if (found != rows.end()) return *found;
    rows.push_back({name, std::string(type), {}, 0, 0});
    return rows.back();
  }
};

thread_local Observer* observer = nullptr;

/// What is known when an operator begins; its result is read when it ends.
struct Call : at::ObserverContext {
  const Observed* observed = nullptr;
  std::vector<c10::IValue> arguments;
  std::string layer;
  int64_t parameters = 0;
};

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  const auto* observed = std::ranges::find(kObserved, function.name(), &Observed::op);
  if (!observer || observed == std::end(kObserved)) return nullptr;
  if (observer->depth++ > 0) return std::make_unique<Call>();
  auto call = std::make_unique<Call>();
  call->observed = observed;
  call->arguments.assign(function.inputs().begin(), function.inputs().end());
  const auto read = [&](const Tensor& argument) {
    const auto* tensor = argument.unsafeGetTensorImpl();
    if (const auto named = observer->names.find(tensor); named != observer->names.end())
      call->layer = parent(named->second);
    if (observer->parameters.erase(tensor)) call->parameters += argument.numel();
  };
  for (const c10::IValue& argument : call->arguments)
    if (argument.isTensor()) read(argument.toTensor());
  for (const Tensor& parameter : listed(call->arguments)) read(parameter);
  // A product without a parameter belongs to the module of the layer before it.
  if (call->layer.empty() && !observer->rows.empty())
    call->layer = parent(observer->rows.back().name);
  return call;
}

void end(const at::RecordFunction& function, at::ObserverContext* context) {
  if (!observer || !context) return;
  --observer->depth;
  const Call& call = static_cast<Call&>(*context);
  if (!call.observed || function.outputs().empty() || !function.outputs()[0].isTensor()) return;
  const Tensor& output = function.outputs()[0].toTensor();
  LayerRow& row = observer->row(call.layer, call.observed->type);
  row.output = output.sizes().vec();
  row.parameters += call.parameters;
  if (call.observed->multiply_adds)
    row.multiply_adds += call.observed->multiply_adds(call.arguments, output.numel());
}

class Watch {
 public:
  explicit Watch(Observer& by)
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    observer = &by;
  }
  ~Watch() {
    at::removeCallback(handle_);
    observer = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  at::CallbackHandle handle_;
};

class EvaluationMode {
 public:
  explicit EvaluationMode(Model& model) : model_(model), training_(model.is_training()) {
    model.eval();
  }
  ~EvaluationMode() { model_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  Model& model_;
  bool training_;
};

}  // namespace

Summary summarize(Model& model, const TensorMap& inputs, const TensorMap& lengths) {
  Observer seen;
  Summary summary;
  const auto parameters = model.named_parameters();
  for (const auto& item : parameters) {
    seen.names[item.value().unsafeGetTensorImpl()] = item.key();
    summary.parameters += item.value().numel();
    if (item.value().requires_grad()) summary.trainable += item.value().numel();
  }
  seen.parameters = seen.names;
  {
    torch::NoGradGuard no_grad;
    EvaluationMode evaluation(model);
    Watch watch(seen);
    model.forward(inputs, lengths);
  }
  for (const auto& item : parameters)
    if (seen.parameters.contains(item.value().unsafeGetTensorImpl()))
      seen.rows.push_back({item.key(), "parameter", {}, item.value().numel(), 0});
  for (const LayerRow& row : seen.rows) summary.multiply_adds += row.multiply_adds;
  summary.rows = std::move(seen.rows);
  return summary;
}

}  // namespace fovea::nn
