#pragma once
#include <sonde/layers/activation.hpp>

namespace sonde {

/// Slides windows of its own along each channel, `depth_multiplier` of them, and mixes no channels.
/// (time, channels) → (time', channels * depth_multiplier). Keras: DepthwiseConv1D.
///   auto y = DepthwiseConv1D{.kernel_size = 8, .padding = Padding::same}(x);
/// time' is that of Conv1D. Output c * depth_multiplier + m is window m of channel c.
/// Weights: kernel (kernel_size, channels, depth_multiplier), bias (channels * depth_multiplier,).
struct DepthwiseConv1D {
  static constexpr std::string_view type = "DepthwiseConv1D";
  static constexpr bool ends_in_activation = true;
  Required<Index> kernel_size;
  Index strides = 1;
  Padding padding = Padding::valid;
  Index depth_multiplier = 1;
  Index dilation_rate = 1;
  Activation::Function activation = Activation::linear;
  bool use_bias = true;
  Initializer depthwise_initializer = GlorotUniform{};
  Initializer bias_initializer = Zeros{};
  Regularizer depthwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = DepthwiseConv1D;
    return fields_of(field("kernel_size", &L::kernel_size), field("strides", &L::strides),
                     field("padding", &L::padding), field("depth_multiplier", &L::depth_multiplier),
                     field("dilation_rate", &L::dilation_rate), field("activation", &L::activation),
                     field("use_bias", &L::use_bias),
                     field("depthwise_initializer", &L::depthwise_initializer),
                     field("bias_initializer", &L::bias_initializer),
                     field("depthwise_regularizer", &L::depthwise_regularizer),
                     field("bias_regularizer", &L::bias_regularizer),
                     field("activity_regularizer", &L::activity_regularizer),
                     field("depthwise_constraint", &L::depthwise_constraint),
                     field("bias_constraint", &L::bias_constraint), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
