#include "lstm_case.hpp"

namespace sonde::kernels {
namespace {

TEST(Lstm, AgreesWithTheReferenceForEverySize) {
  for (const auto& [s, given] : cases()) {
    Case<double> want(s, given);
    want.run();
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      for (Index offset : {0, 1, 7}) {
        Case<float> got(s, given, offset);
        got.run();
        for (std::size_t i = 0; i < got.results().size(); ++i) {
          ASSERT_LE(relative_error(*got.results()[i], *want.results()[i]), 5e-6)
              << print(s) << ": " << result_names[i] << " " << level_name(level);
          ASSERT_TRUE(got.results()[i]->is_intact()) << print(s) << ": " << result_names[i];
        }
        ASSERT_TRUE(got.packed.is_intact() && got.gates.is_intact() && got.scratch.is_intact());
      }
    }
  }
}

TEST(Lstm, GivesTheSameBitsOnEveryInstructionSet) {
  const std::vector<Level> levels = vector_levels();
  for (const auto& [s, given] : cases()) {
    Case<float> first(s, given);
    {
      const AtLevel at(levels[0]);
      first.run();
    }
    for (Level level : levels) {
      const AtLevel at(level);
      Case<float> other(s, given);
      other.run();
      for (std::size_t i = 0; i < other.results().size(); ++i) {
        ASSERT_TRUE(same_bits(*first.results()[i], *other.results()[i]))
            << print(s) << ": " << result_names[i];
      }
    }
  }
}

TEST(Lstm, ARowDoesNotDependOnTheRowsBesideIt) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (bool backwards : {false, true}) {
      Case<float> all(sizes(6, 11, 5, 19, backwards));
      all.run();
      for (Index r = 0; r < all.s.rows; ++r) {
        Case<float> one(sizes(6, 1, 5, 19, backwards));
        const auto take = [&](const Buffer<float>& from, Buffer<float>& to, Index width) {
          for (Index i = 0; i < to.size(); ++i) {
            to[i] = from[(i / width * all.s.rows + r) * width + i % width];
          }
        };
        take(all.x, one.x, 5), take(all.h0, one.h0, 19), take(all.c0, one.c0, 19);
        Case<float> start(all.s);
        take(start.dh, one.dh, 19), take(start.dc, one.dc, 19), take(start.dy, one.dy, 19);
        one.run();
        Buffer<float> y(one.y.size()), dx(one.dx.size()), dh(one.dh.size());
        take(all.y, y, 19), take(all.dx, dx, 5), take(all.dh, dh, 19);
        ASSERT_TRUE(same_bits(y, one.y) && same_bits(dx, one.dx) && same_bits(dh, one.dh)) << r;
      }
    }
  }
}

TEST(Lstm, ShardsAbreastGiveTheBitsOfOneAfterTheOther) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const auto& [s, given] : cases_abreast()) expect_same_abreast(s, given);
  }
}

TEST(Lstm, SeveralWorkersInOneWalkGiveTheBitsOfOne) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const auto& [s, given] : cases_shared()) expect_same_shared(s, given);
  }
  const AtLevel at(Level::reference);
  expect_same_shared(sizes(9, 5, 48, 32, true), {.mask = true});
}

TEST(Lstm, IsSharedFromAMegabyteOfWholeSlicesOn) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    EXPECT_EQ(lstm_unit_pieces(sizes(9, 4, 0, 256)), 8);  // 256 * 4 * 256 floats
    EXPECT_EQ(lstm_unit_pieces(sizes(9, 4, 64, 272)), 9);
    EXPECT_EQ(lstm_unit_pieces(sizes(9, 4, 15, 240)), 0);
    EXPECT_EQ(lstm_unit_pieces(sizes(9, 4, 64, 257)), 0);
    EXPECT_EQ(lstm_unit_pieces(sizes(9, 32, 64, 256)), 0);
  }
}

