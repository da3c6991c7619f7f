#pragma once
#include <sonde/layers/activation.hpp>

namespace sonde {

/// A DepthwiseConv1D and then a mix of its channels at every step: a convolution of few weights.
/// (time, channels) → (time', filters). Keras: SeparableConv1D.
///   auto y = SeparableConv1D{.filters = 32, .kernel_size = 8, .padding = Padding::same}(x);
/// time' is that of Conv1D. Weights: depthwise_kernel (kernel_size, channels, depth_multiplier),
/// pointwise_kernel (1, channels * depth_multiplier, filters), bias (filters,).
struct SeparableConv1D {
  static constexpr std::string_view type = "SeparableConv1D";
  static constexpr bool ends_in_activation = true;
  Required<Index> filters;
  Required<Index> kernel_size;
  Index strides = 1;
  Padding padding = Padding::valid;
  Index dilation_rate = 1;
  Index depth_multiplier = 1;
  Activation::Function activation = Activation::linear;
  bool use_bias = true;
  Initializer depthwise_initializer = GlorotUniform{};
  Initializer pointwise_initializer = GlorotUniform{};
  Initializer bias_initializer = Zeros{};
  Regularizer depthwise_regularizer = {};
  Regularizer pointwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint pointwise_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = SeparableConv1D;
    return fields_of(field("filters", &L::filters), field("kernel_size", &L::kernel_size),
                     field("strides", &L::strides), field("padding", &L::padding),
                     field("dilation_rate", &L::dilation_rate),
                     field("depth_multiplier", &L::depth_multiplier),
                     field("activation", &L::activation), field("use_bias", &L::use_bias),
                     field("depthwise_initializer", &L::depthwise_initializer),
                     field("pointwise_initializer", &L::pointwise_initializer),
                     field("bias_initializer", &L::bias_initializer),
                     field("depthwise_regularizer", &L::depthwise_regularizer),
                     field("pointwise_regularizer", &L::pointwise_regularizer),
                     field("bias_regularizer", &L::bias_regularizer),
                     field("activity_regularizer", &L::activity_regularizer),
                     field("depthwise_constraint", &L::depthwise_constraint),
                     field("pointwise_constraint", &L::pointwise_constraint),
                     field("bias_constraint", &L::bias_constraint), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
