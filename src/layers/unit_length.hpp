#pragma once
#include <algorithm>
#include <cmath>
#include <sonde/shape.hpp>

namespace sonde {

/// 1 / length of x (n), at most 1 / epsilon. Keras: ops.normalize.
template <class T>
T inverse_length(const T* x, Index n, double epsilon) {
  double squares = 0;
  for (Index i = 0; i < n; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return static_cast<T>(std::min(1 / std::sqrt(squares), 1 / epsilon));
}

/// The gradient of x where y = x * inverse_length(x): dx = s (dy - y (y · dy)). In place (dx = dy)
/// is allowed.
template <class T>
void unit_length_backward(const T* x, Index n, double epsilon, const T* dy, T* dx) {
  const T s = inverse_length(x, n, epsilon);
  double product = 0;
  for (Index i = 0; i < n; ++i)
    product += static_cast<double>(x[i] * s) * static_cast<double>(dy[i]);
  // At the limit the factor is constant.
  const T along = s < static_cast<T>(1 / epsilon) ? static_cast<T>(product) : T(0);
  for (Index i = 0; i < n; ++i) dx[i] = s * (dy[i] - x[i] * s * along);
}

}  // namespace sonde
