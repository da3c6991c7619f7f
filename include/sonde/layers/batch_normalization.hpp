#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Brings every feature to mean 0 and variance 1, then scales by gamma and shifts by beta.
/// (…, features) → the same shape. Keras: BatchNormalization.
///   auto y = BatchNormalization{}(h);
/// Training takes mean and variance over the whole batch and all its steps, and moves the moving
/// ones: new = momentum * old + (1 - momentum) * batch's. Inference uses the moving ones, and so
/// does training when `trainable` is false.
/// Weights, (features,) each: gamma, beta, moving_mean, moving_variance.
struct BatchNormalization {
  static constexpr std::string_view type = "BatchNormalization";
  Index axis = -1;  ///< only the last one
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Zeros{};
  Initializer gamma_initializer = Ones{};
  Initializer moving_mean_initializer = Zeros{};
  Initializer moving_variance_initializer = Ones{};
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = BatchNormalization;
    return fields_of(field("axis", &L::axis), field("momentum", &L::momentum),
                     field("epsilon", &L::epsilon), field("center", &L::center),
                     field("scale", &L::scale), field("beta_initializer", &L::beta_initializer),
                     field("gamma_initializer", &L::gamma_initializer),
                     field("moving_mean_initializer", &L::moving_mean_initializer),
                     field("moving_variance_initializer", &L::moving_variance_initializer),
                     field("beta_regularizer", &L::beta_regularizer),
                     field("gamma_regularizer", &L::gamma_regularizer),
                     field("beta_constraint", &L::beta_constraint),
                     field("gamma_constraint", &L::gamma_constraint), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
