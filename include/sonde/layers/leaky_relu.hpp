#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// x above 0, negative_slope * x below. (…) → the same shape. Keras: LeakyReLU.
///   auto y = LeakyReLU{}(x);
/// Activation::leaky_relu is the same with a slope of 0.2.
struct LeakyReLU {
  static constexpr std::string_view type = "LeakyReLU";
  double negative_slope = 0.3;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = LeakyReLU;
    return fields_of(field("negative_slope", &L::negative_slope), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
