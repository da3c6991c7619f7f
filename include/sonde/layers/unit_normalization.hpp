#pragma once
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>

namespace sonde {

/// Scales the features of every step to a vector of length 1. (…, features) → the same shape.
/// Keras: UnitNormalization.
///   auto y = UnitNormalization{}(h);
struct UnitNormalization {
  static constexpr std::string_view type = "UnitNormalization";
  OneOrMany<Index> axis = -1;  ///< only the last one
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = UnitNormalization;
    return fields_of(field("axis", &L::axis), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
