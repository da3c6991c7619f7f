#pragma once
#include <optional>
#include <sonde/layer.hpp>

namespace sonde {

/// min(x, max_value) above `threshold`, negative_slope * (x - threshold) below. (…) → the same
/// shape. Keras: ReLU.
///   auto y = ReLU{.max_value = 6.0}(x);
struct ReLU {
  static constexpr std::string_view type = "ReLU";
  std::optional<double> max_value = {};  ///< none: no limit
  double negative_slope = 0.0;
  double threshold = 0.0;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    using L = ReLU;
    return fields_of(field("max_value", &L::max_value), field("negative_slope", &L::negative_slope),
                     field("threshold", &L::threshold), field("name", &L::name),
                     field("trainable", &L::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
