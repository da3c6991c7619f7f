#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <sonde/graph.hpp>
#include <sonde/layers/gru.hpp>
#include <sonde/layers/lstm.hpp>
#include <sonde/layers/rnn.hpp>
#include <sonde/layers/simple_rnn.hpp>

namespace sonde {
namespace {

/// The layer that walks a cell.
template <class Cell>
struct LayerOf;
template <>
struct LayerOf<LSTMCell> {
  using type = LSTM;
  static constexpr Index states = 2;
};
template <>
struct LayerOf<GRUCell> {
  using type = GRU;
  static constexpr Index states = 1;
};
template <>
struct LayerOf<SimpleRNNCell> {
  using type = SimpleRNN;
  static constexpr Index states = 1;
};

/// Every argument of `from` that `to` has as well.
template <class From, class To>
void copy_arguments(const From& from, To& to) {
  for_each_field(from, [&](std::string_view name, const auto& value) {
    for_each_field(to, [&](std::string_view other, auto& argument) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::decay_t<decltype(argument)>>)
        if (name == other) argument = value;
    });
  });
}

/// A cell of a stack as a layer; only the last one's output is the RNN's.
template <class Cell>
AnyLayer layer_of(const Cell& cell, const RNN& rnn, const std::string& name, bool first,
                  bool last) {
  typename LayerOf<Cell>::type layer{.units = *cell.units};
  copy_arguments(cell, layer);
  layer.return_sequences = !last || rnn.return_sequences;
  layer.return_state = rnn.return_state;
  layer.go_backwards = first && rnn.go_backwards;
  layer.stateful = rnn.stateful;
  layer.zero_output_for_mask = last && rnn.zero_output_for_mask;
  layer.name = name;
  return layer;
}

std::vector<StackedCell> cells_of(const RnnCell& cell) {
  return std::visit(
      [](const auto& given) -> std::vector<StackedCell> {
        if constexpr (std::is_same_v<std::decay_t<decltype(given)>, StackedRNNCells>)
          return *given.cells;
        else return {given};
      },
      cell);
}

Index states_of_one(const StackedCell& cell) {
  return std::visit(
      [](const auto& given) -> Index {
        using Cell = std::decay_t<decltype(given)>;
        if constexpr (std::is_same_v<Cell, std::monostate>) return 0;
        else return LayerOf<Cell>::states;
      },
      cell);
}

}  // namespace

std::vector<Index> RNN::states_of(const RnnCell& cell) {
  std::vector<Index> states;
  for (const StackedCell& each : cells_of(cell)) states.push_back(states_of_one(each));
  return states;
}

std::vector<Tensor> RNN::expand(Expansion& expansion) const {
  const std::vector<StackedCell> cells = cells_of(*cell);
  const std::vector<Index> states = states_of(*cell);
  if (cells.empty() || std::find(states.begin(), states.end(), 0) != states.end())
    expansion.refuse("needs a cell. Use LSTMCell, GRUCell or SimpleRNNCell, or StackedRNNCells.");
  const Index all_states = std::accumulate(states.begin(), states.end(), Index(0));
  const auto& inputs = expansion.inputs();
  const Index given = static_cast<Index>(inputs.size()) - 1;
  if (given != 0 && given != all_states)
    expansion.refuse(fmt::format("takes x, or x and an initial state of {} tensors, got {}.",
                                 all_states, given));
  if (go_backwards && cells.size() > 1 && inputs.front().masked())
    expansion.refuse(
        "go_backwards of stacked cells cannot follow a mask. Use layers behind each other.");

  std::map<std::string, int> names;
  Tensor x = inputs.front();
  std::vector<Tensor> outputs{x};
  auto next_state = inputs.begin() + 1;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool first = i == 0, last = i + 1 == cells.size();
    std::vector<Tensor> now{x};
    for (Index s = 0; given > 0 && s < states[i]; ++s) now.push_back(*next_state++);
    const auto call = [&](const auto& each) {
      using Cell = std::decay_t<decltype(each)>;
      std::vector<Tensor> made;
      if constexpr (!std::is_same_v<Cell, std::monostate>) {
        std::string name = each.name.empty() ? snake_case(Cell::type) : each.name;
        if (const int n = names[name]++; n > 0) name += fmt::format("_{}", n);
        const AnyLayer layer = layer_of(each, *this, name, first, last);
        made = expansion.call(name, layer, std::move(now));
      }
      return made;
    };
    const std::vector<Tensor> made = std::visit(call, cells[i]);
    x = made.front();
    outputs.insert(outputs.end(), made.begin() + 1, made.end());
  }
  outputs.front() = x;
  return outputs;
}

Tensor RNN::operator()(Tensor x, std::vector<Tensor> initial_state) const {
  return outputs(std::move(x), std::move(initial_state)).front();
}

std::vector<Tensor> RNN::outputs(Tensor x, std::vector<Tensor> initial_state) const {
  initial_state.insert(initial_state.begin(), std::move(x));
  return apply(*this, std::move(initial_state));
}

}  // namespace sonde
