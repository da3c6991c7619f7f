#include "support.hpp"

namespace sonde::kernels {
namespace {

/// A window with its pitches, its numbers and what the kernels make of them.
template <class T>
struct Case {
  Window s;
  Index x_size, y_size, w_size;
  Buffer<T> x, w, b, packed, y, dy, dx, dw, db;

  explicit Case(const Window& window, Index offset = 0)
      : s(window),
        x_size(s.steps_in * s.rows * s.x_pitch),
        y_size(s.steps_out * s.rows * s.y_pitch),
        w_size(s.taps * s.channels * s.w_pitch),
        x(x_size, 1, 1, offset),
        w(w_size, 2, 1, offset),
        b(s.filters, 3, 1, offset),
        packed(window_packed_size<T>(s), 1, 0),
        y(y_size, 4, 1, offset),
        dy(y_size, 5, 1, offset),
        dx(x_size, 6, 1, offset),
        dw(w_size, 7, 1, offset),
        db(s.filters, 8, 1, offset) {}

  void run(bool relu = false) {
    window_pack(s, w.data(), packed.data());
    window_forward(s, x.data(), packed.data(), b.data(), relu, y.data());
    window_backward_input(s, dy.data(), packed.data(), dx.data());
    window_backward_weights(s, x.data(), dy.data(), dw.data(), db.data());
  }

  bool is_intact() const {
    return y.is_intact() && dx.is_intact() && dw.is_intact() && db.is_intact() &&
           packed.is_intact();
  }
};

Window make(Index steps, Index rows, Index channels, Index filters, Index taps, Index stride = 1,
            Index dilation = 1, Index left = 0) {
  Window s{.steps_in = steps,
           .rows = rows,
           .channels = channels,
           .filters = filters,
           .taps = taps,
           .stride = stride,
           .dilation = dilation,
           .left = left};
  s.steps_out = (steps + stride - 1) / stride;
  s.x_pitch = channels, s.y_pitch = s.w_pitch = filters;
  return s;
}

/// As `make`, in the middle of wider memory.
Window with_gaps(Window s) {
  s.x_pitch += 5, s.y_pitch += 3, s.w_pitch += 2;
  return s;
}

std::string print(const Window& s) {
  std::string text;
  for (Index n : {s.steps_in, s.steps_out, s.rows, s.channels, s.filters, s.taps, s.stride,
                  s.dilation, s.left, s.x_pitch}) {
    text += std::to_string(n) + " ";
  }
  return text;
}

std::vector<Window> cases() {
  std::vector<Window> all;
  // Every width from 0 to beyond two slices, as channels and as filters.
  for (Index n = 0; n <= 35; ++n) {
    all.push_back(make(7, 3, n, 5, 2, 1, 1, 1));
    all.push_back(make(5, 2, 3, n, 3, 1, 1, 1));
    all.push_back(with_gaps(make(3, 1, n, n, 2)));
    for (Index filters = 1; filters <= 4; ++filters) all.push_back(make(3, 2, n, filters, 1));
  }
  // Every number of rows in a tile, and steps that end in the middle of one.
  for (Index rows = 0; rows <= 19; ++rows) all.push_back(make(4, rows, 6, 17, 3, 1, 1, 1));
  for (Index steps = 0; steps <= 10; ++steps) {
    all.push_back(make(steps, 2, 4, 8, 4, 1, 1, 2));
    all.push_back(make(steps, 1, 1, 33, 7, 1, 1, 3));
    all.push_back(make(steps, 3, 2, 3, 3, 1, 4, 8));
    all.push_back(make(steps, 2, 5, 7, 3, 2, 1, 1));
    all.push_back(make(steps, 2, 5, 7, 2, 3, 1, 0));
    all.push_back(make(steps, 1, 19, 2, 4, 3, 2, 3));
    all.push_back(with_gaps(make(steps, 2, 17, 3, 2, 2, 4, 2)));
  }
  all.push_back(make(50, 4, 16, 32, 8, 1, 1, 3));     // the typical convolution
  all.push_back(make(41, 7, 13, 37, 11, 1, 1, 5));    // primes
  all.push_back(make(9, 8, 97, 101, 3, 1, 1, 2));     // primes, several panels
  all.push_back(make(1, 3, 2600, 40, 1));             // a sum in parts
  all.push_back(make(30, 2, 1100, 20, 5, 1, 2, 4));   // the same by taps
  all.push_back(make(300, 8, 3, 5, 2, 1, 1, 1));      // several blocks of positions
  all.push_back(with_gaps(make(70, 4, 1, 1, 5, 2)));  // one channel
  Window valid = make(40, 4, 6, 9, 5);
  valid.steps_out = 36;
  all.push_back(valid);
  return all;
}

/// Sums of n products of numbers in (-1, 1): each rounding is at most half of 2^-23 of a partial
/// sum that rarely passes sqrt(n).
double bound(double sums) { return 6e-8 * (4 + std::sqrt(sums)) * 2; }

TEST(Window, AgreesWithTheReferenceForEverySize) {
  for (const Window& s : cases()) {
    Case<double> want(s);
    want.run();
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      for (Index offset : {0, 1, 7}) {
        Case<float> got(s, offset);
        got.run();
        ASSERT_LE(relative_error(got.y, want.y), bound(s.taps * s.channels)) << print(s);
        ASSERT_LE(relative_error(got.dx, want.dx), bound(s.taps * s.filters)) << print(s);
        ASSERT_LE(relative_error(got.dw, want.dw), bound(s.steps_out * s.rows)) << print(s);
        ASSERT_LE(relative_error(got.db, want.db), bound(s.steps_out * s.rows)) << print(s);
        ASSERT_TRUE(got.is_intact()) << print(s);
      }
    }
  }
}

TEST(Window, GivesTheSameBitsOnEveryInstructionSet) {
  const std::vector<Level> levels = vector_levels();
  for (const Window& s : cases()) {
    Case<float> first(s), other(s);
    for (Level level : levels) {
      const AtLevel at(level);
      Case<float>& now = level == levels[0] ? first : (other = Case<float>(s));
      now.run(true);
      if (level == levels[0]) continue;
      ASSERT_TRUE(same_bits(first.y, other.y)) << print(s);
      ASSERT_TRUE(same_bits(first.dx, other.dx)) << print(s);
      ASSERT_TRUE(same_bits(first.dw, other.dw)) << print(s);
      ASSERT_TRUE(same_bits(first.db, other.db)) << print(s);
    }
  }
}

TEST(Window, ARowDoesNotDependOnTheRowsBesideIt) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const Window& many :
         {make(23, 13, 7, 19, 5, 1, 1, 2), make(9, 11, 40, 3, 1), make(12, 6, 3, 33, 3, 2, 1, 1)}) {
      Case<float> all(many);
      all.run(true);
      Window one = many;
      one.rows = 1;
      for (Index r = 0; r < many.rows; ++r) {
        Case<float> single(one);
        for (Index t = 0; t < one.steps_in; ++t) {
          for (Index c = 0; c < one.channels; ++c) {
            single.x[t * one.x_pitch + c] = all.x[(t * many.rows + r) * many.x_pitch + c];
          }
        }
        single.run(true);
        for (Index t = 0; t < one.steps_out; ++t) {
          for (Index f = 0; f < one.filters; ++f) {
            ASSERT_EQ(single.y[t * one.y_pitch + f], all.y[(t * many.rows + r) * many.y_pitch + f]);
          }
        }
      }
    }
  }
}

