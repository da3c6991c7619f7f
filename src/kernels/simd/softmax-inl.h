// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_SOFTMAX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_SOFTMAX_INL_H
#undef SONDE_SOFTMAX_INL_H
#else
#define SONDE_SOFTMAX_INL_H
#endif

#include <cstring>

#include "kernels/simd/math-inl.h"

/// softmax and log_softmax. The few classes of a labeler would fill a corner of a vector, so up to
/// 16 of them are turned: lane r belongs to row r, and sums run over classes in order. More classes
/// lie along the lanes and are summed as 16 sums beside each other.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

/// Up to `lanes` rows of up to 16 classes, turned: classes (width, lanes). Missing rows are zeros.
struct Turned {
  HWY_ALIGN float classes[slice][lanes];
  Vector operator[](Index i) const { return hn::Load(tag, classes[i]); }
  void set(Index i, Vector v) { hn::Store(v, tag, classes[i]); }
  void load(Index rows, Index width, const float* from) {
    std::memset(classes, 0, sizeof(classes));
    for (Index r = 0; r < rows; ++r) {
      for (Index i = 0; i < width; ++i) classes[i][r] = from[r * width + i];
    }
  }
  void store(Index rows, Index width, float* to) const {
    for (Index r = 0; r < rows; ++r) {
      for (Index i = 0; i < width; ++i) to[r * width + i] = classes[i][r];
    }
  }
};

inline void softmax_forward_turned(bool logarithm, Index count, Index width, const float* z,
                                   float* y) {
  Turned t;
  for (; count > 0; count -= lanes, z += lanes * width, y += lanes * width) {
    const Index rows = std::min<Index>(count, lanes);
    t.load(rows, width, z);
    Vector greatest = t[0];
    for (Index i = 1; i < width; ++i) greatest = hn::Max(greatest, t[i]);
    Vector sum = hn::Zero(tag);
    for (Index i = 0; i < width; ++i) {
      const Vector shifted = hn::Sub(t[i], greatest), power = exp(shifted);
      sum = hn::Add(sum, power);
      t.set(i, logarithm ? shifted : power);
    }
    const Vector scale = logarithm ? log(sum) : sum;
    for (Index i = 0; i < width; ++i) {
      t.set(i, logarithm ? hn::Sub(t[i], scale) : hn::Div(t[i], scale));
    }
    t.store(rows, width, y);
  }
}

inline void softmax_backward_turned(bool logarithm, Index count, Index width, const float* y,
                                    const float* dy, float* dz) {
  Turned out, d;
  for (; count > 0; count -= lanes, y += lanes * width, dy += lanes * width, dz += lanes * width) {
    const Index rows = std::min<Index>(count, lanes);
    out.load(rows, width, y);
    d.load(rows, width, dy);
    Vector sum = hn::Zero(tag);
    for (Index i = 0; i < width; ++i) {
      sum = logarithm ? hn::Add(sum, d[i]) : hn::MulAdd(d[i], out[i], sum);
    }
    for (Index i = 0; i < width; ++i) {
      d.set(i, logarithm ? hn::NegMulAdd(exp(out[i]), sum, d[i])
                         : hn::Mul(out[i], hn::Sub(d[i], sum)));
    }
    d.store(rows, width, dz);
  }
}

/// 16 sums, then (l, l + 8), (l, l + 4), (l, l + 2), (l, l + 1); in every lane.
HWY_INLINE Vector add_lanes(const Vector (&v)[parts]) {
  HWY_ALIGN float all[slice];
  SONDE_UNROLL for (int i = 0; i < parts; ++i) hn::Store(v[i], tag, all + i * lanes);
  for (int half = slice / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) all[i] += all[i + half];
  }
  return set(all[0]);
}

inline void softmax_forward(bool logarithm, Index count, Index width, const float* z, float* y) {
  if (width <= slice) return softmax_forward_turned(logarithm, count, width, z, y);
  for (; count > 0; --count, z += width, y += width) {
    float greatest = z[0];
    for (Index i = 1; i < width; ++i) greatest = std::max(greatest, z[i]);
    Vector sums[parts];
    SONDE_UNROLL for (Vector& sum : sums) sum = hn::Zero(tag);
    for (Index i = 0; i < width; i += slice) {
      SONDE_UNROLL for (int v = 0; v < parts; ++v) {
        const Index at = i + v * lanes, left = width - at;
        if (left <= 0) continue;
        const Vector shifted = hn::Sub(load_first(left, z + at), set(greatest));
        Vector power = exp(shifted);
        if (left < lanes) {
          power = hn::IfThenElseZero(hn::FirstN(tag, static_cast<size_t>(left)), power);
        }
        sums[v] = hn::Add(sums[v], power);
        store_first(logarithm ? shifted : power, left, y + at);
      }
    }
    const Vector sum = add_lanes(sums), scale = logarithm ? log(sum) : sum;
    for (Index i = 0; i < width; i += lanes) {
      const Vector now = load_first(width - i, y + i);
      store_first(logarithm ? hn::Sub(now, scale) : hn::Div(now, scale), width - i, y + i);
    }
  }
}

inline void softmax_backward(bool logarithm, Index count, Index width, const float* y,
                             const float* dy, float* dz) {
  if (width <= slice) return softmax_backward_turned(logarithm, count, width, y, dy, dz);
  for (; count > 0; --count, y += width, dy += width, dz += width) {
    Vector sums[parts];
    SONDE_UNROLL for (Vector& sum : sums) sum = hn::Zero(tag);
    for (Index i = 0; i < width; i += slice) {
      SONDE_UNROLL for (int v = 0; v < parts; ++v) {
        const Index at = i + v * lanes;
        const Vector d = load_first(width - at, dy + at);
        sums[v] = logarithm ? hn::Add(sums[v], d)
                            : hn::MulAdd(d, load_first(width - at, y + at), sums[v]);
      }
    }
    const Vector sum = add_lanes(sums);
    for (Index i = 0; i < width; i += lanes) {
      const Vector d = load_first(width - i, dy + i), out = load_first(width - i, y + i);
      const Vector now =
          logarithm ? hn::NegMulAdd(exp(out), sum, d) : hn::Mul(out, hn::Sub(d, sum));
      store_first(now, width - i, dz + i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
