#pragma once
#include "kernels/reference/activation.hpp"
#include "kernels/reference/recurrent.hpp"

/// The gated recurrent unit of Cho et al., as Keras runs it, f being recurrent_activation:
///   z = f(x w + h u + b), r = f(x w + h u + b)
///   candidate = activation(x w + b + r (h u + b')), or activation(x w + (r h) u + b)
///   h' = z h + (1 - z) candidate
/// The first candidate is that of reset_after, where the products with w and with u have a bias
/// each. Weights lie (k, 3 units) with the gates in the order z r h along the last axis.
namespace sonde::kernels::reference {

inline constexpr int gate_z = 0, gate_r = 1, gate_h = 2;

/// Packed: w (channels, 3 units), u (units, 3 units), b (2, 3 units), one after the other; the
/// second row of b is zeros where there is none.
template <class T>
struct GruWeights {
  const T* w;
  const T* u;
  const T* b;
  const T* b_u;
  GruWeights(const RecurrentSizes& s, const T* packed)
      : w(packed),
        u(w + s.channels * 3 * s.units),
        b(u + s.units * 3 * s.units),
        b_u(b + 3 * s.units) {}
};

inline std::ptrdiff_t gru_packed_size(const RecurrentSizes& s) {
  return (s.channels + s.units + 2) * 3 * s.units;
}

/// Kept per step and row: z, r, the candidate, h u + b' of it and, where the derivatives ask for
/// them, the sums of the first three.
inline std::ptrdiff_t gru_gates_size(const RecurrentSizes& s) {
  const bool sums = activation_needs_input(s.activation) ||  //
                    activation_needs_input(s.recurrent_activation);
  return (sums ? 7 : 4) * s.units;
}

/// One row's gates, where forward does not keep them.
inline std::ptrdiff_t gru_scratch_size(const RecurrentSizes& s) {
  return reference::gru_gates_size(s);
}

template <class T>
void gru_pack(const RecurrentSizes& s, const T* w, const T* u, const T* b, T* packed) {
  packed = std::copy_n(w, s.channels * 3 * s.units, packed);
  packed = std::copy_n(u, s.units * 3 * s.units, packed);
  carry(3 * s.units, b, packed);
  carry(3 * s.units, b && s.reset_after ? b + 3 * s.units : nullptr, packed + 3 * s.units);
}

/// One step of one row. `gates` is as gru_gates_size says.
template <class T>
void gru_step(const RecurrentSizes& s, const GruWeights<T>& weights, const DropoutMasks<T>& dropout,
              std::ptrdiff_t r,
              const T* x,  // (channels)
              const T* h,  // (units), or null for zeros
              T* gates,
              T* y) {  // (units)
  const std::ptrdiff_t units = s.units;
  const bool sums = reference::gru_gates_size(s) > 4 * units;
  T *z = gates, *reset = gates + units, *candidate = reset + units, *inner = candidate + units;
  const auto from_x = [&](int g, std::ptrdiff_t j) {
    return product<3>(s, r, s.channels, x, dropout.x, dropout.per_gate, weights.w, g, j,
                      weights.b[g * units + j]);
  };
  const auto from_h = [&](int g, std::ptrdiff_t j) {
    return product<3>(s, r, units, h, dropout.h, dropout.per_gate, weights.u, g, j,
                      weights.b_u[g * units + j]);
  };
  const auto finish = [&](int g, std::ptrdiff_t j, T sum) {
    if (sums) gates[(4 + g) * units + j] = sum;
    gates[g * units + j] = activate(g == gate_h ? s.activation : s.recurrent_activation, sum);
  };
  for (std::ptrdiff_t j = 0; j < units; ++j) {
    for (int g : {gate_z, gate_r}) finish(g, j, from_x(g, j) + from_h(g, j));
  }
  // The input of the candidate's product, where the reset gate acts before it.
  if (!s.reset_after) {
    for (std::ptrdiff_t k = 0; k < units; ++k) inner[k] = h ? reset[k] * h[k] : T(0);
  }
  for (std::ptrdiff_t j = 0; j < units; ++j) {
    T sum = from_x(gate_h, j);
    if (s.reset_after) {
      inner[j] = from_h(gate_h, j);
      sum += reset[j] * inner[j];
    } else {
      sum = product<3>(s, r, units, static_cast<const T*>(inner), dropout.h, dropout.per_gate,
                       weights.u, gate_h, j, sum);
    }
    finish(gate_h, j, sum);
    y[j] = z[j] * (h ? h[j] : T(0)) + (1 - z[j]) * candidate[j];
  }
}

template <class T>
void gru_forward(const RecurrentSizes& s, const RecurrentForward<T>& a) {
  const GruWeights<T> weights(s, a.packed);
  const std::ptrdiff_t kept = reference::gru_gates_size(s);
  for (std::ptrdiff_t n = 0; n < s.steps; ++n) {
    const std::ptrdiff_t t = s.backwards ? s.steps - 1 - n : n;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const std::ptrdiff_t at = t * s.rows + r;
      const T* h = state_before(s, static_cast<const T*>(a.y), a.h0, t, r);
      T* y = a.y + at * s.units;
      if (is_masked(a.mask, at)) {
        carry(s.units, h, y);
        continue;
      }
      T* gates = a.gates ? a.gates + at * kept : a.scratch;
      gru_step(s, weights, a.dropout, r, a.x + at * s.channels, h, gates, y);
    }
  }
}