TEST(Window, CutsOfTimeGiveTheSameBits) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (Index stride : {1, 2}) {
      // A causal window: a chunk sees the steps before it, with left = 0.
      const Index past = 6, steps = 24;
      Window whole = make(steps, 3, 5, 18, 4, stride, 2, past);
      Case<float> all(whole);
      all.run(true);
      for (Index cut : {2, 4, 10, 22}) {
        for (bool second : {false, true}) {
          Window s = whole;
          const Index first = second ? cut : 0, end = second ? steps : cut;
          s.left = second ? 0 : past;
          s.steps_in = second ? end - first + past : end;
          s.steps_out = (end - first) / stride;
          Window visible = s;
          if (second && first < past) visible.left = past - first, visible.steps_in = end;
          const Index from = second ? std::max<Index>(0, first - past) : 0;
          Case<float> part(visible);
          std::memcpy(part.x.data(), &all.x[from * s.rows * s.x_pitch],
                      static_cast<std::size_t>(part.x_size) * 4);
          part.run(true);
          ASSERT_EQ(std::memcmp(part.y.data(), &all.y[first / stride * s.rows * s.y_pitch],
                                static_cast<std::size_t>(part.y_size) * 4),
                    0)
              << stride << " " << cut << " " << second;
        }
      }
    }
  }
}

TEST(Window, ReluKeepsNanAndTurnsNegativeSumsToZero) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (Index channels : {3, 20}) {
      Case<float> a(make(5, 2, channels, 3, 1)), b(a.s);
      b.x[0] = a.x[0] = NAN;
      a.run(false), b.run(true);
      for (Index i = 0; i < a.y_size; ++i) {
        if (i < 3) {
          EXPECT_TRUE(std::isnan(b.y[i]));
        } else {
          EXPECT_EQ(b.y[i], std::max(a.y[i], 0.0f));
        }
      }
    }
  }
}

