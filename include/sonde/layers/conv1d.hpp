#pragma once
#include <sonde/layers/activation.hpp>

namespace sonde {

/// Slides `filters` learned windows of `kernel_size` steps along time.
/// (time, channels) → (time', filters). Keras: Conv1D.
///   auto y = Conv1D{.filters = 32, .kernel_size = 8, .padding = Padding::same}(x);
/// time' is time with `same` and `causal`, time - (kernel_size - 1) * dilation_rate with `valid`,
/// divided by strides. `same` sees about half a kernel of future steps, `causal` none.
/// Weights: kernel (kernel_size, channels / groups, filters), bias (filters,).
struct Conv1D {
  static constexpr std::string_view type = "Conv1D";
  static constexpr bool ends_in_activation = true;
  Required<Index> filters;
  Required<Index> kernel_size;
  Index strides = 1;
  Padding padding = Padding::valid;
  Index dilation_rate = 1;
  Index groups = 1;
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
    using L = Conv1D;
    return fields_of(field("filters", &L::filters), field("kernel_size", &L::kernel_size),
                     field("strides", &L::strides), field("padding", &L::padding),
                     field("dilation_rate", &L::dilation_rate), field("groups", &L::groups),
                     field("activation", &L::activation), field("use_bias", &L::use_bias),
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
