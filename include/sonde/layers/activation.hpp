#pragma once
#include <sonde/layer.hpp>

namespace sonde {

/// Applies one function to every number: (…) → the same shape. Keras: Activation.
///   auto y = Activation{.activation = Activation::relu}(x);
/// Its scope also names the functions for the other layers: `.activation = Activation::relu`.
struct Activation {
  using Function = ActivationFunction;
  // Not `using enum`: GCC 12 crashes on a name that comes that way when a template uses it.
  static constexpr Function linear = Function::linear, relu = Function::relu, tanh = Function::tanh,
                            sigmoid = Function::sigmoid, softmax = Function::softmax,
                            hard_sigmoid = Function::hard_sigmoid, elu = Function::elu,
                            selu = Function::selu, softplus = Function::softplus,
                            softsign = Function::softsign, silu = Function::silu,
                            gelu = Function::gelu, exponential = Function::exponential,
                            leaky_relu = Function::leaky_relu, relu6 = Function::relu6,
                            mish = Function::mish, hard_silu = Function::hard_silu,
                            log_softmax = Function::log_softmax;

  static constexpr std::string_view type = "Activation";
  static constexpr bool ends_in_activation = true;
  Required<Function> activation;
  std::string name = {};
  bool trainable = true;
  Identity self = {};

  static constexpr auto fields() {
    return fields_of(field("activation", &Activation::activation), field("name", &Activation::name),
                     field("trainable", &Activation::trainable));
  }
  AnyOp plan(Planner& planner) const;
  Tensor operator()(Tensor x) const;
};

}  // namespace sonde