/// Step by step what `want`, whose windows end with the step of their number, has at once.
template <class T>
void expect_pushed(const Case<T>& want, bool bias, bool relu, Index offset) {
  Case<T> a(want.s, offset);
  const Window& s = a.s;
  window_pack(s, a.w.data(), a.packed.data());
  const Index step = s.rows * s.y_pitch;
  Buffer<T> sums((s.taps - 1) * step, 1, 1, offset);
  for (Index i = 0; i < sums.size(); ++i) {
    const Index f = i % s.y_pitch;
    if (f < s.filters) sums[i] = bias ? a.b[f] : T(0);
  }
  for (Index t = 0; t < s.steps_in; ++t) {
    window_push(s, s.taps, a.x.data() + t * s.rows * s.x_pitch, a.packed.data(),
                bias ? a.b.data() : nullptr, relu, sums.data(), a.y.data() + t * step);
  }
  for (Index i = 0; i < a.y.size(); ++i) ASSERT_EQ(a.y[i], want.y[i]) << print(s) << " at " << i;
  ASSERT_TRUE(a.y.is_intact() && sums.is_intact() && a.x.is_intact()) << print(s);
  // The windows that wait are those of `want` without their last taps; here: that go on over zeros.
  for (Index i = 0; i < a.x.size(); ++i) a.x[i] = 0;
  for (Index places = s.taps - 1; places > 0; --places) {
    Buffer<T> y(step);
    const Buffer<T> first = sums;
    window_push(s, places, a.x.data(), a.packed.data(), nullptr, relu, sums.data(), y.data());
    for (Index i = 0; i < step; ++i) {
      if (i % s.y_pitch >= s.filters) continue;
      ASSERT_EQ(y[i], relu && first[i] < 0 ? T(0) : first[i]) << print(s) << " place " << i;
    }
    for (Index i = (places - 1) * step; i < sums.size(); ++i) ASSERT_EQ(sums[i], first[i]);
  }
}

TEST(Window, PushedStepByStepGivesTheSameBits) {
  std::vector<Window> all = cases();
  for (Index taps = 2; taps <= 20; ++taps) all.push_back(make(23, 2, 3, 35, taps));
  Index pushed = 0;
  for (Window s : all) {
    s.left = s.taps - 1, s.steps_out = s.steps_in;
    if (!window_can_push(s) || s.rows == 0 || s.steps_in == 0) continue;
    ++pushed;
    for (bool relu : {false, true}) {
      for (bool bias : {false, true}) {
        for (Level level : vector_levels()) {
          const AtLevel at(level);
          Case<float> want(s);
          window_pack(s, want.w.data(), want.packed.data());
          window_forward(s, want.x.data(), want.packed.data(), bias ? want.b.data() : nullptr, relu,
                         want.y.data());
          for (Index offset : {0, 1, 7}) expect_pushed(want, bias, relu, offset);
        }
        Case<double> want(s);
        window_pack(s, want.w.data(), want.packed.data());
        window_forward(s, want.x.data(), want.packed.data(), bias ? want.b.data() : nullptr, relu,
                       want.y.data());
        expect_pushed(want, bias, relu, 0);
      }
    }
  }
  EXPECT_GT(pushed, 150);
}

TEST(Window, ANullBiasIsZeros) {
  for (Level level : {Level::reference, level_in_use()}) {
    const AtLevel at(level);
    Case<float> a(make(5, 2, 20, 3, 1)), b(a.s);
    for (Index f = 0; f < 3; ++f) b.b[f] = 0;
    b.run();
    window_pack(a.s, a.w.data(), a.packed.data());
    window_forward(a.s, a.x.data(), a.packed.data(), nullptr, false, a.y.data());
    EXPECT_TRUE(same_bits(a.y, b.y));
    window_backward_weights(a.s, a.x.data(), a.dy.data(), a.dw.data(), nullptr);
    EXPECT_TRUE(same_bits(a.dw, b.dw));
  }
}

/// The reference's gradients of sum(y * dy), against central differences.
TEST(Window, TheReferenceHasTheGradientsOfItsForward) {
  for (const Window& s : {make(9, 2, 3, 4, 3, 1, 1, 1), make(10, 1, 2, 3, 4, 3, 1, 2),
                          with_gaps(make(8, 2, 3, 2, 3, 1, 2, 4))}) {
    Case<double> a(s);
    for (Index i = 0; i < a.w_size; ++i) a.dw[i] = 0;
    for (Index i = 0; i < s.filters; ++i) a.db[i] = 0;
    a.run();
    const auto loss = [&] {
      window_pack(s, a.w.data(), a.packed.data());
      window_forward(s, a.x.data(), a.packed.data(), a.b.data(), false, a.y.data());
      double sum = 0;
      for (Index i = 0; i < s.steps_out * s.rows; ++i) {
        for (Index f = 0; f < s.filters; ++f)
          sum += a.y[i * s.y_pitch + f] * a.dy[i * s.y_pitch + f];
      }
      return sum;
    };
    const auto check = [&](Buffer<double>& at, const Buffer<double>& gradient, Index pitch,
                           Index width) {
      for (Index i = 0; i < at.size(); ++i) {
        if (i % pitch >= width) continue;
        const double before = at[i], h = 1e-4;
        at[i] = before + h;
        const double above = loss();
        at[i] = before - h;
        const double below = loss();
        at[i] = before;
        ASSERT_NEAR((above - below) / (2 * h), gradient[i],
                    1e-6 * std::max(1.0, std::abs(gradient[i])));
      }
    };
    check(a.x, a.dx, s.x_pitch, s.channels);
    check(a.w, a.dw, s.w_pitch, s.filters);
    check(a.b, a.db, s.filters, s.filters);
  }
}

}  // namespace
}  // namespace sonde::kernels
