#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// x above 0, alpha * (exp(x) - 1) below. (…) → the same shape. Keras: ELU.
///   auto y = ELU{.alpha = 0.5}(x);
struct ELU {
  static constexpr std::string_view type = "ELU";
  double alpha = 1.0;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("alpha", &ELU::alpha), field("name", &ELU::name),
                     field("trainable", &ELU::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
