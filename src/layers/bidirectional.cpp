#include <sonde/graph.hpp>
#include <sonde/layers.hpp>

#include <algorithm>

#include "layers/merge_directions.hpp"

namespace sonde {
namespace {

bool flag(const Value::Dict& config, std::string_view key) {
  for (const auto& each : config)
    if (each.first == key && each.second.as<bool>()) return *each.second.as<bool>();
  return false;
}

bool has(const Value::Dict& config, std::string_view key) {
  return std::any_of(config.begin(), config.end(),
                     [&](const auto& each) { return each.first == key; });
}

void set(Value::Dict& config, std::string_view key, Value value) {
  const auto found = std::find_if(config.begin(), config.end(),
                                  [&](const auto& each) { return each.first == key; });
  if (found != config.end()) found->second = std::move(value);
}

/// The layer under the name that Keras gives it, for one direction.
AnyLayer direction(const AnyLayer& layer, const std::string& prefix, bool backwards) {
  Value::Dict config = layer.config();
  std::string name = layer.name().empty() ? snake_case(layer.type()) : layer.name();
  if (name.starts_with(prefix)) name = name.substr(prefix.size());
  set(config, "name", prefix + name);
  if (backwards) set(config, "go_backwards", true);
  if (has(config, "zero_output_for_mask"))
    set(config, "zero_output_for_mask", flag(config, "return_sequences"));
  return layer_from_config(layer.type(), config, "Bidirectional");
}

}  // namespace

std::vector<Tensor> Bidirectional::expand(Expansion& expansion) const {
  const Value::Dict config = (*layer).config();
  if (!has(config, "go_backwards"))
    expansion.refuse("needs a recurrent layer, got " + std::string((*layer).type()) +
                     ". Use LSTM, GRU, SimpleRNN or RNN.");
  const AnyLayer forward = direction(*layer, "forward_", false);
  const AnyLayer backward = backward_layer ? *backward_layer : direction(*layer, "backward_", true);
  const Value::Dict other = backward.config();
  if (flag(other, "go_backwards") == flag(config, "go_backwards"))
    expansion.refuse("its two layers walk time in the same direction: one needs go_backwards.");
  for (const char* key : {"return_sequences", "return_state", "stateful"})
    if (flag(other, key) != flag(config, key))
      expansion.refuse(std::string(key) + " differs between its two layers.");

  const auto& inputs = expansion.inputs();
  const std::size_t states = inputs.size() - 1;
  if (states % 2 != 0)
    expansion.refuse("initial_state must hold as many states for each direction, got " +
                     std::to_string(states) + " in all.");
  const auto half = static_cast<std::ptrdiff_t>(states / 2);
  std::vector<Tensor> ahead(inputs.begin(), inputs.begin() + 1 + half), back{inputs.front()};
  back.insert(back.end(), inputs.begin() + 1 + half, inputs.end());
  const auto y = expansion.call(forward.name(), forward, std::move(ahead));
  const std::string second =
      backward.name().empty() ? "backward_" + snake_case(backward.type()) : backward.name();
  const auto turned = expansion.call(second, backward, std::move(back));

  std::vector<Tensor> outputs = expansion.call(
      "merge", MergeDirections{.mode = merge_mode, .turn = flag(config, "return_sequences")},
      {y.front(), turned.front()});
  outputs.insert(outputs.end(), y.begin() + 1, y.end());
  outputs.insert(outputs.end(), turned.begin() + 1, turned.end());
  return outputs;
}

Tensor Bidirectional::operator()(Tensor x, std::vector<Tensor> initial_state) const {
  return outputs(std::move(x), std::move(initial_state)).front();
}

std::vector<Tensor> Bidirectional::outputs(Tensor x, std::vector<Tensor> initial_state) const {
  initial_state.insert(initial_state.begin(), std::move(x));
  return apply(*this, std::move(initial_state));
}

}  // namespace sonde
