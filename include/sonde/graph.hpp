#pragma once
#include <cstdint>
#include <memory>
#include <sonde/layer.hpp>
#include <sonde/weights.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sonde {

/// The calls between some inputs and some outputs, in the order in which they can run.
/// Order and numbering are Keras' (keras.src.ops.function.map_graph): by distance to the outputs,
/// ties by a depth-first walk from the outputs.
class Graph {
 public:
  /// One output of one call.
  struct Source {
    Index call = 0;
    Index output = 0;
    bool operator==(const Source&) const = default;
  };
  struct Call {
    std::shared_ptr<const Node> node;
    Index layer = 0;   ///< number in layers()
    Index number = 0;  ///< which call of its layer this is, from 0
    std::vector<Source> inputs;
    std::string path = {};   ///< name of the layer, within composites "bidirectional/forward_lstm"
    bool is_frozen = false;  ///< the layer, or a composite that it is part of, is not trainable
  };

  /// Throws ArgumentError when an output does not depend on inputs only, or two layers share a
  /// name. `order`: of layers(), where a file says it; all that lead to an output must be in it.
  Graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
        const std::vector<const LayerInstance*>& order = {});

  const std::vector<Call>& calls() const { return calls_; }
  /// In Keras' order of `model.layers`, InputLayers included.
  const std::vector<std::shared_ptr<LayerInstance>>& layers() const { return layers_; }
  const LayerInstance& layer(const Call& call) const {
    return *layers_[static_cast<std::size_t>(call.layer)];
  }
  const std::vector<Source>& inputs() const { return inputs_; }
  const std::vector<Source>& outputs() const { return outputs_; }
  const std::vector<Tensor>& input_tensors() const { return input_tensors_; }
  const std::vector<Tensor>& output_tensors() const { return output_tensors_; }

  /// The calls that run: composite layers replaced by what they stand for.
  Graph flat() const;

  /// The block that holds the weights of all layers: the one they already have, or a new one with
  /// values drawn from (seed, weight name), so that the order of construction does not matter.
  std::shared_ptr<WeightBlock> weights(std::uint64_t seed) const;
  /// The numbers of this graph's weights in that block, in Keras' order of model.weights; a block
  /// that several models share holds others too.
  std::vector<Index> entries() const;

 private:
  struct Flattening;
  Graph() = default;

  std::vector<Tensor> input_tensors_;
  std::vector<Tensor> output_tensors_;
  std::vector<Call> calls_;
  std::vector<std::shared_ptr<LayerInstance>> layers_;
  std::vector<Source> inputs_;
  std::vector<Source> outputs_;
};

/// What the layers of a graph ask for when they are planned, parts of composites where the
/// composite stands; layers without weights left out.
std::vector<std::pair<LayerInstance*, std::vector<WeightEntry>>> planned_weights(
    const Graph& graph);

/// "Conv1D" → "conv1d", "MaxPooling1D" → "max_pooling1d": Keras' automatic names.
std::string snake_case(std::string_view type);

/// The planner of a call, ready for AnyLayer::plan.
Planner planner_for(const LayerInstance& instance, const std::vector<Tensor>& inputs, Mode mode,
                    Index rows);

}  // namespace sonde
