#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The smallest of two or more tensors, number by number; shapes as in Add. (…), (…) → (…).
/// Keras: Minimum.
///   auto y = Minimum{}({left, right});
/// NaN wins, so that it is seen. Where two are equal, each gets half of the gradient.
struct Minimum {
  static constexpr std::string_view type = "Minimum";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Minimum::name), field("trainable", &Minimum::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