/// One row of one step backward, from the gradient of its h to that of the h before (in place). The
/// gates become the gradients of their sums.
template <class T>
void gru_step_backward(const RecurrentSizes& s, const GruWeights<T>& weights,
                       const RecurrentBackward<T>& a, std::ptrdiff_t r,
                       const T* x,  // (channels)
                       const T* h,  // (units), or null for zeros
                       T* gates,
                       T* dh,    // (units)
                       T* dx) {  // (channels), or null
  const std::ptrdiff_t units = s.units;
  const bool sums = reference::gru_gates_size(s) > 4 * units;
  T *z = gates, *reset = gates + units, *candidate = reset + units, *inner = candidate + units;
  const auto slope = [&](int g, std::ptrdiff_t j) {
    return derivative(g == gate_h ? s.activation : s.recurrent_activation,
                      sums ? gates[(4 + g) * units + j] : T(0), gates[g * units + j]);
  };
  for (std::ptrdiff_t j = 0; j < units; ++j) {
    const T before = h ? h[j] : T(0), d = dh[j];
    const T d_candidate = d * (1 - z[j]) * slope(gate_h, j);
    dh[j] = d * z[j];
    z[j] = d * (before - candidate[j]) * slope(gate_z, j);
    candidate[j] = d_candidate;
  }
  // What reaches the reset gate, and the gradient of what the candidate's product with u gave.
  const bool per_gate = a.dropout.per_gate;
  if (s.reset_after) {
    for (std::ptrdiff_t j = 0; j < units; ++j) {
      const T d_inner = candidate[j] * reset[j];
      reset[j] = candidate[j] * inner[j] * slope(gate_r, j);
      inner[j] = d_inner;
    }
  } else {
    for (std::ptrdiff_t k = 0; k < units; ++k) {
      const T factor = dropout_of(a.dropout.h, per_gate, s.rows, units, gate_h, r, k);
      T d_inner = 0;  // of input k of that product
      for (std::ptrdiff_t j = 0; j < units; ++j) {
        d_inner += factor * candidate[j] * weights.u[(k * 3 + gate_h) * units + j];
        a.du[(k * 3 + gate_h) * units + j] += inner[k] * factor * candidate[j];
      }
      dh[k] += d_inner * reset[k];
      reset[k] = d_inner * (h ? h[k] : T(0)) * slope(gate_r, k);
    }
  }
  if (dx) std::fill_n(dx, s.channels, T(0));
  product_backward<3>(s, r, s.channels, gates, x, a.dropout.x, per_gate, weights.w, dx, a.dw);
  for (std::ptrdiff_t j = 0; a.db && j < 3 * units; ++j) a.db[j] += gates[j];
  if (s.reset_after) std::copy_n(inner, units, candidate);
  product_backward<3>(s, r, units, gates, h, a.dropout.h, per_gate, weights.u, dh, a.du,
                      s.reset_after ? 3 : 2);
  if (!s.reset_after) return;
  for (std::ptrdiff_t j = 0; a.db && j < 3 * units; ++j) a.db[3 * units + j] += gates[j];
}

template <class T>
void gru_backward(const RecurrentSizes& s, const RecurrentBackward<T>& a) {
  const GruWeights<T> weights(s, a.packed);
  const std::ptrdiff_t units = s.units, kept = reference::gru_gates_size(s);
  for (std::ptrdiff_t n = s.steps - 1; n >= 0; --n) {
    const std::ptrdiff_t t = s.backwards ? s.steps - 1 - n : n;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const std::ptrdiff_t at = t * s.rows + r;
      T* dh = a.dh + r * units;
      T* dx = a.dx ? a.dx + at * s.channels : nullptr;
      for (std::ptrdiff_t j = 0; a.dy && j < units; ++j) dh[j] += a.dy[at * units + j];
      if (is_masked(a.mask, at)) {  // its h is that of the step before
        if (dx) std::fill_n(dx, s.channels, T(0));
        continue;
      }
      gru_step_backward(s, weights, a, r, a.x + at * s.channels, state_before(s, a.y, a.h0, t, r),
                        a.gates + at * kept, dh, dx);
    }
  }
}

}  // namespace sonde::kernels::reference
