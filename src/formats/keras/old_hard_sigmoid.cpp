#include <algorithm>
#include <set>
#include <sonde/layers/gru.hpp>
#include <sonde/layers/lstm.hpp>
#include "formats/keras/weight_sites.hpp"
#include "formats/keras/weights_file.hpp"

namespace sonde::formats::keras {
namespace {

bool is_hard(const Value::Dict& config, std::string_view key) {
  const auto found = std::find_if(config.begin(), config.end(),
                                  [&](const auto& each) { return each.first == key; });
  return found != config.end() && found->second == Value("hard_sigmoid");
}

/// Which parts of the last axis of a layer's weights feed a hard_sigmoid: one for each gate, in
/// Keras' order. Empty when none does.
std::vector<bool> hard_gates(const AnyLayer& layer) {
  const Value::Dict config = layer.config();
  const std::string_view type = layer.type();
  const bool inside = is_hard(config, "activation");
  const bool gates = is_hard(config, "recurrent_activation");
  if (!inside && !gates) return {};
  if (type.starts_with("LSTM")) return {gates, gates, inside, gates};
  if (type.starts_with("GRU")) return {gates, gates, inside};
  return {inside};
}

bool feeds_activation(std::string_view weight, bool has_pointwise) {
  // Of a separable convolution only the second kernel does.
  return weight != "depthwise_kernel" || !has_pointwise;
}

}  // namespace

bool has_hard_sigmoid(const Graph& graph) {
  const std::vector<WeightSite> sites = weight_sites(graph);
  return std::any_of(sites.begin(), sites.end(), [](const WeightSite& site) {
    return site.holder != nullptr && !hard_gates(site.holder->layer).empty();
  });
}

void rescale_old_hard_sigmoid(const Graph& graph) {
  std::set<const LayerInstance*> done;
  for (const WeightSite& site : weight_sites(graph)) {
    if (site.holder == nullptr || !done.insert(site.holder).second) continue;
    const LayerInstance& instance = *site.holder;
    const std::vector<bool> gates = hard_gates(instance.layer);
    if (gates.empty() || !instance.weights) continue;
    WeightBlock& block = *instance.weights;
    const bool has_pointwise = instance.layer.type() == "SeparableConv1D";
    for (const Index e : instance.entries) {
      const WeightEntry& entry = block.entries()[static_cast<std::size_t>(e)];
      if (!feeds_activation(entry.name, has_pointwise)) continue;
      const auto values = block.values(entry);
      const auto width = static_cast<std::size_t>(entry.shape[entry.shape.rank() - 1]);
      const std::size_t part = width / gates.size();
      for (std::size_t i = 0; i < values.size(); ++i)
        if (gates[std::min(i % width / part, gates.size() - 1)])
          values[i] = static_cast<float>(old_hard_sigmoid_scale * double{values[i]});
    }
  }
}

}  // namespace sonde::formats::keras
