#pragma once
#include <sonde/layer.hpp>
#include <sonde/one_or_many.hpp>

namespace sonde {

/// x * scale + offset. (…, features) → the same shape. Keras: Rescaling.
///   auto y = Rescaling{.scale = 1.0 / 2048, .offset = -1}(x);
/// Several numbers are for the features: `.scale = {{1.0, 0.001}}`.
struct Rescaling {
  static constexpr std::string_view type = "Rescaling";
  Required<OneOrMany<double>> scale;
  OneOrMany<double> offset = 0.0;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Rescaling;
    return fields_of(field("scale", &L::scale), field("offset", &L::offset),
                     field("name", &L::name), field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
