#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The greatest of two or more tensors, number by number; shapes as in Add. (…), (…) → (…).
/// Keras: Maximum.
///   auto y = Maximum{}({left, right});
/// NaN wins, so that it is seen. Where two are equal, each gets half of the gradient.
struct Maximum {
  static constexpr std::string_view type = "Maximum";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Maximum::name), field("trainable", &Maximum::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
