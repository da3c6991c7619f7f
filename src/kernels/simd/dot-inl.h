// Included once per instruction set, hence no ordinary guard.
#if defined(SONDE_DOT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SONDE_DOT_INL_H
#undef SONDE_DOT_INL_H
#else
#define SONDE_DOT_INL_H
#endif

#include "kernels/simd/tile-inl.h"

/// Dot products for windows of at most four filters: 16 sums beside each other along the channels,
/// added at the end as (l, l + 8), (l, l + 4), (l, l + 2), (l, l + 1), and then to the bias.
#if SONDE_HAS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace sonde::kernels {
namespace HWY_NAMESPACE {

using Four = hn::FixedTag<float, 4>;
inline constexpr Four four;

/// The sums over lanes 8 and 4 apart of one slice.
HWY_INLINE hn::Vec<Four> add_to_four(const Vector (&v)[parts]) {
#if HWY_TARGET == HWY_NEON
  return hn::Add(hn::Add(v[0], v[2]), hn::Add(v[1], v[3]));
#else
  const hn::FixedTag<float, 8> eight;
#if HWY_TARGET == HWY_AVX2
  const auto sum = hn::Add(v[0], v[1]);
#else
  const auto sum = hn::Add(hn::LowerHalf(eight, v[0]), hn::UpperHalf(eight, v[0]));
#endif
  (void)eight;
  return hn::Add(hn::LowerHalf(four, sum), hn::UpperHalf(four, sum));
#endif
}

/// Lane i: the sum (l0 + l2) + (l1 + l3) over the lanes of v[i].
HWY_INLINE hn::Vec<Four> add_each(const hn::Vec<Four> (&v)[4]) {
  const auto a =
      hn::Add(hn::InterleaveLower(four, v[0], v[1]), hn::InterleaveUpper(four, v[0], v[1]));
  const auto b =
      hn::Add(hn::InterleaveLower(four, v[2], v[3]), hn::InterleaveUpper(four, v[2], v[3]));
  return hn::Add(hn::ConcatLowerLower(four, b, a), hn::ConcatUpperUpper(four, b, a));
}

/// Four rows at once; where fewer are left, the last ones are the same row.
inline void dot_rows(const Window& s, Index first_tap, Index taps, const Rows& p, const float* x,
                     const float* packed, const float* b, bool relu, float* y) {
  const Index width = whole_slices(s.channels), x_tap = s.dilation * s.rows * s.x_pitch;
  Index r = 0;
  for (Index left = p.steps * p.rows; left > 0; left -= 4) {
    const float* xs[4];
    float* ys[4];
    for (Index i = 0; i < 4; ++i) {
      xs[i] = i < left ? x + r * p.x_row : xs[i - 1];
      ys[i] = i < left ? y + r * p.y_row : ys[i - 1];
      if (i < left && ++r == p.rows) {
        r = 0;
        x += p.x_step;
        y += p.y_step;
      }
    }
    for (Index f = 0; f < s.filters; ++f) {
      Vector sum[4][parts];
      SONDE_UNROLL for (int i = 0; i < 4; ++i) {
        SONDE_UNROLL for (int v = 0; v < parts; ++v) sum[i][v] = hn::Zero(tag);
      }
      for (Index tap = 0; tap < taps; ++tap) {
        const float* w = packed + (f * s.taps + first_tap + tap) * width;
        Index c = 0;
        for (; c + slice <= s.channels; c += slice) {
          SONDE_UNROLL for (int v = 0; v < parts; ++v) {
            const Vector wv = hn::LoadU(tag, w + c + v * lanes);
            SONDE_UNROLL for (int i = 0; i < 4; ++i) {
              sum[i][v] =
                  hn::MulAdd(hn::LoadU(tag, xs[i] + tap * x_tap + c + v * lanes), wv, sum[i][v]);
            }
          }
        }
        if (c == s.channels) continue;
        SONDE_UNROLL for (int v = 0; v < parts; ++v) {
          const Vector wv = hn::LoadU(tag, w + c + v * lanes);
          SONDE_UNROLL for (int i = 0; i < 4; ++i) {
            const Vector xv =
                load_first(s.channels - c - v * lanes, xs[i] + tap * x_tap + c + v * lanes);
            sum[i][v] = hn::MulAdd(xv, wv, sum[i][v]);
          }
        }
      }
      const hn::Vec<Four> fours[4] = {add_to_four(sum[0]), add_to_four(sum[1]), add_to_four(sum[2]),
                                      add_to_four(sum[3])};
      float dots[4];
      hn::StoreU(hn::Add(hn::Set(four, b ? b[f] : 0.0f), add_each(fours)), four, dots);
      for (Index i = 0; i < 4; ++i) ys[i][f] = relu && dots[i] < 0 ? 0.0f : dots[i];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sonde::kernels
HWY_AFTER_NAMESPACE();
#endif
#endif
