#pragma once
#include <sonde/graph.hpp>
#include <sonde/value.hpp>
#include <string>
#include <vector>

/// Graphs as Keras' functional config and back.
namespace sonde::formats::keras {

/// A model without weights, as a file describes it.
struct ReadGraph {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::string name;
  /// All layers that the file has, in its order, whether or not they lead to an output.
  std::vector<const LayerInstance*> layers = {};
  std::size_t calls = 0;
};

struct GraphLimits {
  std::size_t layers = 10'000;
  std::size_t calls = 20'000;
};

/// "module" … "build_config" of config.json for a functional model. Calls of one layer are written,
/// and numbered, in the order in which they run, as Keras makes them again.
Value::Dict write_graph(const Graph& graph, const std::string& name, bool trainable = true);

/// A layer, a model as well, with its class and config: what stands in lists and in wrappers.
Value::Dict write_layer(const AnyLayer& layer, const std::string& name);

/// The model that config.json describes: Functional, or Sequential. Every layer is made anew and
/// planned for the shapes it meets; nothing is allocated for its weights. FormatError begins with
/// `where` and names the layer. `is_part`: the model is a layer of another one.
ReadGraph read_graph(const Value& config, int keras_major, const std::string& where,
                     const GraphLimits& limits = {}, bool is_part = false);
/// The graph of what was read. FormatError begins with `where` when something leads to no output.
Graph checked_graph(const ReadGraph& read, const std::string& where);

}  // namespace sonde::formats::keras
