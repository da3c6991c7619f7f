#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Brings each of `groups` groups of channels to mean 0 and variance 1, over all steps of a row
/// together, then scales every channel by gamma and shifts it by beta.
/// (…, channels) → the same shape. Keras: GroupNormalization.
///   auto y = GroupNormalization{.groups = 4}(h);
/// -1 makes a group of every channel (instance normalization). It needs all steps of the signal:
/// cannot stream. Weights, (channels,) each: gamma, beta.
struct GroupNormalization {
  static constexpr std::string_view type = "GroupNormalization";
  Index groups = 32;
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
    using L = GroupNormalization;
    return fields_of(field("groups", &L::groups), field("axis", &L::axis),
                     field("epsilon", &L::epsilon), field("center", &L::center),
                     field("scale", &L::scale), field("beta_initializer", &L::beta_initializer),
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
