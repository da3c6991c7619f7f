#pragma once
#include <sonde/layer.hpp>
#include <sonde/layers/stacked_rnn_cells.hpp>
#include <vector>

namespace sonde {

/// Walks a cell, or a stack of cells, over time. (time, channels) → (units,) of the last cell, or
/// (time, units) with `return_sequences`. Keras: RNN.
///   auto y = RNN{.cell = GRUCell{.units = 32}, .return_sequences = true}(x);
/// It stands for the layers of those cells, one behind the other, and its arguments mean what they
/// mean there. In a stack with `go_backwards` the first cell begins with the last step, and the
/// others follow it; a mask cannot.
struct RNN {
  static constexpr std::string_view type = "RNN";
  Required<RnnCell> cell;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = RNN;
    return fields_of(field("cell", &L::cell), field("return_sequences", &L::return_sequences),
                     field("return_state", &L::return_state),
                     field("go_backwards", &L::go_backwards), field("stateful", &L::stateful),
                     field("unroll", &L::unroll),
                     field("zero_output_for_mask", &L::zero_output_for_mask),
                     field("name", &L::name), field("trainable", &L::trainable));
  }
  std::vector<Tensor> expand(Expansion& expansion) const;
  /// `initial_state`: the states of each cell in turn, h and c of an LSTMCell, h of the others; or
  /// empty for zeros.
  Tensor operator()(Tensor x, std::vector<Tensor> initial_state = {}) const;
  /// {y}, or with `return_state` {y, states of each cell in turn…}.
  std::vector<Tensor> outputs(Tensor x, std::vector<Tensor> initial_state = {}) const;
  /// How many states each cell has, in turn; null cells have none.
  static std::vector<Index> states_of(const RnnCell& cell);
};

}  // namespace sonde
