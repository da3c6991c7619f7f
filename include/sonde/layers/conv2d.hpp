#pragma once
#include <sonde/layers/activation.hpp>
#include <sonde/size2d.hpp>

namespace sonde {

/// Slides `filters` learned windows of `kernel_size` along time and across a second axis.
/// (time, width, channels) → (time', width', filters). Keras: Conv2D.
///   auto y = Conv2D{.filters = 8, .kernel_size = {1, 3}}(x);  // (400, 16, 1) → (400, 14, 8)
/// Two numbers are for time and width, one is for both. Lengths follow the rules of Conv1D along
/// each axis; `causal` is refused, as in Keras.
/// Weights: kernel (height, width, channels / groups, filters), bias (filters,).
struct Conv2D {
  static constexpr std::string_view type = "Conv2D";
  static constexpr bool ends_in_activation = true;
  Required<Index> filters;
  Required<Size2D> kernel_size;
  Size2D strides = 1;
  Padding padding = Padding::valid;
  Size2D dilation_rate = 1;
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
    using L = Conv2D;
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
