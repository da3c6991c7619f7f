#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/reference/activation.hpp"
#include "kernels/reference/recurrent.hpp"

/// The LSTM of Hochreiter and Schmidhuber with forget gates, as Keras runs it:
///   i f o = recurrent_activation(x w + h u + b),  g = activation(x w + h u + b)
///   c' = f c + i g,  h' = o activation(c')
/// Weights lie (k, 4 units) with the gates in the order i f c o along the last axis.
namespace sonde::kernels::reference {

inline constexpr int gate_i = 0, gate_f = 1, gate_c = 2, gate_o = 3;

/// Packed: w (channels, 4 units), u (units, 4 units), b (4 units), one after the other.
template <class T>
struct LstmWeights {
  const T* w;
  const T* u;
  const T* b;
  LstmWeights(const RecurrentSizes& s, const T* packed)
      : w(packed), u(w + s.channels * 4 * s.units), b(u + s.units * 4 * s.units) {}
};

inline std::ptrdiff_t lstm_packed_size(const RecurrentSizes& s) {
  return (s.channels + s.units + 1) * 4 * s.units;
}

/// Kept per step and row: the four gates and, where the derivatives ask for them, their sums.
inline std::ptrdiff_t lstm_gates_size(const RecurrentSizes& s) {
  const bool sums = activation_needs_input(s.activation) ||  //
                    activation_needs_input(s.recurrent_activation);
  return (sums ? 8 : 4) * s.units;
}

template <class T>
void lstm_pack(const RecurrentSizes& s, const T* w, const T* u, const T* b, T* packed) {
  packed = std::copy_n(w, s.channels * 4 * s.units, packed);
  packed = std::copy_n(u, s.units * 4 * s.units, packed);
  if (b) {
    std::copy_n(b, 4 * s.units, packed);
  } else {
    std::fill_n(packed, 4 * s.units, T(0));
  }
}

template <class T>
void lstm_forward(const RecurrentSizes& s, const RecurrentForward<T>& a) {
  const LstmWeights<T> weights(s, a.packed);
  const std::ptrdiff_t units = s.units, kept = reference::lstm_gates_size(s);
  for (std::ptrdiff_t n = 0; n < s.steps; ++n) {
    const std::ptrdiff_t t = s.backwards ? s.steps - 1 - n : n;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const std::ptrdiff_t at = t * s.rows + r;
      const T* x = a.x + at * s.channels;
      const T* h = state_before(s, static_cast<const T*>(a.y), a.h0, t, r);
      const T* c = a.gates ? state_before(s, static_cast<const T*>(a.c), a.c0, t, r)
                   : n > 0 ? a.c + r * units
                   : a.c0  ? a.c0 + r * units
                           : nullptr;
      T* c_out = a.gates ? a.c + at * units : a.c + r * units;
      if (is_masked(a.mask, at)) {
        carry(units, h, a.y + at * units);
        if (c_out != c) carry(units, c, c_out);
        continue;
      }
      for (std::ptrdiff_t j = 0; j < units; ++j) {
        T z[4], gate[4];
        for (int g = 0; g < 4; ++g) {
          z[g] = weights.b[g * units + j];
          for (std::ptrdiff_t k = 0; k < s.channels; ++k) {
            z[g] += x[k] *
                    dropout_of(a.dropout.x, a.dropout.per_gate, s.rows, s.channels, g, r, k) *
                    weights.w[(k * 4 + g) * units + j];
          }
          for (std::ptrdiff_t k = 0; h && k < units; ++k) {
            z[g] += h[k] * dropout_of(a.dropout.h, a.dropout.per_gate, s.rows, units, g, r, k) *
                    weights.u[(k * 4 + g) * units + j];
          }
          gate[g] = activate(g == gate_c ? s.activation : s.recurrent_activation, z[g]);
        }
        const T c_new = gate[gate_f] * (c ? c[j] : T(0)) + gate[gate_i] * gate[gate_c];
        c_out[j] = c_new;
        a.y[at * units + j] = gate[gate_o] * activate(s.activation, c_new);
        if (!a.gates) continue;
        for (int g = 0; g < 4; ++g) {
          a.gates[at * kept + g * units + j] = gate[g];
          if (kept > 4 * units) a.gates[at * kept + (4 + g) * units + j] = z[g];
        }
      }
    }
  }
}

