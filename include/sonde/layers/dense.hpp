#pragma once
#include <sonde/layers/activation.hpp>

namespace sonde {

/// Multiplies the last axis by a learned matrix, at every time step alike.
/// (…, features) → (…, units). Keras: Dense.
///   auto y = Dense{.units = 1, .activation = Activation::sigmoid}(h);
/// Weights: kernel (features, units), bias (units,).
struct Dense {
  static constexpr std::string_view type = "Dense";
  static constexpr bool ends_in_activation = true;
  Required<Index> units;
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
    using L = Dense;
    return fields_of(field("units", &L::units), field("activation", &L::activation),
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
