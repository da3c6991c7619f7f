#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The first tensor less the second; shapes as in Add. (…), (…) → (…). Keras: Subtract.
///   auto y = Subtract{}({x, baseline});
struct Subtract {
  static constexpr std::string_view type = "Subtract";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Subtract::name), field("trainable", &Subtract::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
