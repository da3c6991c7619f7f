#pragma once
#include <algorithm>
#include <cmath>
#include <sonde/shape.hpp>

#include "kernels/kernels.hpp"

/// Losses that look at one number at a time. Each of these writes the values v and derivatives d of
/// n numbers y, at most `loss_block`, against their targets t.
namespace sonde::errors {

/// Elements worked on at a time: they and their results stay in the first-level cache.
constexpr Index block = 256;

/// Keras' epsilon, to which probabilities and divisors are clipped.
template <class T>
constexpr T small = T(1e-7);

template <class T>
T sign(T x) {
  return static_cast<T>((x > 0) - (x < 0));
}

template <class T>
struct Squared {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i];
      v[i] = error * error;
      d[i] = 2 * error;
    }
  }
};

template <class T>
struct Absolute {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i];
      v[i] = std::abs(error);
      d[i] = sign(error);
    }
  }
};

template <class T>
struct Percentage {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i], part = 100 / std::max(std::abs(t[i]), small<T>);
      v[i] = part * std::abs(error);
      d[i] = part * sign(error);
    }
  }
};

template <class T>
struct Huber {
  T delta;
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T error = y[i] - t[i], size = std::abs(error);
      const bool near = size <= delta;
      v[i] = near ? T(0.5) * (error * error) : delta * size - T(0.5) * (delta * delta);
      d[i] = near ? error : delta * sign(error);
    }
  }
};

/// |e| + log(1 + exp(-2 |e|)) - log 2, which overflows nowhere.
template <class T>
struct LogCosh {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    constexpr double log_2 = 0.69314718055994530942;
    T size[block];
    for (Index i = 0; i < n; ++i) {
      d[i] = y[i] - t[i];
      size[i] = std::abs(d[i]);
      v[i] = -2 * size[i];
    }
    kernels::softplus(n, v, v);
    kernels::tanh(n, d, d);
    for (Index i = 0; i < n; ++i) v[i] += size[i] - T(log_2);
  }
};

template <class T>
struct SquaredLogarithmic {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    T labels[block];
    for (Index i = 0; i < n; ++i) {
      v[i] = std::max(y[i], small<T>) + 1;
      labels[i] = std::max(t[i], small<T>) + 1;
    }
    kernels::log(n, v, v);
    kernels::log(n, labels, labels);
    for (Index i = 0; i < n; ++i) {
      const T error = v[i] - labels[i];
      v[i] = error * error;
      d[i] = y[i] > small<T> ? 2 * error / (y[i] + 1) : T(0);
    }
  }
};

template <class T>
struct PoissonError {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) d[i] = y[i] + small<T>;
    kernels::log(n, d, v);
    for (Index i = 0; i < n; ++i) {
      v[i] = y[i] - t[i] * v[i];
      d[i] = 1 - t[i] / d[i];
    }
  }
};

/// t log(t / y), both clipped: beyond the clip there is no gradient.
template <class T>
struct Divergence {
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    T label[block], logs[block];
    for (Index i = 0; i < n; ++i) {
      label[i] = std::clamp(t[i], small<T>, T(1));
      v[i] = std::clamp(y[i], small<T>, T(1));
      d[i] = y[i] < small<T> || y[i] > 1 ? T(0) : -label[i] / v[i];
    }
    kernels::log(n, label, logs);
    kernels::log(n, v, v);
    for (Index i = 0; i < n; ++i) v[i] = label[i] * (logs[i] - v[i]);
  }
};

template <class T>
struct Hinge {
  bool squared;
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    for (Index i = 0; i < n; ++i) {
      const T label = t[i] == 0 ? T(-1) : t[i];
      const T missing = std::max(1 - label * y[i], T(0));
      v[i] = squared ? missing * missing : missing;
      d[i] = missing > 0 ? -label * (squared ? 2 * missing : T(1)) : T(0);
    }
  }
};

/// y are logits: softplus(-|z|) + max(z, 0) - z t, which loses nothing at either end.
template <class T>
struct Logistic {
  T smoothing;
  T label(T t) const { return t * (1 - smoothing) + T(0.5) * smoothing; }
  void operator()(Index n, const T* z, const T* t, T* v, T* d) const {
    T s[block];
    for (Index i = 0; i < n; ++i) v[i] = -std::abs(z[i]);
    kernels::softplus(n, v, v);
    kernels::sigmoid(n, z, s);
    for (Index i = 0; i < n; ++i) {
      v[i] += std::max(z[i], T(0)) - z[i] * label(t[i]);
      d[i] = s[i] - label(t[i]);
    }
  }
};

/// y are probabilities, clipped as in Keras: beyond the clip there is no gradient.
template <class T>
struct Probability {
  T smoothing;
  T label(T t) const { return t * (1 - smoothing) + T(0.5) * smoothing; }
  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    const T low = small<T>, high = T(1) - small<T>;
    T yes[block], no[block];
    for (Index i = 0; i < n; ++i) {
      yes[i] = std::clamp(y[i], low, high);
      no[i] = 1 - yes[i];
      const bool inside = y[i] >= low && y[i] <= high;
      d[i] = inside ? (yes[i] - label(t[i])) / (yes[i] * no[i]) : T(0);
    }
    kernels::log(n, yes, yes);
    kernels::log(n, no, no);
    for (Index i = 0; i < n; ++i) {
      v[i] = -(label(t[i]) * yes[i] + (1 - label(t[i])) * no[i]);
      if (y[i] != y[i]) v[i] = d[i] = y[i];  // a clamp would hide NaN
    }
  }
};

/// Writes u[i]^gamma for u in [0, 1].
template <class T>
void power(Index n, const T* u, T gamma, T* out) {
  kernels::log(n, u, out);
  for (Index i = 0; i < n; ++i) out[i] = u[i] > 0 ? gamma * out[i] : T(0);
  kernels::exp(n, out, out);
  for (Index i = 0; i < n; ++i)
    if (!(u[i] > 0) && gamma > 0) out[i] = 0;
}

/// A binary cross-entropy times u^gamma, where u is the probability that the label did not get.
template <class T, class Crossentropy>
struct Focal {
  static constexpr bool on_logits = std::is_same_v<Crossentropy, Logistic<T>>;
  Crossentropy crossentropy;
  T gamma, alpha;
  bool balanced;

  void operator()(Index n, const T* y, const T* t, T* v, T* d) const {
    T yes[block], no[block], u[block], powers[block];
    crossentropy(n, y, t, v, d);
    if constexpr (on_logits) {
      for (Index i = 0; i < n; ++i) no[i] = -y[i];
      kernels::sigmoid(n, y, yes);
      kernels::sigmoid(n, no, no);
    } else {
      for (Index i = 0; i < n; ++i) {
        yes[i] = std::clamp(y[i], T(0), T(1));
        no[i] = 1 - yes[i];
      }
    }
    for (Index i = 0; i < n; ++i) {
      const T label = crossentropy.label(t[i]);
      u[i] = label * no[i] + (1 - label) * yes[i];
    }
    power(n, u, gamma, powers);
    for (Index i = 0; i < n; ++i) {
      const T label = crossentropy.label(t[i]);
      const T weight = balanced ? label * alpha + (1 - label) * (1 - alpha) : T(1);
      // The derivative of u with respect to y, divided by u.
      const T change = (1 - 2 * label) * (on_logits ? yes[i] * no[i] : T(1));
      const T relative = u[i] > 0 ? change / u[i] : T(0);
      d[i] = weight * powers[i] * (d[i] + gamma * relative * v[i]);
      v[i] *= weight * powers[i];
    }
  }
};

}  // namespace sonde::errors