/// Runs a walk again in two pieces that carry h and c; gates and all gradients too.
void expect_same_in_pieces(bool backwards, Index cut, Index steps, Index rows) {
  const Index channels = 7, units = 19;
  Case<float> whole(sizes(steps, rows, channels, units, backwards));
  whole.run();
  Case<float> cut_up(whole.s);
  cut_up.pack();
  const Index kept = lstm_gates_size<float>(whole.s);
  struct Piece {
    Index t, steps;
  };
  std::vector<Piece> pieces = {{0, cut}, {cut, steps - cut}};
  if (backwards) std::swap(pieces[0], pieces[1]);
  // The state behind the first piece of the walk.
  const Index last = backwards ? pieces[0].t : pieces[0].t + pieces[0].steps - 1;
  const auto at = [&](Buffer<float>& b, Index t, Index width) {
    return b.data() + t * rows * width;
  };
  for (int piece : {0, 1}) {
    const auto [t, n] = pieces[static_cast<std::size_t>(piece)];
    const float* h0 = piece == 0 ? cut_up.h0.data() : at(cut_up.y, last, units);
    const float* c0 = piece == 0 ? cut_up.c0.data() : at(cut_up.c, last, units);
    lstm_forward(sizes(n, rows, channels, units, backwards), {.x = at(cut_up.x, t, channels),
                                                              .packed = cut_up.packed.data(),
                                                              .h0 = h0,
                                                              .c0 = c0,
                                                              .y = at(cut_up.y, t, units),
                                                              .c = at(cut_up.c, t, units),
                                                              .gates = at(cut_up.gates, t, kept)});
  }
  for (int piece : {1, 0}) {
    const auto [t, n] = pieces[static_cast<std::size_t>(piece)];
    const float* h0 = piece == 0 ? cut_up.h0.data() : at(cut_up.y, last, units);
    const float* c0 = piece == 0 ? cut_up.c0.data() : at(cut_up.c, last, units);
    lstm_backward(sizes(n, rows, channels, units, backwards), {.x = at(cut_up.x, t, channels),
                                                               .packed = cut_up.packed.data(),
                                                               .h0 = h0,
                                                               .c0 = c0,
                                                               .y = at(cut_up.y, t, units),
                                                               .c = at(cut_up.c, t, units),
                                                               .gates = at(cut_up.gates, t, kept),
                                                               .dy = at(cut_up.dy, t, units),
                                                               .dh = cut_up.dh.data(),
                                                               .dc = cut_up.dc.data(),
                                                               .dx = at(cut_up.dx, t, channels),
                                                               .dw = cut_up.dw.data(),
                                                               .du = cut_up.du.data(),
                                                               .db = cut_up.db.data(),
                                                               .scratch = cut_up.scratch.data()});
  }
  for (std::size_t i = 0; i < whole.results().size(); ++i) {
    EXPECT_TRUE(same_bits(*whole.results()[i], *cut_up.results()[i]))
        << result_names[i] << " cut at " << cut << (backwards ? " backwards" : "");
  }
}

TEST(Lstm, CutsOfTimeGiveTheSameBitsForwardAndBackward) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (bool backwards : {false, true}) {
      for (Index cut : {1, 7, 20, 39}) expect_same_in_pieces(backwards, cut, 40, 5);
      for (Index cut : {1, 2}) expect_same_in_pieces(backwards, cut, 3, 300);
    }
  }
}

TEST(Lstm, WithoutKeptGatesGivesTheSameAndCarriesItsStateInPlace) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    Case<float> whole(sizes(12, 3, 5, 19));
    whole.forward();
    Buffer<float> y(whole.y.size()), c = whole.c0;
    const Index row = 3 * 19;
    for (Index t = 0; t < 12; t += 4) {
      lstm_forward(sizes(4, 3, 5, 19), {.x = whole.x.data() + t * 3 * 5,
                                        .packed = whole.packed.data(),
                                        .h0 = t ? y.data() + (t - 1) * row : whole.h0.data(),
                                        .c0 = c.data(),
                                        .y = y.data() + t * row,
                                        .c = c.data()});
    }
    EXPECT_TRUE(same_bits(y, whole.y));
    EXPECT_EQ(std::memcmp(c.data(), whole.c.data() + 11 * row, static_cast<std::size_t>(row) * 4),
              0);
  }
}

/// Row r of every step of `from`, without the steps that the mask skips.
Buffer<float> used_steps(const Case<float>& a, const Buffer<float>& from, Index r, Index width) {
  std::vector<float> found;
  for (Index at = r; at < a.mask.size(); at += a.s.rows) {
    if (a.mask[at] != 0) {
      found.insert(found.end(), from.data() + at * width, from.data() + (at + 1) * width);
    }
  }
  Buffer<float> used(static_cast<Index>(found.size()));
  std::copy(found.begin(), found.end(), used.data());
  return used;
}

TEST(Lstm, AMaskedStepIsAsIfItWereNotThere) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (bool backwards : {false, true}) {
      Case<float> all(sizes(9, 6, 5, 19, backwards), {.mask = true});
      const Case<float> start(all.s);
      // What is skipped must not count, whatever it holds.
      for (Index i = 0; i < all.x.size(); ++i) {
        if (all.mask[i / 5] == 0) all.x[i] = 1e6f;
      }
      all.run();
      for (Index r = 0; r < all.s.rows; ++r) {
        const Buffer<float> x = used_steps(all, all.x, r, 5);
        Case<float> one(sizes(x.size() / 5, 1, 5, 19, backwards));
        one.x = x;
        one.dy = used_steps(all, all.dy, r, 19);
        // The last step's h stays to the end, and so do the gradients of it that come later.
        for (Index i = 0; i < 19; ++i) {
          one.h0[i] = all.h0[r * 19 + i], one.c0[i] = all.c0[r * 19 + i];
          one.dh[i] = start.dh[r * 19 + i], one.dc[i] = start.dc[r * 19 + i];
        }
        Index before = -1;  // the used step that came before, counted along memory
        const Index steps = one.s.steps;
        for (Index n = 0; n < all.s.steps; ++n) {
          const Index t = backwards ? all.s.steps - 1 - n : n;
          const bool used = all.mask[t * 6 + r] != 0;
          before += used;
          const Index to = backwards ? steps - 1 - before : before;
          if (used || before < 0) continue;
          for (Index i = 0; i < 19; ++i) {
            one.dy[to * 19 + i] += all.dy[(t * 6 + r) * 19 + i];
            EXPECT_EQ(all.y[(t * 6 + r) * 19 + i],
                      all.y[((backwards ? t + 1 : t - 1) * 6 + r) * 19 + i]);
          }
        }
        one.run();
        EXPECT_TRUE(same_bits(used_steps(all, all.y, r, 19), one.y)) << r;
        EXPECT_TRUE(same_bits(used_steps(all, all.c, r, 19), one.c)) << r;
        const Buffer<float> dx = used_steps(all, all.dx, r, 5);
        for (Index i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], one.dx[i], 1e-5) << r;
      }
    }
  }
}

