#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// exp(x) / sum of exp(x) over the features of every step. (…, features) → the same shape.
/// Keras: Softmax.
///   auto y = Softmax{}(logits);
struct Softmax {
  static constexpr std::string_view type = "Softmax";
  Index axis = -1;  ///< only the last one
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Softmax;
    return fields_of(field("axis", &L::axis), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
