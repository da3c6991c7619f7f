#pragma once
#include <optional>
#include <sonde/layers/activation.hpp>
#include <vector>

namespace sonde {

/// Long short-term memory: walks time with a state h and a cell c.
/// (time, channels) → (units,), or (time, units) with `return_sequences`. Keras: LSTM.
///   auto y = LSTM{.units = 32, .return_sequences = true}(x);
/// Gates stand in the order i f c o along the last axis of the weights. With `go_backwards` the
/// outputs come in processing order, last step first. `stateful` carries h and c from batch to
/// batch until the model's states are reset. `unit_forget_bias` starts the bias of the f gate at 1
/// and leaves the others to bias_initializer. `unroll` changes nothing here.
/// Steps that a mask leaves out keep h and c, and give h again as their output, or zeros with
/// `zero_output_for_mask`. As in Keras, a mask that comes together with an initial_state is only
/// passed on.
/// Dropout draws one mask for each row and feature, the same at all steps; with a recurrent_dropout
/// above 0, one for each gate as well. Only sequences can stream.
/// Weights: kernel (channels, 4 units), recurrent_kernel (units, 4 units), bias (4 units,).
struct LSTM {
  static constexpr std::string_view type = "LSTM";
  Required<Index> units;
  Activation::Function activation = Activation::tanh;
  Activation::Function recurrent_activation = Activation::sigmoid;
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  bool unit_forget_bias = true;
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0.0;
  double recurrent_dropout = 0.0;
  std::optional<Index> seed = {};
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
    using L = LSTM;
    return fields_of(
        field("units", &L::units), field("activation", &L::activation),
        field("recurrent_activation", &L::recurrent_activation), field("use_bias", &L::use_bias),
        field("kernel_initializer", &L::kernel_initializer),
        field("recurrent_initializer", &L::recurrent_initializer),
        field("bias_initializer", &L::bias_initializer),
        field("unit_forget_bias", &L::unit_forget_bias),
        field("kernel_regularizer", &L::kernel_regularizer),
        field("recurrent_regularizer", &L::recurrent_regularizer),
        field("bias_regularizer", &L::bias_regularizer),
        field("activity_regularizer", &L::activity_regularizer),
        field("kernel_constraint", &L::kernel_constraint),
        field("recurrent_constraint", &L::recurrent_constraint),
        field("bias_constraint", &L::bias_constraint), field("dropout", &L::dropout),
        field("recurrent_dropout", &L::recurrent_dropout), field("seed", &L::seed),
        field("return_sequences", &L::return_sequences), field("return_state", &L::return_state),
        field("go_backwards", &L::go_backwards), field("stateful", &L::stateful),
        field("unroll", &L::unroll), field("zero_output_for_mask", &L::zero_output_for_mask),
        field("name", &L::name), field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  /// `initial_state` is {h, c}, each (units,), or empty for zeros.
  Tensor operator()(Tensor x, std::vector<Tensor> initial_state = {}) const;
  /// {y}, or with `return_state` {y, h, c}: also the states after the last step, each (units,).
  std::vector<Tensor> outputs(Tensor x, std::vector<Tensor> initial_state = {}) const;
};

}  // namespace sonde
