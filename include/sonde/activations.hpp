#pragma once
#include <array>
#include <string_view>

namespace sonde {

/// Element-wise functions (softmax and log_softmax: over the last axis), with Keras' names,
/// parameters at their Keras defaults. Written as `Activation::relu`.
/// Keras: keras.activations.
enum class ActivationFunction {
  linear,
  relu,
  tanh,
  sigmoid,
  softmax,
  hard_sigmoid,  ///< clip(x / 6 + 0.5, 0, 1), the meaning of Keras 3
  elu,           ///< alpha = 1
  selu,
  softplus,
  softsign,
  silu,
  gelu,  ///< the exact form with erf
  exponential,
  leaky_relu,  ///< slope 0.2
  relu6,
  mish,
  hard_silu,
  log_softmax,
};

constexpr auto enum_names(ActivationFunction) {
  return std::array<std::string_view, 18>{
      "linear",      "relu",       "tanh",     "sigmoid",  "softmax",   "hard_sigmoid",
      "elu",         "selu",       "softplus", "softsign", "silu",      "gelu",
      "exponential", "leaky_relu", "relu6",    "mish",     "hard_silu", "log_softmax"};
}

/// How a window meets the ends of the signal.
enum class Padding {
  valid,   ///< only whole windows: the output is shorter
  same,    ///< zeros on both sides, the odd one at the end: one output per `strides` steps
  causal,  ///< zeros before the signal: an output sees no future step
};

constexpr auto enum_names(Padding) {
  return std::array<std::string_view, 3>{"valid", "same", "causal"};
}

}  // namespace sonde
