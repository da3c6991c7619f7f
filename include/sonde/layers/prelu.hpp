#pragma once
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>

namespace sonde {

/// x above 0, alpha * x below, with alpha learned. (…) → the same shape. Keras: PReLU.
///   auto y = PReLU{.shared_axes = 1}(x);  // one alpha for each channel
/// Weights: alpha, of the input's shape with 1 for each of the shared axes. Axes count from 1, the
/// first after the batch: 1 is time. Unless time is shared, the length must be known, and it cannot
/// stream.
struct PReLU {
  static constexpr std::string_view type = "PReLU";
  Initializer alpha_initializer = Zeros{};
  Regularizer alpha_regularizer = {};
  Constraint alpha_constraint = {};
  OneOrMany<Index> shared_axes = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = PReLU;
    return fields_of(field("alpha_initializer", &L::alpha_initializer),
                     field("alpha_regularizer", &L::alpha_regularizer),
                     field("alpha_constraint", &L::alpha_constraint),
                     field("shared_axes", &L::shared_axes), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
