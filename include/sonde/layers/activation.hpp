#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Applies one function to every number: (…) → the same shape. Keras: Activation.
///   auto y = Activation{.activation = Activation::relu}(x);
/// Its scope also names the functions for the other layers: `.activation = Activation::relu`.
struct Activation {
  using enum ActivationFunction;
  using Function = ActivationFunction;

  static constexpr std::string_view type = "Activation";
  static constexpr bool ends_in_activation = true;
  Required<Function> activation;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("activation", &Activation::activation),
                     field("name", &Activation::name), field("trainable", &Activation::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }
};

}  // namespace sonde
