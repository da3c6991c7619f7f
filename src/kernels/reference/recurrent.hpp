#pragma once
#include <algorithm>
#include <cstddef>

#include "kernels/kernels.hpp"

/// What the LSTM, the GRU and the SimpleRNN share.
namespace sonde::kernels::reference {

/// The dropout factor of input i of row r towards gate g.
template <class T>
T dropout_of(const T* mask, bool per_gate, std::ptrdiff_t rows, std::ptrdiff_t width, int g,
             std::ptrdiff_t r, std::ptrdiff_t i) {
  return mask ? mask[((per_gate ? g : 0) * rows + r) * width + i] : T(1);
}

/// h or c of row r before step t of the walk: that of the step before, or the first one, or null
/// for zeros.
template <class T>
const T* state_before(const RecurrentSizes& s, const T* states, const T* first, std::ptrdiff_t step,
                      std::ptrdiff_t r) {
  const std::ptrdiff_t before = s.backwards ? step + 1 : step - 1;
  if (before >= 0 && before < s.steps) return states + (before * s.rows + r) * s.units;
  return first ? first + r * s.units : nullptr;
}

/// Whether a step of a row is skipped: number `at` of (steps, rows).
template <class T>
bool is_masked(const T* mask, std::ptrdiff_t at) {
  return mask && mask[at] == T(0);
}

/// to = from, or zeros without it.
template <class T>
void carry(std::ptrdiff_t n, const T* from, T* to) {
  if (from) {
    std::copy_n(from, n, to);
  } else {
    std::fill_n(to, n, T(0));
  }
}

/// Unit j of gate g of row r: sum over k of in[k] * m[k][g][j], with dropout; 0 for null.
template <int gates, class T>
T product(const RecurrentSizes& s, std::ptrdiff_t r, std::ptrdiff_t width,
          const T* in,                   // (width), or null for zeros
          const T* mask, bool per_gate,  // as in DropoutMasks
          const T* m,                    // (width, gates, units)
          int g, std::ptrdiff_t j, T sum) {
  for (std::ptrdiff_t k = 0; in && k < width; ++k) {
    sum += in[k] * dropout_of(mask, per_gate, s.rows, width, g, r, k) *
           m[(k * gates + g) * s.units + j];
  }
  return sum;
}

/// From dz through one weight matrix m: d_in += dz m^T, dm += in^T dz, with dropout. Only the first
/// `count` gates take part.
template <int gates, class T>
void product_backward(const RecurrentSizes& s, std::ptrdiff_t r, std::ptrdiff_t width,
                      const T* dz,                   // (gates, units)
                      const T* in,                   // (width), or null for zeros
                      const T* mask, bool per_gate,  // as in DropoutMasks
                      const T* m,                    // (width, gates, units)
                      T* d_in,                       // (width), or null
                      T* dm,                         // (width, gates, units)
                      int count = gates) {
  for (std::ptrdiff_t k = 0; k < width; ++k) {
    T sum = 0;
    for (int g = 0; g < count; ++g) {
      const T factor = dropout_of(mask, per_gate, s.rows, width, g, r, k);
      for (std::ptrdiff_t j = g * s.units; j < (g + 1) * s.units; ++j) {
        sum += factor * dz[j] * m[k * gates * s.units + j];
        if (in) dm[k * gates * s.units + j] += in[k] * factor * dz[j];
      }
    }
    if (d_in) d_in[k] += sum;
  }
}

}  // namespace sonde::kernels::reference
