#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// While training, multiplies every number by a normal one of mean 1 and standard deviation
/// sqrt(rate / (1 - rate)); otherwise changes nothing. (…) → the same shape. Keras:
/// GaussianDropout.
///   auto y = GaussianDropout{.rate = 0.2}(x);
/// What is drawn follows from the seed (the model's, unless given here), the layer's name, the
/// training step and the place in the batch.
struct GaussianDropout {
  static constexpr std::string_view type = "GaussianDropout";
  Required<double> rate;  ///< at least 0 and below 1
  std::optional<Index> seed = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = GaussianDropout;
    return fields_of(field("rate", &L::rate), field("seed", &L::seed), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
