#pragma once
#include <optional>
#include <sonde/layers/activation.hpp>

namespace sonde {

/// One step of an LSTM, to be walked over time by RNN; arguments and weights are those of LSTM.
/// Keras: LSTMCell.
///   auto y = RNN{.cell = LSTMCell{.units = 32}, .return_sequences = true}(x);
struct LSTMCell {
  static constexpr std::string_view type = "LSTMCell";
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
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0.0;
  double recurrent_dropout = 0.0;
  std::optional<Index> seed = {};
  std::string name = {};
  bool trainable = true;

  static constexpr auto fields() {
    using C = LSTMCell;
    return fields_of(field("units", &C::units), field("activation", &C::activation),
                     field("recurrent_activation", &C::recurrent_activation),
                     field("use_bias", &C::use_bias),
                     field("kernel_initializer", &C::kernel_initializer),
                     field("recurrent_initializer", &C::recurrent_initializer),
                     field("bias_initializer", &C::bias_initializer),
                     field("unit_forget_bias", &C::unit_forget_bias),
                     field("kernel_regularizer", &C::kernel_regularizer),
                     field("recurrent_regularizer", &C::recurrent_regularizer),
                     field("bias_regularizer", &C::bias_regularizer),
                     field("kernel_constraint", &C::kernel_constraint),
                     field("recurrent_constraint", &C::recurrent_constraint),
                     field("bias_constraint", &C::bias_constraint), field("dropout", &C::dropout),
                     field("recurrent_dropout", &C::recurrent_dropout), field("seed", &C::seed),
                     field("name", &C::name), field("trainable", &C::trainable));
  }
  bool operator==(const LSTMCell&) const = default;
};

}  // namespace sonde
