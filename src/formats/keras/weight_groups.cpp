#include "formats/keras/weight_groups.hpp"

#include <fmt/format.h>

#include <map>
#include <sonde/layers/functional.hpp>
#include <sonde/layers/input_layer.hpp>
#include <sonde/layers/rnn.hpp>

namespace sonde::formats::keras {
namespace {

struct Groups {
  std::vector<WeightGroup> all = {};

  void add(LayerInstance& instance, const std::string& path) {
    const std::string_view type = instance.layer.type();
    if (const auto* model = instance.layer.as<Functional>()) {
      all.push_back({path, instance.name});
      return add_layers(*model->graph, path + "/layers", model->sequential);
    }
    if (type == "Bidirectional") {
      all.push_back({path, instance.name});
      add(*instance.parts[0], path + "/forward_layer");
      return add(*instance.parts[1], path + "/backward_layer");
    }
    if (type == "TimeDistributed") {
      all.push_back({path, instance.name});
      for (const auto& part : instance.parts)
        if (part->layer.type() != "Fold" && part->layer.type() != "Unfold")
          add(*part, path + "/layer");
      return;
    }
    if (const auto* rnn = instance.layer.as<RNN>()) {
      all.push_back({path, instance.name});
      return add_cells(instance, *rnn, path + "/cell");
    }
    if (type == "LSTM" || type == "GRU" || type == "SimpleRNN") {
      all.push_back({path, instance.name});
      all.push_back({path + "/cell", snake_case(type) + "_cell", &instance});
      return;
    }
    all.push_back({path, instance.name, &instance});
  }

  /// The parts of an RNN are its cells, as layers.
  void add_cells(const LayerInstance& instance, const RNN& rnn, const std::string& path) {
    const auto* stack = std::get_if<StackedRNNCells>(&*rnn.cell);
    const auto& parts = instance.parts;
    if (!stack) return all.push_back({path, parts[0]->name, parts[0].get()});
    all.push_back({path, stack->name.empty() ? "stacked_rnn_cells" : stack->name});
    std::map<std::string, int> counts;
    for (const auto& part : parts) {
      const std::string stem = snake_case(part->layer.type()) + "_cell";
      const int n = counts[stem]++;
      all.push_back(
          {fmt::format("{}/cells/{}", path, n == 0 ? stem : fmt::format("{}_{}", stem, n)),
           part->name, part.get()});
    }
  }

  void add_layers(const Graph& graph, const std::string& folder, bool sequential) {
    std::map<std::string, int> counts;
    for (const auto& instance : graph.layers()) {
      // A Sequential model keeps its input out of its layers.
      if (sequential && instance->layer.type() == InputLayer::type) continue;
      const auto* model = instance->layer.as<Functional>();
      const std::string stem =
          model && model->sequential ? "sequential" : snake_case(instance->layer.type());
      const int n = counts[stem]++;
      add(*instance,
          n == 0 ? fmt::format("{}/{}", folder, stem) : fmt::format("{}/{}_{}", folder, stem, n));
    }
  }
};

}  // namespace

std::vector<WeightGroup> weight_groups(const Graph& graph, const std::string& root) {
  Groups groups;
  groups.add_layers(graph, root, false);
  return std::move(groups.all);
}

}  // namespace sonde::formats::keras
