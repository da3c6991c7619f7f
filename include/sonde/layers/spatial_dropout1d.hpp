#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// Dropout of whole channels: a channel of a row is dropped at all steps or at none.
/// (time, channels) → the same shape. Keras: SpatialDropout1D.
///   auto y = SpatialDropout1D{.rate = 0.2}(x);
/// See Dropout for what is drawn. Keras' SpatialDropout1D has no argument `trainable`.
struct SpatialDropout1D {
  static constexpr std::string_view type = "SpatialDropout1D";
  Required<double> rate;
  std::optional<Index> seed = {};
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = SpatialDropout1D;
    return fields_of(field("rate", &L::rate), field("seed", &L::seed), field("name", &L::name));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
