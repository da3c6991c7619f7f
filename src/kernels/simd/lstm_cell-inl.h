// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_LSTM_CELL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_LSTM_CELL_INL_H
#undef SONDE_LSTM_CELL_INL_H
#else
#define SONDE_LSTM_CELL_INL_H
#endif

#include "kernels/simd/cell-inl.h"

/// What one step of an LSTM does when the sums of its gates are there, whoever added them up.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// One step of some rows: every pointer at its first row.
struct Cell {
  Index channels, units;
  const float* x;         ///< (rows, channels)
  const float* h;         ///< (rows, units), or one zero
  Index h_row, h_inner;   ///< both 0 where h is one zero
  const float* c_before;  ///< (rows, units), or null for zeros
  float* c;               ///< (rows, units)
  float* y;               ///< (rows, units)
  float* gates;           ///< (rows, slices, 4, 16), or null
  Index gates_row;
};

/// Step n of a walk, at its first row; `kept`: from one row's gates to the next row's.
inline Cell cell_of_step(const RecurrentSizes& s, const RecurrentForward<float>& a, Index kept,
                         Index n) {
  static constexpr float zero = 0.0f;
  const Index step = s.rows * s.units;
  const Index t = s.backwards ? s.steps - 1 - n : n;
  const Index before = s.backwards ? t + 1 : t - 1;
  const float* h = n > 0 ? a.y + before * step : a.h0;
  return {.channels = s.channels,
          .units = s.units,
          .x = a.x + t * s.rows * s.channels,
          .h = h ? h : &zero,
          .h_row = h ? s.units : 0,
          .h_inner = h ? 1 : 0,
          .c_before = n == 0    ? a.c0
                      : a.gates ? a.c + before * step
                                : a.c,
          .c = a.gates ? a.c + t * step : a.c,
          .y = a.y + t * step,
          .gates = a.gates ? a.gates + t * s.rows * kept : nullptr,
          .gates_row = kept};
}

/// From the sums of the gates to c and y. take(gate): its sums, Several<rows * vectors>.
template <int rows, int vectors, class Take>
HWY_INLINE void finish_gates(const Cell& a, Index unit, const Take& take) {
  constexpr int n = rows * vectors;
  using All = Several<n>;
  All c = splat<All>(0.0f);
  SONDE_UNROLL for (int r = 0; r < n; ++r) {
    const Index at = r / vectors * a.units + unit_of(unit, r % vectors);
    if (a.c_before) c.v[r] = hn::LoadU(tag, a.c_before + at);
  }
  const All i = sigmoid(take(0)), g = tanh(take(2));
  const All f = sigmoid(take(1));
  c = multiply_add(f, c, multiply(i, g));
  const All o = sigmoid(take(3)), y = multiply(o, tanh(c));
  SONDE_UNROLL for (int r = 0; r < n; ++r) {
    const Index from = unit_of(unit, r % vectors), at = r / vectors * a.units + from;
    store_first(c.v[r], a.units - from, a.c + at);
    store_first(y.v[r], a.units - from, a.y + at);
    if (a.gates) {
      float* gates = a.gates + r / vectors * a.gates_row + in_slices(from, gates_of_slice);
      hn::StoreU(i.v[r], tag, gates);
      hn::StoreU(f.v[r], tag, gates + slice);
      hn::StoreU(g.v[r], tag, gates + 2 * slice);
      hn::StoreU(o.v[r], tag, gates + 3 * slice);
    }
  }
}

HWY_INLINE Cell at_row(Cell a, Index r) {
  a.x += r * a.channels;
  a.h += r * a.h_row;
  if (a.c_before) a.c_before += r * a.units;
  a.c += r * a.units;
  a.y += r * a.units;
  if (a.gates) a.gates += r * a.gates_row;
  return a;
}

/// A step that is skipped for one row: what was before stays.
inline void skip_row(const Cell& a) {
  reference::carry(a.units, a.h_row > 0 ? a.h : nullptr, a.y);
  if (a.c != a.c_before) reference::carry(a.units, a.c_before, a.c);
  if (a.gates) std::fill_n(a.gates, a.gates_row, 0.0f);  // backward sums over them
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
