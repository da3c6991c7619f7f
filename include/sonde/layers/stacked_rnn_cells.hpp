#pragma once
#include <sonde/layers/gru_cell.hpp>
#include <sonde/layers/lstm_cell.hpp>
#include <sonde/layers/simple_rnn_cell.hpp>
#include <variant>
#include <vector>

namespace sonde {

/// One cell of a stack; monostate stands for one that has not been given.
using StackedCell = std::variant<std::monostate, LSTMCell, GRUCell, SimpleRNNCell>;

/// Several cells, each of which reads what the one before it gives at the same step.
/// Keras: StackedRNNCells.
///   StackedRNNCells cells{.cells = {{LSTMCell{.units = 32}, GRUCell{.units = 8}}}};
///   auto y = RNN{.cell = cells, .return_sequences = true}(x);
struct StackedRNNCells {
  static constexpr std::string_view type = "StackedRNNCells";
  Required<std::vector<StackedCell>> cells;
  std::string name = {};
  bool trainable = true;

  static constexpr auto fields() {
    using C = StackedRNNCells;
    return fields_of(field("cells", &C::cells), field("name", &C::name),
                     field("trainable", &C::trainable));
  }
  bool operator==(const StackedRNNCells&) const = default;
};

/// What RNN walks over time.
using RnnCell = std::variant<std::monostate, LSTMCell, GRUCell, SimpleRNNCell, StackedRNNCells>;

}  // namespace sonde
