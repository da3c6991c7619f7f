#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Where data enters a graph; made by Input(). () → shape. Keras: InputLayer.
struct InputLayer {
  static constexpr std::string_view type = "InputLayer";
  Required<Shape> shape;  ///< without the batch; the first size may be dynamic
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("shape", &InputLayer::shape), field("name", &InputLayer::name));
  }
  AnyOp plan(Planner& planner) const;
};

}  // namespace sonde
