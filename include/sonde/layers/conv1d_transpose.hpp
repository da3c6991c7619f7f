#pragma once
#include <optional>
#include <sonde/layers/activation.hpp>

namespace sonde {

/// Lays a learned window of `kernel_size` steps for every step of the input, `strides` apart, and
/// adds them up: a convolution run backwards, which makes a signal longer.
/// (time, channels) → (time', filters). Keras: Conv1DTranspose.
///   auto y = Conv1DTranspose{.filters = 8, .kernel_size = 4, .strides = 4}(x);  // 98 → 392 steps
/// time' is time * strides with `same`, (time - 1) * strides + the greater of window and strides
/// with `valid`. With `output_padding`, below strides, it is (time - 1) * strides + window +
/// output_padding, where `same` counts the window as 1 or 0, odd or even. `causal` is refused.
/// Weights: kernel (kernel_size, filters, channels), bias (filters,).
struct Conv1DTranspose {
  static constexpr std::string_view type = "Conv1DTranspose";
  static constexpr bool ends_in_activation = true;
  Required<Index> filters;
  Required<Index> kernel_size;
  Index strides = 1;
  Padding padding = Padding::valid;
  std::optional<Index> output_padding = {};
  Index dilation_rate = 1;
  Activation::Function activation = Activation::linear;
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer bias_initializer = Zeros{};
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Conv1DTranspose;
    return fields_of(field("filters", &L::filters), field("kernel_size", &L::kernel_size),
                     field("strides", &L::strides), field("padding", &L::padding),
                     field("output_padding", &L::output_padding),
                     field("dilation_rate", &L::dilation_rate), field("activation", &L::activation),
                     field("use_bias", &L::use_bias),
                     field("kernel_initializer", &L::kernel_initializer),
                     field("bias_initializer", &L::bias_initializer),
                     field("kernel_regularizer", &L::kernel_regularizer),
                     field("bias_regularizer", &L::bias_regularizer),
                     field("activity_regularizer", &L::activity_regularizer),
                     field("kernel_constraint", &L::kernel_constraint),
                     field("bias_constraint", &L::bias_constraint), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
