#include "graph/keras_masks.hpp"

#include <algorithm>

namespace sonde {
namespace {

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace

MaskRule mask_rule(const Node& node) {
  const std::string_view type = node.instance->layer.type();
  if (type == "Masking") return MaskRule::of_steps;
  if (type == "Embedding") {
    const bool hides = !node.masked.empty() && node.masked.front();  // mask_zero
    return hides ? MaskRule::of_ids : MaskRule::none;
  }
  if (type == "Concatenate") return MaskRule::side_by_side;
  if (is_one_of(type, {"Attention", "AdditiveAttention"})) return MaskRule::of_query;
  if (is_one_of(type, {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}))
    return MaskRule::any_input;
  if (is_one_of(type, {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"}))
    return node.outputs.front().rank() > 1 ? MaskRule::same : MaskRule::none;
  if (is_one_of(type, {"TimeDistributed",
                       "Dense",
                       "MultiHeadAttention",
                       "Activation",
                       "ReLU",
                       "LeakyReLU",
                       "PReLU",
                       "ELU",
                       "Softmax",
                       "Dropout",
                       "SpatialDropout1D",
                       "GaussianNoise",
                       "GaussianDropout",
                       "BatchNormalization",
                       "LayerNormalization",
                       "GroupNormalization",
                       "UnitNormalization",
                       "Normalization",
                       "Rescaling",
                       "ActivityRegularization"}))
    return MaskRule::same;
  // What is left drops masks; in a model that is a layer Keras meets them only when it runs.
  return MaskRule::none;
}

bool takes_masks(const Node& node) {
  const std::string_view type = node.instance->layer.type();
  if (type == "Functional") return true;
  // Not beside an initial state: then there are several arguments that are tensors.
  return node.inputs.size() == 1 &&
         is_one_of(type, {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed",
                          "BatchNormalization", "GlobalAveragePooling1D", "Softmax"});
}

MaskDepths::MaskDepths(const std::vector<std::shared_ptr<const Node>>& calls) {
  const auto known = [&](const Tensor& input) { return is_known(input); };
  for (const auto& node : calls) {
    const std::vector<Tensor>& inputs = node->inputs;
    bool is_known = false;
    switch (mask_rule(*node)) {
      case MaskRule::none:
        break;
      case MaskRule::of_steps:
      case MaskRule::of_ids:
        is_known = true;
        break;
      case MaskRule::same:
      case MaskRule::of_query:
        is_known = known(inputs.front());
        break;
      case MaskRule::any_input:
        is_known = std::all_of(inputs.begin(), inputs.end(), known);
        break;
      case MaskRule::side_by_side:
        is_known = std::any_of(inputs.begin(), inputs.end(), known);
    }
    if (is_known) known_.insert(node.get());
  }
}

}  // namespace sonde
