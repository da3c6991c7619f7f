#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Repeats every step `size` times. (time, channels) → (time * size, channels).
/// Keras: UpSampling1D.
///   auto y = UpSampling1D{.size = 4}(h);  // after MaxPooling1D{.pool_size = 4}: one label per
///   step
struct UpSampling1D {
  static constexpr std::string_view type = "UpSampling1D";
  Index size = 2;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = UpSampling1D;
    return fields_of(field("size", &L::size), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
