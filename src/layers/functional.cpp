#include <sonde/layers/functional.hpp>

#include <fmt/format.h>

namespace sonde {

std::vector<Tensor> Functional::expand(Expansion& expansion) const {
  const auto& given = expansion.inputs();
  if (given.size() != graph->inputs().size())
    expansion.refuse(fmt::format("takes {} inputs, got {}.", graph->inputs().size(), given.size()));
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Shape &expected = graph->input_tensors()[i].shape(), &got = given[i].shape();
    bool fits = got.rank() == expected.rank();
    for (Index a = 0; fits && a < got.rank(); ++a)
      fits = expected[a] == dynamic || expected[a] == got[a];
    if (!fits)
      expansion.refuse(fmt::format("input {} must have shape {}, got {}.", i, to_string(expected),
                                   to_string(got)));
  }
  expansion.adopt(graph->layers());
  // What each call of the model gives here.
  std::vector<std::vector<Tensor>> made(graph->calls().size());
  const auto at = [&](const Graph::Source& source) -> const Tensor& {
    return made[static_cast<std::size_t>(source.call)][static_cast<std::size_t>(source.output)];
  };
  for (std::size_t i = 0; i < given.size(); ++i)
    made[static_cast<std::size_t>(graph->inputs()[i].call)] = {given[i]};
  for (std::size_t c = 0; c < graph->calls().size(); ++c) {
    const Graph::Call& call = graph->calls()[c];
    if (call.inputs.empty()) continue;
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      // A mask that comes from outside goes on inside, unless it was taken off there.
      const bool taken_off = !call.node->inputs[i].keeps_mask() && !call.node->drops_masks;
      inputs.push_back(taken_off ? at(call.inputs[i]).without_mask() : at(call.inputs[i]));
    }
    made[c] = detail::call(call.node->instance, std::move(inputs),
                           call.node->drops_masks || expansion.drops_masks());
  }
  std::vector<Tensor> outputs;
  for (const auto& source : graph->outputs()) outputs.push_back(at(source));
  return outputs;
}

}  // namespace sonde