/// One row of one step backward, from dh and dc (units each, changed in place) to the gradients of
/// the gates' sums, dz (4 units), which replace the gates.
template <class T>
void lstm_gates_backward(const RecurrentSizes& s,
                         const T* c_before,  // (units), or null for zeros
                         const T* c,         // (units)
                         const T* dy,        // (units), or null for zeros
                         const T* dh,        // (units)
                         T* dc,              // (units)
                         T* gates) {         // (4 or 8 units)
  const std::ptrdiff_t units = s.units;
  const bool sums = reference::lstm_gates_size(s) > 4 * units;
  for (std::ptrdiff_t j = 0; j < units; ++j) {
    T gate[4], slope[4];
    for (int g = 0; g < 4; ++g) {
      gate[g] = gates[g * units + j];
      slope[g] = derivative(g == gate_c ? s.activation : s.recurrent_activation,
                            sums ? gates[(4 + g) * units + j] : T(0), gate[g]);
    }
    const T c_out = activate(s.activation, c[j]);
    const T dh_all = dh[j] + (dy ? dy[j] : T(0));
    const T dc_all = dc[j] + dh_all * gate[gate_o] * derivative(s.activation, c[j], c_out);
    gates[gate_i * units + j] = dc_all * gate[gate_c] * slope[gate_i];
    gates[gate_f * units + j] = dc_all * (c_before ? c_before[j] : T(0)) * slope[gate_f];
    gates[gate_c * units + j] = dc_all * gate[gate_i] * slope[gate_c];
    gates[gate_o * units + j] = dh_all * c_out * slope[gate_o];
    dc[j] = dc_all * gate[gate_f];
  }
}

template <class T>
void lstm_backward(const RecurrentSizes& s, const RecurrentBackward<T>& a) {
  const LstmWeights<T> weights(s, a.packed);
  const std::ptrdiff_t units = s.units, kept = reference::lstm_gates_size(s);
  for (std::ptrdiff_t n = s.steps - 1; n >= 0; --n) {
    const std::ptrdiff_t t = s.backwards ? s.steps - 1 - n : n;
    for (std::ptrdiff_t r = 0; r < s.rows; ++r) {
      const std::ptrdiff_t at = t * s.rows + r;
      T* dz = a.gates + at * kept;
      T* dh = a.dh + r * units;
      if (is_masked(a.mask, at)) {  // its h and c are those of the step before
        for (std::ptrdiff_t j = 0; a.dy && j < units; ++j) dh[j] += a.dy[at * units + j];
        if (a.dx) std::fill_n(a.dx + at * s.channels, s.channels, T(0));
        continue;
      }
      lstm_gates_backward(s, state_before(s, a.c, a.c0, t, r), a.c + at * units,
                          a.dy ? a.dy + at * units : nullptr, dh, a.dc + r * units, dz);
      T* dx = a.dx ? a.dx + at * s.channels : nullptr;
      if (dx) std::fill_n(dx, s.channels, T(0));
      product_backward<4>(s, r, s.channels, dz, a.x + at * s.channels, a.dropout.x,
                          a.dropout.per_gate, weights.w, dx, a.dw);
      std::fill_n(dh, units, T(0));
      product_backward<4>(s, r, units, dz, state_before(s, a.y, a.h0, t, r), a.dropout.h,
                          a.dropout.per_gate, weights.u, dh, a.du);
      for (std::ptrdiff_t j = 0; a.db && j < 4 * units; ++j) a.db[j] += dz[j];
    }
  }
}

}  // namespace sonde::kernels::reference
