// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_LSTM_GATES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_LSTM_GATES_INL_H
#undef SONDE_LSTM_GATES_INL_H
#else
#define SONDE_LSTM_GATES_INL_H
#endif

#include <hwy/cache_control.h>

#include "kernels/simd/lstm.hpp"
#include "kernels/simd/math-inl.h"

/// The gates of an LSTM backward: what they were becomes the gradients of their sums.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Where one step's numbers lie, and the carried gradients.
struct BackwardStep {
  Index rows, units, gates_row;
  const float* c_before;  ///< (rows, units), or null for zeros
  const float* c;         ///< (rows, units)
  const float* dy;        ///< (rows, units), or null for zeros
  float* gates;           ///< (rows, slices, 4, 16): gates in, dz out
  const float* mask;      ///< (rows): where it is 0, dh and dc pass through; or null
  float* dh;              ///< (rows, whole slices of units)
  float* dc;              ///< (rows, whole slices of units)
  float* db;              ///< (slices, 4, 16), added to
  Index next_gates;       ///< from here to the step that comes next
};

/// The walk of one shard: where its numbers lie, and what it carries from step to step.
struct ShardWalk {
  const RecurrentSizes* s;
  const RecurrentBackward<float>* a;
  Index kept;  ///< from one row's gates to the next row's
  float* dh;   ///< (rows, whole slices of units)
  float* dc;   ///< (rows, whole slices of units)
  float* db;   ///< (slices, 4, 16)
};

/// What is carried lies at the beginning of scratch: lstm_carried_size of it.
inline ShardWalk walk_of(const RecurrentSizes& s, const RecurrentBackward<float>& a) {
  const Index size = s.rows * whole_slices(s.units);
  return {&s, &a, lstm_gates_pitch(s), a.scratch, a.scratch + size, a.scratch + 2 * size};
}

inline void begin_walk(const ShardWalk& w) {
  widen(*w.s, w.a->dh, w.dh);
  widen(*w.s, w.a->dc, w.dc);
  widen_bias(*w.s, w.a->db, w.db);
}

inline void end_walk(const ShardWalk& w) {
  narrow(*w.s, w.dh, w.a->dh);
  narrow(*w.s, w.dc, w.a->dc);
  if (w.a->db) narrow_bias(*w.s, w.db, w.a->db);
}

/// Step t of it.
inline BackwardStep backward_step(const ShardWalk& walk, Index t) {
  const RecurrentSizes& s = *walk.s;
  const RecurrentBackward<float>& a = *walk.a;
  const Index step = s.rows * s.units, along = s.backwards ? 1 : -1;
  const bool first = t == (s.backwards ? s.steps - 1 : 0);  // of the forward walk
  return {.rows = s.rows,
          .units = s.units,
          .gates_row = walk.kept,
          .c_before = first ? a.c0 : a.c + (t + along) * step,
          .c = a.c + t * step,
          .dy = a.dy ? a.dy + t * step : nullptr,
          .gates = a.gates + t * s.rows * walk.kept,
          .mask = a.mask ? a.mask + t * s.rows : nullptr,
          .dh = walk.dh,
          .dc = walk.dc,
          .db = walk.db,
          .next_gates = along * s.rows * walk.kept};
}

/// One part of a slice for all rows. Lanes beyond the units become zeros.
HWY_NOINLINE inline void gates_backward(const BackwardStep& a, Index unit) {
  const Index width = whole_slices(a.units), count = a.units - unit;
  const Index in_gates = unit / slice * gates_of_slice + unit % slice;
  const Vector one = set(1.0f);
  Vector db[4];
  SONDE_UNROLL for (int g = 0; g < 4; ++g) { db[g] = hn::LoadU(tag, a.db + in_gates + g * slice); }
  for (Index r = 0; r < a.rows; ++r) {
    float* gates = a.gates + r * a.gates_row + in_gates;
    SONDE_UNROLL for (int gate = 0; gate < 4; ++gate) {
      hwy::Prefetch(gates + a.next_gates + gate * slice);
    }
    const Vector i = hn::LoadU(tag, gates), f = hn::LoadU(tag, gates + slice);
    const Vector g = hn::LoadU(tag, gates + 2 * slice), o = hn::LoadU(tag, gates + 3 * slice);
    const Index at = r * a.units + unit, at_whole = r * width + unit;
    if (a.mask && a.mask[r] == 0.0f) {
      if (a.dy) {
        const Vector sum = hn::Add(hn::LoadU(tag, a.dh + at_whole), load_first(count, a.dy + at));
        hn::StoreU(sum, tag, a.dh + at_whole);
      }
      continue;  // its gates are zeros
    }
    const Vector before = a.c_before ? hn::LoadU(tag, a.c_before + at) : hn::Zero(tag);
    Vector dh = hn::LoadU(tag, a.dh + at_whole);
    if (a.dy) dh = hn::Add(dh, hn::LoadU(tag, a.dy + at));
    const Vector h = tanh(hn::LoadU(tag, a.c + at));  // before the output gate
    const Vector dh_o = hn::Mul(dh, o);
    // c reaches the loss through h and through the next step.
    Vector dc = hn::MulAdd(dh_o, hn::NegMulAdd(h, h, one), hn::LoadU(tag, a.dc + at_whole));
    const Vector dc_i = hn::Mul(dc, i), dc_f = hn::Mul(dc, f);
    Vector dz[4] = {
        hn::Mul(hn::Mul(dc_i, g), hn::Sub(one, i)), hn::Mul(hn::Mul(dc_f, before), hn::Sub(one, f)),
        hn::Mul(dc_i, hn::NegMulAdd(g, g, one)), hn::Mul(hn::Mul(dh_o, h), hn::Sub(one, o))};
    dc = dc_f;
    if (count < lanes) {
      const auto inside = hn::FirstN(tag, static_cast<size_t>(std::max<Index>(count, 0)));
      SONDE_UNROLL for (int gate = 0; gate < 4; ++gate) {
        dz[gate] = hn::IfThenElseZero(inside, dz[gate]);
      }
      dc = hn::IfThenElseZero(inside, dc);
    }
    hn::StoreU(dc, tag, a.dc + at_whole);
    SONDE_UNROLL for (int gate = 0; gate < 4; ++gate) {
      hn::StoreU(dz[gate], tag, gates + gate * slice);
      db[gate] = hn::Add(db[gate], dz[gate]);
    }
  }
  SONDE_UNROLL for (int g = 0; g < 4; ++g) hn::StoreU(db[g], tag, a.db + in_gates + g * slice);
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
