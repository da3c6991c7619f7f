#pragma once
#include <optional>
#include <sonde/layers/activation.hpp>
#include <vector>

namespace sonde {

/// Gated recurrent unit: walks time with a state h, which its gates keep or replace.
/// (time, channels) → (units,), or (time, units) with `return_sequences`. Keras: GRU.
///   auto y = GRU{.units = 32, .return_sequences = true}(x);
/// Gates stand in the order z r h along the last axis of the weights. `reset_after` says whether
/// the reset gate acts after the product with the recurrent kernel, which then has a bias of its
/// own, or on h before it. With `go_backwards` the outputs come in processing order, last step
/// first. `stateful` carries h from batch to batch until the model's states are reset. `unroll`
/// changes nothing here. Steps that a mask leaves out keep h, and give it again as their output, or
/// zeros with `zero_output_for_mask`; with an initial_state a mask is only passed on. Dropout is
/// that of LSTM. Only sequences can stream.
/// Weights: kernel (channels, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units), the
/// kernel's above the recurrent kernel's; without reset_after bias (3 units,).
struct GRU {
  static constexpr std::string_view type = "GRU";
  Required<Index> units;
  Activation::Function activation = Activation::tanh;
  Activation::Function recurrent_activation = Activation::sigmoid;
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
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
  bool reset_after = true;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GRU;
    return fields_of(
        field("units", &L::units), field("activation", &L::activation),
        field("recurrent_activation", &L::recurrent_activation), field("use_bias", &L::use_bias),
        field("kernel_initializer", &L::kernel_initializer),
        field("recurrent_initializer", &L::recurrent_initializer),
        field("bias_initializer", &L::bias_initializer),
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
        field("unroll", &L::unroll), field("reset_after", &L::reset_after),
        field("zero_output_for_mask", &L::zero_output_for_mask), field("name", &L::name),
        field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  /// `initial_state` is {h}, of shape (units,), or empty for zeros.
  Tensor operator()(Tensor x, std::vector<Tensor> initial_state = {}) const;
  /// {y}, or with `return_state` {y, h}: also the state after the last step, (units,).
  std::vector<Tensor> outputs(Tensor x, std::vector<Tensor> initial_state = {}) const;
};

}  // namespace sonde
