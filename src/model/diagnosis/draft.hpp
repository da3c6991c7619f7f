#pragma once
#include <optional>
#include <sonde/graph.hpp>
#include <sonde/layer.hpp>
#include <string>
#include <vector>

namespace sonde::diagnosis {

inline std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// A graph on paper: layers and calls that can be changed before anybody plans them.
struct Draft {
  struct Part {
    AnyLayer layer;
    std::string name;  ///< empty: one is given when it is planned
  };
  struct Call {
    Index part = 0;
    std::vector<Graph::Source> inputs;
    std::vector<bool> unmasked = {};  ///< inputs that are taken without their mask
    bool removed = false;             ///< what reads it reads its input
  };
  std::vector<Part> parts;
  std::vector<Call> calls;  ///< each stands after all that it reads
  std::vector<Graph::Source> inputs, outputs;
  std::vector<Shape> input_shapes;  ///< without the batch; time may be dynamic

  static Draft of(const Graph& graph);
  static Draft of(const Shape& input, const std::vector<AnyLayer>& layers);

  Part& part(const Call& call) { return parts[at(call.part)]; }
  const Part& part(const Call& call) const { return parts[at(call.part)]; }
  /// Takes a call of one input out.
  void remove(Index call) { calls[at(call)].removed = true; }
  /// Puts a layer between `source` and all that reads it; returns the number of its call. Calls
  /// behind it are renumbered.
  Index insert_after(Graph::Source source, AnyLayer layer);
  /// Where `source` really comes from, calls taken out left aside.
  Graph::Source resolve(Graph::Source source) const;
  /// The calls that output `o` depends on, in order, InputLayers and those taken out left aside.
  std::vector<Index> path(std::size_t o) const;
};

/// What came of planning a draft.
struct Planned {
  std::vector<Tensor> inputs;
  std::vector<std::vector<Tensor>> made;  ///< of each call that was reached
  Index failed = -1;                      ///< the call that refused; -1: none
  std::string message = {};               ///< what it said
  std::optional<Graph> graph = {};        ///< when none refused

  const Shape& shape(Graph::Source source) const {
    return made[at(source.call)][at(source.output)].shape();
  }
};
/// Plans with new layers, which share nothing with those that the draft was made of.
Planned plan(const Draft& draft, const std::vector<Shape>& inputs);

/// `conv1d`, or `conv1d "pool"` when somebody gave it a name of its own.
std::string short_name(const Draft::Part& part);

// --- layers by their arguments ---------------------------------------------------------------

/// The argument of a layer, or of the layer that it wraps; null when it has none of that name.
Value argument(const AnyLayer& layer, std::string_view key);
bool has_argument(const AnyLayer& layer, std::string_view key);
/// The same layer with another value of that argument, also of the layer that it wraps. None when
/// it has no such argument, or refuses the value.
std::optional<AnyLayer> with_argument(const AnyLayer& layer, std::string_view key,
                                      const Value& value);

}  // namespace sonde::diagnosis
