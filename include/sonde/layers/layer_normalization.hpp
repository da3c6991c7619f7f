#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Brings the features of every step to mean 0 and variance 1, then scales each by gamma and shifts
/// it by beta. (…, features) → the same shape. Keras: LayerNormalization.
///   auto y = LayerNormalization{}(h);
/// Weights, (features,) each: gamma, beta.
struct LayerNormalization {
  static constexpr std::string_view type = "LayerNormalization";
  Index axis = -1;  ///< only the last one
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Zeros{};
  Initializer gamma_initializer = Ones{};
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = LayerNormalization;
    return fields_of(field("axis", &L::axis), field("epsilon", &L::epsilon),
                     field("center", &L::center), field("scale", &L::scale),
                     field("beta_initializer", &L::beta_initializer),
                     field("gamma_initializer", &L::gamma_initializer),
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
