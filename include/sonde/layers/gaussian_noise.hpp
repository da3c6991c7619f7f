#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// While training, adds to every number a normal one of mean 0; otherwise changes nothing.
/// (…) → the same shape. Keras: GaussianNoise.
///   auto y = GaussianNoise{.stddev = 0.1}(x);
/// What is drawn follows from the seed (the model's, unless given here), the layer's name, the
/// training step and the place in the batch.
struct GaussianNoise {
  static constexpr std::string_view type = "GaussianNoise";
  Required<double> stddev;  ///< from 0 to 1
  std::optional<Index> seed = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GaussianNoise;
    return fields_of(field("stddev", &L::stddev), field("seed", &L::seed), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
