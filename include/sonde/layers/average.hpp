#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The mean of two or more tensors, shapes as in Add. (…), (…) → (…). Keras: Average.
///   auto y = Average{}({left, right});
struct Average {
  static constexpr std::string_view type = "Average";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Average::name), field("trainable", &Average::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
