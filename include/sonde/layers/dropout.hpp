#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// While training, sets a share `rate` of the numbers to 0 and scales the others by 1 / (1 - rate);
/// otherwise changes nothing. (…) → the same shape. Keras: Dropout.
///   auto y = Dropout{.rate = 0.5}(x);
/// `noise_shape` counts the batch: an axis of 1 shares one draw, `dynamic` is the input's own size.
/// Shape{dynamic, 1, dynamic} drops whole channels. What is dropped follows from the seed (the
/// model's, unless given here), the layer's name, the training step and the place in the batch.
struct Dropout {
  static constexpr std::string_view type = "Dropout";
  Required<double> rate;
  std::optional<Shape> noise_shape = {};
  std::optional<Index> seed = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = Dropout;
    return fields_of(field("rate", &L::rate), field("noise_shape", &L::noise_shape),
                     field("seed", &L::seed), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
