#pragma once
#include <sonde/layer.hpp>
#include <vector>

namespace sonde {

/// The product of two or more tensors, number by number; shapes as in Add. (…), (…) → (…).
/// Keras: Multiply.
///   auto y = Multiply{}({x, gate});
struct Multiply {
  static constexpr std::string_view type = "Multiply";
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("name", &Multiply::name), field("trainable", &Multiply::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(std::vector<Tensor> inputs) const;
};

}  // namespace sonde
