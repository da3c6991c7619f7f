#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/kernels.hpp"

/// The eighteen activations, as their papers and Keras write them.
namespace sonde::kernels::reference {

/// log(1 + e^z) without overflow.
template <class T>
T softplus(T z) {
  return std::max(z, T(0)) + std::log1p(std::exp(-std::abs(z)));
}

/// The mass of the standard normal distribution below z.
template <class T>
T normal_mass(T z) {
  return T(0.5) * std::erfc(-z * T(0.70710678118654752440));
}

/// The density of the standard normal distribution at z.
template <class T>
T normal_density(T z) {
  return T(0.39894228040143267794) * std::exp(T(-0.5) * z * z);
}

template <class T>
T sigmoid(T z) {
  return T(1) / (T(1) + std::exp(-z));
}

/// The constants of "Self-Normalizing Neural Networks" (Klambauer et al. 2017).
template <class T>
inline constexpr T selu_scale = T(1.05070098735548049342);
template <class T>
inline constexpr T selu_alpha = T(1.67326324235437728482);

/// f(z) of one number. softmax and log_softmax are functions of a whole vector and not here.
template <class T>
T activate(ActivationFunction f, T z) {
  switch (f) {
    case ActivationFunction::relu:
      return z < 0 ? T(0) : z;
    case ActivationFunction::tanh:
      return std::tanh(z);
    case ActivationFunction::sigmoid:
      return sigmoid(z);
    case ActivationFunction::hard_sigmoid:
      return std::clamp(z / 6 + T(0.5), T(0), T(1));
    case ActivationFunction::elu:
      return z > 0 ? z : std::expm1(z);
    case ActivationFunction::selu:
      return selu_scale<T> * (z > 0 ? z : selu_alpha<T> * std::expm1(z));
    case ActivationFunction::softplus:
      return softplus(z);
    case ActivationFunction::softsign:
      return z / (1 + std::abs(z));
    case ActivationFunction::silu:
      return z * sigmoid(z);
    case ActivationFunction::gelu:
      return z * normal_mass(z);
    case ActivationFunction::exponential:
      return std::exp(z);
    case ActivationFunction::leaky_relu:
      return z < 0 ? T(0.2) * z : z;
    case ActivationFunction::relu6:
      return std::clamp(z, T(0), T(6));
    case ActivationFunction::mish:
      return z * std::tanh(softplus(z));
    case ActivationFunction::hard_silu:
      return z * std::clamp(z / 6 + T(0.5), T(0), T(1));
    default:
      return z;  // linear
  }
}

/// f'(z), from z where activation_needs_input(f), else from y = f(z). At a kink: the side of zero.
template <class T>
T derivative(ActivationFunction f, T z, T y) {
  switch (f) {
    case ActivationFunction::relu:
      return y > 0 ? T(1) : T(0);
    case ActivationFunction::tanh:
      return 1 - y * y;
    case ActivationFunction::sigmoid:
      return y * (1 - y);
    case ActivationFunction::hard_sigmoid:
      return y > 0 && y < 1 ? T(1) / 6 : T(0);
    case ActivationFunction::elu:
      return y > 0 ? T(1) : 1 + y;
    case ActivationFunction::selu:
      return y > 0 ? selu_scale<T> : y + selu_scale<T> * selu_alpha<T>;
    case ActivationFunction::softplus:
      return -std::expm1(-y);
    case ActivationFunction::softsign:
      return (1 - std::abs(y)) * (1 - std::abs(y));
    case ActivationFunction::silu:
      return sigmoid(z) * (1 + z * (1 - sigmoid(z)));
    case ActivationFunction::gelu:
      return normal_mass(z) + z * normal_density(z);
    case ActivationFunction::exponential:
      return y;
    case ActivationFunction::leaky_relu:
      return y < 0 ? T(0.2) : T(1);
    case ActivationFunction::relu6:
      return y > 0 && y < 6 ? T(1) : T(0);
    case ActivationFunction::mish: {
      const T gate = std::tanh(softplus(z));
      return gate + z * (1 - gate * gate) * sigmoid(z);
    }
    case ActivationFunction::hard_silu:
      return z <= -3 ? T(0) : z >= 3 ? T(1) : z / 3 + T(0.5);
    default:
      return T(1);  // linear
  }
}

/// y = f(z) over `count` vectors of `width`. In place is allowed.
template <class T>
void activation_forward(ActivationFunction f, std::ptrdiff_t count, std::ptrdiff_t width,
                        const T* z,  // (count, width)
                        T* y) {      // (count, width)
  if (f != ActivationFunction::softmax && f != ActivationFunction::log_softmax) {
    for (std::ptrdiff_t i = 0; i < count * width; ++i) y[i] = activate(f, z[i]);
    return;
  }
  if (width == 0) return;
  for (; count > 0; --count, z += width, y += width) {
    // The greatest is taken off first, so that no power overflows.
    const T greatest = *std::max_element(z, z + width);
    T sum = 0;
    for (std::ptrdiff_t i = 0; i < width; ++i) sum += std::exp(z[i] - greatest);
    for (std::ptrdiff_t i = 0; i < width; ++i) {
      const T shifted = z[i] - greatest;
      y[i] = f == ActivationFunction::softmax ? std::exp(shifted) / sum : shifted - std::log(sum);
    }
  }
}

/// dz = f'(z) dy. Of z and y the one that activation_needs_input() does not ask for may be null.
template <class T>
void activation_backward(ActivationFunction f, std::ptrdiff_t count, std::ptrdiff_t width,
                         const T* z,   // (count, width)
                         const T* y,   // (count, width)
                         const T* dy,  // (count, width)
                         T* dz) {      // (count, width), may be dy
  if (f != ActivationFunction::softmax && f != ActivationFunction::log_softmax) {
    for (std::ptrdiff_t i = 0; i < count * width; ++i) {
      dz[i] = dy[i] * derivative(f, z ? z[i] : T(0), y ? y[i] : T(0));
    }
    return;
  }
  for (; count > 0; --count, y += width, dy += width, dz += width) {
    const bool logarithm = f == ActivationFunction::log_softmax;
    T sum = 0;
    for (std::ptrdiff_t i = 0; i < width; ++i) sum += logarithm ? dy[i] : dy[i] * y[i];
    for (std::ptrdiff_t i = 0; i < width; ++i) {
      dz[i] = logarithm ? dy[i] - std::exp(y[i]) * sum : y[i] * (dy[i] - sum);
    }
  }
}

}  // namespace sonde::kernels::reference
