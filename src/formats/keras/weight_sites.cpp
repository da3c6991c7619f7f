#include "formats/keras/weight_sites.hpp"

#include <fmt/format.h>

#include <map>
#include <sonde/layers/functional.hpp>
#include <sonde/layers/get_item.hpp>
#include <sonde/layers/input_layer.hpp>
#include <sonde/layers/multi_head_attention.hpp>
#include <sonde/layers/rnn.hpp>

namespace sonde::formats::keras {
namespace {

std::string where_of(const LayerInstance& instance) {
  return fmt::format("{} \"{}\"", instance.layer.type(), instance.name);
}

/// Counts names that may come again: "conv1d", "conv1d_1".
class Numbered {
 public:
  std::string next(const std::string& stem) {
    const int n = counts_[stem]++;
    return n == 0 ? stem : fmt::format("{}_{}", stem, n);
  }

 private:
  std::map<std::string, int> counts_;
};

struct Sites {
  std::vector<WeightSite> all = {};

  void add(LayerInstance& instance, const std::string& path) {
    const std::string_view type = instance.layer.type();
    const std::string where = where_of(instance);
    WeightSite site{where, nullptr, {{path + "/vars", instance.name}}};
    if (const auto* model = instance.layer.as<Functional>()) {
      all.push_back(std::move(site));
      add_layers(*model->graph, path + "/layers", model->sequential);
    } else if (const auto* rnn = instance.layer.as<RNN>()) {
      all.push_back(std::move(site));
      add_cells(instance, *rnn, path + "/cell");
    } else if (type == "Bidirectional") {
      all.push_back(std::move(site));
      add(*instance.parts[0], path + "/forward_layer");
      add(*instance.parts[1], path + "/backward_layer");
    } else if (type == "TimeDistributed") {
      all.push_back(std::move(site));
      for (const auto& part : instance.parts)
        if (part->layer.type() != "Fold" && part->layer.type() != "Unfold")
          add(*part, path + "/layer");
    } else {
      site.holder = &instance;
      add_folders(site, instance.layer, path);
      all.push_back(std::move(site));
    }
  }

  /// The groups inside a layer's own.
  static void add_folders(WeightSite& site, const AnyLayer& layer, const std::string& path) {
    const std::string_view type = layer.type();
    if (type == "LSTM" || type == "GRU" || type == "SimpleRNN")
      site.groups.push_back({path + "/cell/vars", snake_case(type) + "_cell"});
    const auto* attention = layer.as<MultiHeadAttention>();
    if (!attention) return;
    for (const std::string name : {"query", "key", "value", "gate", "attention_output"}) {
      if (name == "gate" && !attention->use_gate) continue;
      const std::string folder = name == "gate"               ? "_gate_dense"
                                 : name == "attention_output" ? "output_dense"
                                                              : name + "_dense";
      site.groups.push_back({fmt::format("{}/{}/vars", path, folder), name, name});
    }
  }

  /// The parts of an RNN are its cells, as layers.
  void add_cells(const LayerInstance& instance, const RNN& rnn, const std::string& path) {
    const auto* stack = std::get_if<StackedRNNCells>(&*rnn.cell);
    const auto add_cell = [&](LayerInstance& cell, const std::string& at) {
      all.push_back({where_of(instance), &cell, {{at + "/vars", cell.name}}});
    };
    if (!stack) return add_cell(*instance.parts[0], path);
    const std::string name = stack->name.empty() ? "stacked_rnn_cells" : stack->name;
    all.push_back({where_of(instance), nullptr, {{path + "/vars", name}}});
    Numbered numbered;
    for (const auto& part : instance.parts)
      add_cell(*part, fmt::format("{}/cells/{}", path,
                                  numbered.next(snake_case(part->layer.type()) + "_cell")));
  }

  void add_layers(const Graph& graph, const std::string& folder, bool sequential) {
    Numbered numbered;
    for (const auto& instance : graph.layers()) {
      // A Sequential model keeps its input out of its layers, and operations are none.
      const std::string_view type = instance->layer.type();
      if ((sequential && type == InputLayer::type) || type == GetItem::type) continue;
      const auto* model = instance->layer.as<Functional>();
      const std::string stem =
          model && model->sequential ? "sequential" : snake_case(instance->layer.type());
      add(*instance, fmt::format("{}/{}", folder, numbered.next(stem)));
    }
  }
};

}  // namespace

std::vector<std::string> WeightSite::places(const std::vector<std::string>& weights) const {
  std::vector<int> counts(groups.size(), 0);
  std::vector<std::string> places;
  for (const std::string& weight : weights) {
    std::size_t best = 0;
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (groups[g].prefix.empty() || weight.starts_with(groups[g].prefix + "/")) best = g;
    places.push_back(fmt::format("{}/{}", groups[best].path, counts[best]++));
  }
  return places;
}

std::vector<WeightSite> weight_sites(const Graph& graph, const std::string& root) {
  Sites sites;
  sites.add_layers(graph, root, false);
  return std::move(sites.all);
}

}  // namespace sonde::formats::keras
