#include <fmt/format.h>

#include <sonde/model.hpp>

namespace sonde {
namespace {

SharedLayer first_call_of(const Graph& graph, Index layer) {
  for (const Graph::Call& call : graph.calls())
    if (call.layer == layer) return SharedLayer(call.node);
  throw std::logic_error("a graph holds only layers that it calls");
}

}  // namespace

SharedLayer Model::get_layer(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& layer : graph().layers()) {
    if (layer->name == name) return first_call_of(graph(), static_cast<Index>(known.size()));
    known.push_back(layer->name);
  }
  refuse_name(fmt::format("Model \"{}\": get_layer", this->name()), name, known);
}

SharedLayer Model::get_layer(Index number) const {
  const auto count = static_cast<Index>(graph().layers().size());
  if (number < 0 || number >= count)
    throw ArgumentError(fmt::format("Model \"{}\": get_layer({}) is none of its layers 0 to {}.",
                                    name(), number, count - 1));
  return first_call_of(graph(), number);
}

}  // namespace sonde