TEST(Lstm, NullStatesAreZeros) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    Case<float> none(sizes(4, 3, 5, 19), {.states = false}), zeros(none.s);
    for (Index i = 0; i < zeros.h0.size(); ++i) zeros.h0[i] = zeros.c0[i] = 0;
    none.run(), zeros.run();
    for (std::size_t i = 0; i < none.results().size(); ++i) {
      EXPECT_TRUE(same_bits(*none.results()[i], *zeros.results()[i])) << result_names[i];
    }
  }
}

std::vector<Named> gradient_cases() {
  std::vector<Named> all = {
      {sizes(5, 2, 3, 2), {}},
      {sizes(5, 2, 3, 2, true), {}},
      {sizes(4, 1, 2, 3), {.states = false, .bias = false}},
      {sizes(4, 2, 3, 2), {.dropout_x = true}},
      {sizes(4, 2, 3, 2, true), {.dropout_per_gate = true}},
      {sizes(6, 3, 3, 2), {.mask = true}},
      {sizes(6, 3, 3, 2, true), {.dropout_per_gate = true, .mask = true}},
      {sizes(6, 3, 2, 3), {.states = false, .mask = true}},
  };
  for (int f = 0; f < 18; ++f) {
    const auto function = static_cast<ActivationFunction>(f);
    if (function == ActivationFunction::softmax || function == ActivationFunction::log_softmax) {
      continue;
    }
    RecurrentSizes s = sizes(3, 2, 2, 3);
    s.activation = function;
    all.push_back({s, {}});
    s = sizes(3, 2, 2, 3);
    s.recurrent_activation = function;
    all.push_back({s, {.dropout_per_gate = true}});
  }
  return all;
}

/// Of sum(y * dy) + last h * dh + last c * dc, against central differences.
TEST(Lstm, TheReferenceHasTheGradientsOfItsForward) {
  for (const auto& [s, given] : gradient_cases()) {
    Case<double> a(s, given);
    for (Buffer<double>* sum : {&a.dw, &a.du, &a.db}) {
      for (Index i = 0; i < sum->size(); ++i) (*sum)[i] = 0;
    }
    const Buffer<double> dh = a.dh, dc = a.dc;
    a.run();
    const Index last = (s.backwards ? 0 : s.steps - 1) * s.rows * s.units;
    const auto loss = [&] {
      a.forward();
      double sum = 0;
      for (Index i = 0; i < a.y.size(); ++i) sum += a.y[i] * a.dy[i];
      for (Index i = 0; i < dh.size(); ++i) sum += a.y[last + i] * dh[i] + a.c[last + i] * dc[i];
      return sum;
    };
    const auto check = [&](Buffer<double>& at, const Buffer<double>& gradient, const char* name) {
      for (Index i = 0; i < at.size(); ++i) {
        const double before = at[i], h = 1e-5;
        at[i] = before + h;
        const double above = loss();
        at[i] = before - h;
        const double below = loss();
        at[i] = before;
        ASSERT_NEAR((above - below) / (2 * h), gradient[i],
                    1e-6 * std::max(1.0, std::abs(gradient[i])))
            << name << " " << i << " with activations " << static_cast<int>(a.s.activation)
            << " and " << static_cast<int>(a.s.recurrent_activation);
      }
    };
    check(a.x, a.dx, "x"), check(a.w, a.dw, "w"), check(a.u, a.du, "u");
    if (given.bias) check(a.b, a.db, "b");
    if (given.states) check(a.h0, a.dh, "h0"), check(a.c0, a.dc, "c0");
  }
}

TEST(Lstm, OtherActivationsAndMasksAgreeWithTheReferenceInFloat) {
  for (const auto& [s, given] : gradient_cases()) {
    Case<double> want(s, given);
    want.run();
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      Case<float> got(s, given);
      got.run();
      for (std::size_t i = 0; i < got.results().size(); ++i) {
        ASSERT_LE(relative_error(*got.results()[i], *want.results()[i]), 2e-5) << result_names[i];
      }
    }
  }
}

}  // namespace
}  // namespace sonde::kernels
