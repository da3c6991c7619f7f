// Apart from model.cpp: explaining a wrong shape needs the list of all layers.
#include <fmt/format.h>

#include <sonde/diagnosis.hpp>
#include <sonde/layer.hpp>

namespace sonde {

Model Sequential(Tensor input, const std::vector<AnyLayer>& layers, ModelOptions options) {
  Tensor at = input;
  for (const AnyLayer& layer : layers) {
    std::vector<Tensor> outputs;
    try {
      outputs = detail::call(layer, Identity{}, {at});
    } catch (const ArgumentError& error) {
      const Diagnosis d =
          diagnose(input.shape(), layers, {.x = {input.shape()}, .y = {}}, MeanSquaredError{});
      throw ArgumentError(error.what() + d.details());
    }
    if (outputs.size() != 1)
      throw ArgumentError(fmt::format("Sequential: {} gives {} outputs, and can pass on only one.",
                                      layer.type(), outputs.size()));
    at = outputs.front();
  }
  return Model(std::move(input), std::move(at), std::move(options));
}

}  // namespace sonde
