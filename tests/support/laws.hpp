#pragma once
#include <gtest/gtest.h>

#include <sonde/graph.hpp>
#include <sonde/layers.hpp>
#include <vector>

/// What every layer obeys; docs: architecture, "The laws".
namespace sonde::testing {

struct LawOptions {
  Index time = 17;  ///< 0: inputs are vectors without time
  Index channels = 3;
  Index inputs = 1;
  std::vector<Shape> shapes = {};  ///< of the inputs, instead of the three above
  bool streams = true;             ///< false: the layer must refuse to stream and say why
  bool any_length = true;          ///< false: only `time` steps fit
  double kernels = 1e-5;           ///< how far float may be from double; see near()
};

/// Checks a graph between some tensors against all laws but the round trip:
/// shape, gradient, kernels, chunk, rows, shards, silence.
void check_graph(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                 const LawOptions& options);

/// The round trip: spec → config → spec, through the list of layers.
void check_round_trip(const AnyLayer& layer);

/// Calls `layer` on tensors. What it leaves is read by another layer and not by the caller, so that
/// its outputs stay only where it asked for that.
template <Layer L>
std::vector<Tensor> call_within_a_graph(const L& layer, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  for (const Tensor& y : sonde::apply(layer, inputs))
    outputs.push_back(Activation{.activation = Activation::linear}(y));
  return outputs;
}

/// Calls `layer` alone on inputs of the given shapes and checks it against all laws.
template <Layer L>
void check_laws(const L& layer, LawOptions options = {}) {
  if (options.shapes.empty()) {
    const Shape shape =
        options.time > 0 ? Shape{options.time, options.channels} : Shape{options.channels};
    options.shapes.assign(static_cast<std::size_t>(options.inputs), shape);
  }
  std::vector<Tensor> inputs;
  for (const Shape& shape : options.shapes) inputs.push_back(Input(shape));
  check_graph(inputs, call_within_a_graph(layer, inputs), options);
  if (options.any_length && options.shapes.front().rank() >= 2) {
    // The same layer planned for a signal of unknown length.
    std::vector<Tensor> open;
    for (Shape shape : options.shapes) {
      if (shape.rank() >= 2) shape[0] = dynamic;
      open.push_back(Input(shape));
    }
    check_graph(open, call_within_a_graph(L(layer), open), options);
  }
  check_round_trip(layer);
}

}  // namespace sonde::testing
