#pragma once
#include "kernels/reference/activation.hpp"
#include "kernels/reference/recurrent.hpp"

/// The plainest recurrence: h' = activation(x w + h u + b).
namespace sonde::kernels::reference {

/// Packed: w (channels, units), u (units, units), b (units), one after the other.
template <class T>
struct SimpleRnnWeights {
  const T* w;
  const T* u;
  const T* b;
  SimpleRnnWeights(const RecurrentSizes& s, const T* packed)
      : w(packed), u(w + s.channels * s.units), b(u + s.units * s.units) {}
};

inline std::ptrdiff_t simple_rnn_packed_size(const RecurrentSizes& s) {
  return (s.channels + s.units + 1) * s.units;
}

/// Kept per step and row: the sums.
inline std::ptrdiff_t simple_rnn_gates_size(const RecurrentSizes& s) { return s.units; }

template <class T>
void simple_rnn_pack(const RecurrentSizes& s, const T* w, const T* u, const T* b, T* packed) {
  packed = std::copy_n(w, s.channels * s.units, packed);
  packed = std::copy_n(u, s.units * s.units, packed);
  carry(s.units, b, packed);
}

template <class T>
void simple_rnn_forward(const RecurrentSizes& s, const RecurrentForward<T>& a) {
  const SimpleRnnWeights<T> weights(s, a.packed);
  for (std::ptrdiff_t n = 0; n < s.steps; ++n) {
    const std::ptrdiff_t t = s.backwards ? s.steps - 1 - n : n;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const std::ptrdiff_t at = t * s.rows + r;
      const T* h = state_before(s, static_cast<const T*>(a.y), a.h0, t, r);
      if (is_masked(a.mask, at)) {
        carry(s.units, h, a.y + at * s.units);
        continue;
      }
      for (std::ptrdiff_t j = 0; j < s.units; ++j) {
        T sum = product<1>(s, r, s.channels, a.x + at * s.channels, a.dropout.x, false, weights.w,
                           0, j, weights.b[j]);
        sum = product<1>(s, r, s.units, h, a.dropout.h, false, weights.u, 0, j, sum);
        a.y[at * s.units + j] = activate(s.activation, sum);
        if (a.gates) a.gates[at * s.units + j] = sum;
      }
    }
  }
}

template <class T>
void simple_rnn_backward(const RecurrentSizes& s, const RecurrentBackward<T>& a) {
  const SimpleRnnWeights<T> weights(s, a.packed);
  const std::ptrdiff_t units = s.units;
  for (std::ptrdiff_t n = s.steps - 1; n >= 0; --n) {
    const std::ptrdiff_t t = s.backwards ? s.steps - 1 - n : n;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const std::ptrdiff_t at = t * s.rows + r;
      T* dh = a.dh + r * units;
      T* dx = a.dx ? a.dx + at * s.channels : nullptr;
      if (dx) std::fill_n(dx, s.channels, T(0));
      for (std::ptrdiff_t j = 0; a.dy && j < units; ++j) dh[j] += a.dy[at * units + j];
      if (is_masked(a.mask, at)) continue;  // its h is that of the step before
      T* dz = a.gates + at * units;
      for (std::ptrdiff_t j = 0; j < units; ++j) {
        dz[j] = dh[j] * derivative(s.activation, dz[j], a.y[at * units + j]);
        dh[j] = 0;
        if (a.db) a.db[j] += dz[j];
      }
      product_backward<1>(s, r, s.channels, dz, a.x + at * s.channels, a.dropout.x, false,
                          weights.w, dx, a.dw);
      product_backward<1>(s, r, units, dz, state_before(s, a.y, a.h0, t, r), a.dropout.h, false,
                          weights.u, dh, a.du);
    }
  }
}

}  // namespace sonde::kernels::reference
