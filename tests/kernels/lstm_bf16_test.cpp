#include "kernels/bf16.hpp"
#include "kernels/simd/lstm.hpp"
#include "lstm_case.hpp"

// Products of bfloat16, on both paths. Where the processor has neither, only the first test says
// something.
namespace sonde::kernels {
namespace {

/// Sets a path for the length of a scope.
class AtBf16 {
 public:
  explicit AtBf16(Bf16 bf16) : before_(bf16_in_use()) { EXPECT_TRUE(set_bf16(bf16)); }
  ~AtBf16() { set_bf16(before_); }
  AtBf16(const AtBf16&) = delete;
  AtBf16& operator=(const AtBf16&) = delete;

 private:
  Bf16 before_;
};

/// The paths that this machine has.
std::vector<Bf16> paths() {
  const Bf16 before = bf16_in_use();
  std::vector<Bf16> all;
  if (level_in_use() != Level::avx3) return all;
  for (Bf16 path : {Bf16::avx512, Bf16::amx}) {
    if (set_bf16(path)) all.push_back(path);
  }
  set_bf16(before);
  return all;
}

RecurrentSizes in_bf16(RecurrentSizes s) {
  s.precision = MatmulPrecision::bf16;
  return s;
}

std::vector<Named> all_cases() {
  std::vector<Named> all = cases();
  for (Index units : {1, 5, 16, 17, 33, 128}) {
    for (Index channels : {1, 3, 40}) all.push_back({sizes(3, 4, channels, units), {}});
  }
  for (Index rows = 1; rows <= 9; ++rows)
    all.push_back({sizes(70, rows, 40, 33, rows % 2 == 0), {}});
  all.push_back({sizes(2, 37, 5, 17), {}});
  all.push_back({sizes(2, 300, 3, 5), {.mask = true}});
  for (Named& each : all) each.s = in_bf16(each.s);
  return all;
}

/// Round to nearest, ties to even; what is no number stays none.
Bfloat16 to_bfloat16(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  if (std::isnan(value)) return static_cast<Bfloat16>(bits >> 16 | 0x40);
  return static_cast<Bfloat16>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

template <class T>
double rounded(T value) {
  return __builtin_bit_cast(
      float, static_cast<std::uint32_t>(to_bfloat16(static_cast<float>(value))) << 16);
}

TEST(LstmInBfloat16, IsThatOfFloatsWhereTheProcessorHasNoSuchProducts) {
  for (Level level : vector_levels()) {
    const AtLevel at_level(level);
    const AtBf16 at(Bf16::none);
    for (const auto& [s, given] : {Named{sizes(9, 4, 13, 37), {}}, Named{sizes(9, 3, 1, 16), {}}}) {
      Case<float> floats(s, given), halves(in_bf16(s), given);
      floats.run(), halves.run();
      EXPECT_TRUE(same_bits(floats.packed, halves.packed));
      for (std::size_t i = 0; i < floats.results().size(); ++i) {
        EXPECT_TRUE(same_bits(*floats.results()[i], *halves.results()[i])) << result_names[i];
      }
    }
  }
}

TEST(LstmInBfloat16, IsThatOfFloatsAtALevelBelow) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    const AtLevel at_level(Level::avx2);
    Case<float> floats(sizes(9, 4, 13, 37)), halves(in_bf16(sizes(9, 4, 13, 37)));
    floats.run(), halves.run();
    EXPECT_TRUE(same_bits(floats.y, halves.y) && same_bits(floats.dw, halves.dw));
  }
}

TEST(LstmInBfloat16, RoundsToNearestAndTiesToEven) {
  EXPECT_EQ(to_bfloat16(1.0f), 0x3f80);
  EXPECT_EQ(to_bfloat16(0x1.01p0f), 0x3f80);  // a tie, to the even below
  EXPECT_EQ(to_bfloat16(0x1.03p0f), 0x3f82);  // a tie, to the even above
  EXPECT_EQ(to_bfloat16(0x1.010002p0f), 0x3f81);
  EXPECT_EQ(to_bfloat16(0x1.fffffep127f), 0x7f80);
  EXPECT_EQ(to_bfloat16(-INFINITY), 0xff80);
  EXPECT_TRUE(std::isnan(rounded(NAN)));
  if (paths().empty()) return;
  std::uint32_t bits = 1;
  for (int i = 0; i < 200'000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    const float value = __builtin_bit_cast(float, i % 3 == 0 ? bits | 0x8000 : bits);
    if (!std::isnormal(value)) continue;  // denormal numbers are zeros to the processor
    Bfloat16 to[group];
    round_rows(1, 1, &value, 1, to, group);
    ASSERT_EQ(to[0], to_bfloat16(value)) << value;
    ASSERT_EQ(to[1], 0);
  }
}

/// m (width, 4 units) of bfloat16.
double number(const RecurrentSizes& s, const Buffer<float>& m, Index k, Index gate, Index unit) {
  return rounded(m[(k * 4 + gate) * s.units + unit]);
}

/// Sums of one product, and of the sizes of its parts: what an error is measured against.
struct Summed {
  double sum = 0, size = 0;
  void add(double product) { sum += product, size += std::abs(product); }
  void expect(float got, const std::string& what) const {
    ASSERT_NEAR(got, sum, 2e-6 * size + 1e-6) << what;
  }
};

/// Forward and backward in what they keep: h of each step as forward left it, dz as backward did.
TEST(LstmInBfloat16, EachProductIsThatOfRoundedFactors) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    for (const Named& each : all_cases()) {
      const RecurrentSizes& s = each.s;
      const Given& given = each.given;
      if (s.rows > 40) continue;  // minutes
      const std::string what = print(s) + " " + bf16_name(path);
      Case<float> a(s, given);
      const Buffer<float> dw = a.dw, du = a.du;
      a.forward();
      const Index kept = lstm_gates_size<float>(s);
      const auto gate_at = [&](Index row, Index gate, Index unit) {
        return a.gates[row * kept + unit / slice * gates_of_slice + gate * slice + unit % slice];
      };
      const auto skipped = [&](Index row) { return given.mask && a.mask[row] == 0; };
      // h before each row of each step.
      const auto before = [&](Index row, Index unit) -> double {
        const Index other = row + (s.backwards ? s.rows : -s.rows);
        if (other >= 0 && other < s.steps * s.rows) return a.y[other * s.units + unit];
        return given.states ? static_cast<double>(a.h0[row % s.rows * s.units + unit]) : 0;
      };
      for (Index row = 0; row < s.steps * s.rows; ++row) {
        for (Index gate = 0; gate < 4 && !skipped(row); ++gate) {
          for (Index unit = 0; unit < s.units; ++unit) {
            Summed z;
            if (given.bias) z.add(a.b[gate * s.units + unit]);
            for (Index k = 0; k < s.channels; ++k)
              z.add(rounded(a.x[row * s.channels + k]) * number(s, a.w, k, gate, unit));
            for (Index k = 0; k < s.units; ++k)
              z.add(rounded(before(row, k)) * number(s, a.u, k, gate, unit));
            z.sum = gate == 2 ? std::tanh(z.sum) : 1 / (1 + std::exp(-z.sum));
            z.expect(gate_at(row, gate, unit), "gates, " + what);
          }
        }
      }
      a.backward();
      const auto dz = [&](Index row, Index gate, Index unit) {
        return rounded(gate_at(row, gate, unit));
      };
      for (Index row = 0; row < s.steps * s.rows && given.dx; ++row) {
        for (Index k = 0; k < s.channels; ++k) {
          Summed dx;
          for (Index gate = 0; gate < 4; ++gate)
            for (Index unit = 0; unit < s.units; ++unit)
              dx.add(dz(row, gate, unit) * number(s, a.w, k, gate, unit));
          dx.expect(a.dx[row * s.channels + k], "dx, " + what);
        }
      }
      for (Index gate = 0; gate < 4; ++gate) {
        for (Index unit = 0; unit < s.units; ++unit) {
          for (Index k = 0; k < std::max(s.channels, s.units); ++k) {
            const Index to = (k * 4 + gate) * s.units + unit;
            Summed w, u;
            for (Index row = 0; row < s.steps * s.rows; ++row) {
              const double factor = dz(row, gate, unit);
              if (k < s.channels) w.add(rounded(a.x[row * s.channels + k]) * factor);
              if (k < s.units) u.add(rounded(before(row, k)) * factor);
            }
            if (k < s.channels) w.add(dw[to]), w.expect(a.dw[to], "dw, " + what);
            if (k < s.units) u.add(du[to]), u.expect(a.du[to], "du, " + what);
          }
        }
      }
      if (HasFatalFailure()) return;
    }
  }
}

TEST(LstmInBfloat16, IsNearTheOneOfFloatsForEverySizeAndWritesNothingElse) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    for (const Named& each : all_cases()) {
      const RecurrentSizes& s = each.s;
      const Given& given = each.given;
      Case<double> want(s, given);
      want.run();
      for (Index offset : {0, 1, 7}) {
        Case<float> got(s, given, offset);
        got.run();
        for (std::size_t i = 0; i < got.results().size(); ++i) {
          ASSERT_LE(relative_error(*got.results()[i], *want.results()[i]), 3e-2)
              << print(s) << ": " << result_names[i] << " " << bf16_name(path);
          ASSERT_TRUE(got.results()[i]->is_intact()) << print(s) << ": " << result_names[i];
        }
        ASSERT_TRUE(got.packed.is_intact() && got.gates.is_intact() && got.scratch.is_intact());
      }
    }
  }
}

TEST(LstmInBfloat16, HasAnErrorOfAFewThousandthsOfTheNorm) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    const RecurrentSizes s = sizes(80, 4, 40, 64);
    Case<double> want(s);
    Case<float> got(in_bf16(s));
    // As Keras begins: products of order 1.
    for (Index i = 0; i < got.w.size(); ++i) want.w[i] = got.w[i] *= 0.2f;
    for (Index i = 0; i < got.u.size(); ++i) want.u[i] = got.u[i] *= 0.2f;
    want.run(), got.run();
    for (std::size_t r = 0; r < got.results().size(); ++r) {
      const Buffer<float>& a = *got.results()[r];
      const Buffer<double>& b = *want.results()[r];
      double error = 0, norm = 0;
      for (Index i = 0; i < a.size(); ++i) error += std::pow(a[i] - b[i], 2), norm += b[i] * b[i];
      EXPECT_LE(std::sqrt(error / norm), 1e-2) << result_names[r] << " " << bf16_name(path);
      EXPECT_GT(error, 0) << result_names[r];
    }
  }
}

TEST(LstmInBfloat16, ARowDoesNotDependOnTheRowsBesideIt) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    for (const Index rows : {2, 4, 5, 9, 16, 19}) {
      Case<float> all(in_bf16(sizes(6, rows, 35, 40, rows % 2 == 0)));
      all.run();
      const Case<float> start(all.s);
      for (Index r = 0; r < rows; ++r) {
        Case<float> one(in_bf16(sizes(6, 1, 35, 40, rows % 2 == 0)));
        const auto take = [&](const Buffer<float>& from, Buffer<float>& to, Index width) {
          for (Index i = 0; i < to.size(); ++i) {
            to[i] = from[(i / width * rows + r) * width + i % width];
          }
        };
        take(all.x, one.x, 35), take(all.h0, one.h0, 40), take(all.c0, one.c0, 40);
        take(start.dh, one.dh, 40), take(start.dc, one.dc, 40), take(start.dy, one.dy, 40);
        one.run();
        Buffer<float> y(one.y.size()), dx(one.dx.size()), dh(one.dh.size());
        take(all.y, y, 40), take(all.dx, dx, 35), take(all.dh, dh, 40);
        ASSERT_TRUE(same_bits(y, one.y) && same_bits(dx, one.dx) && same_bits(dh, one.dh))
            << r << " of " << rows << " " << bf16_name(path);
      }
    }
  }
}

TEST(LstmInBfloat16, ShardsAbreastGiveTheBitsOfOneAfterTheOther) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    std::vector<Named> all = cases_abreast();
    all.push_back({sizes(70, 8, 40, 70), {}});  // two tiles' rows are those of four shards
    all.push_back({sizes(9, 15, 3, 33, true), {.mask = true}});
    for (const auto& [s, given] : all) expect_same_abreast(in_bf16(s), given);
    expect_same_shared(in_bf16(sizes(9, 5, 40, 37, true)), {.mask = true});
  }
}

TEST(LstmInBfloat16, AShardWithFewerRowsFindsRoomInTheScratchOfOneWithMore) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    for (const Index channels : {3, 64}) {
      Index before = 0;
      for (Index rows = 0; rows <= 80; ++rows) {
        const Index size = lstm_scratch_size<float>(in_bf16(sizes(9, rows, channels, 64)));
        EXPECT_GE(size, before) << rows;
        before = size;
      }
    }
    const Index booked = lstm_scratch_size<float>(in_bf16(sizes(80, 5, 64, 64)));
    Case<float> four(in_bf16(sizes(80, 4, 64, 64)));
    four.scratch = Buffer<float>(booked);
    four.run();
    EXPECT_TRUE(four.scratch.is_intact());
  }
}

TEST(LstmInBfloat16, GoesAbreastOnTilesFromAMegabyteOfWeightsOn) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    const bool amx = path == Bf16::amx;
    EXPECT_EQ(lstm_gains_abreast(in_bf16(sizes(9, 8, 3, 361))), amx);  // 364 * 4 * 361 * 2 bytes
    EXPECT_FALSE(lstm_gains_abreast(in_bf16(sizes(9, 8, 3, 360))));
    EXPECT_FALSE(lstm_gains_abreast(in_bf16(sizes(9, 32, 3, 400))));
    EXPECT_TRUE(lstm_gains_abreast(sizes(9, 8, 3, 181)));  // as floats from half of one on
    EXPECT_FALSE(lstm_gains_abreast(sizes(9, 8, 3, 179)));
    const AtLevel at_level(Level::reference);
    EXPECT_FALSE(lstm_gains_abreast(sizes(9, 8, 3, 400)));
  }
}

/// Runs `whole` again in two pieces that carry h and c; gates and all gradients too.
void expect_same_in_pieces(const RecurrentSizes& s, Index cut) {
  Case<float> whole(s), cut_up(s);
  whole.run();
  cut_up.pack();
  const Index kept = lstm_gates_size<float>(s);
  const auto at = [&](Buffer<float>& b, Index t, Index width) {
    return b.data() + t * s.rows * width;
  };
  // Steps of the walk `done` and on; h and c before them are those of the step before in the walk.
  const auto piece = [&](Index done, Index steps, bool forward) {
    RecurrentSizes p = s;
    p.steps = steps;
    const Index t = s.backwards ? s.steps - done - steps : done;
    const Index before = s.backwards ? t + steps : t - 1;
    const float* h0 = done == 0 ? cut_up.h0.data() : at(cut_up.y, before, s.units);
    const float* c0 = done == 0 ? cut_up.c0.data() : at(cut_up.c, before, s.units);
    if (forward) {
      lstm_forward(p, {.x = at(cut_up.x, t, s.channels),
                       .packed = cut_up.packed.data(),
                       .h0 = h0,
                       .c0 = c0,
                       .y = at(cut_up.y, t, s.units),
                       .c = at(cut_up.c, t, s.units),
                       .gates = at(cut_up.gates, t, kept),
                       .scratch = cut_up.scratch.data()});
      return;
    }
    lstm_backward(p, {.x = at(cut_up.x, t, s.channels),
                      .packed = cut_up.packed.data(),
                      .h0 = h0,
                      .c0 = c0,
                      .y = at(cut_up.y, t, s.units),
                      .c = at(cut_up.c, t, s.units),
                      .gates = at(cut_up.gates, t, kept),
                      .dy = at(cut_up.dy, t, s.units),
                      .dh = cut_up.dh.data(),
                      .dc = cut_up.dc.data(),
                      .dx = at(cut_up.dx, t, s.channels),
                      .dw = cut_up.dw.data(),
                      .du = cut_up.du.data(),
                      .db = cut_up.db.data(),
                      .scratch = cut_up.scratch.data()});
  };
  piece(0, cut, true), piece(cut, s.steps - cut, true);
  piece(cut, s.steps - cut, false), piece(0, cut, false);
  for (std::size_t i = 0; i < whole.results().size(); ++i) {
    const bool over_time = whole.results()[i] == &whole.dw || whole.results()[i] == &whole.du;
    if (over_time && cut % lstm_block_steps(s.rows) != 0) continue;
    EXPECT_TRUE(same_bits(*whole.results()[i], *cut_up.results()[i]))
        << result_names[i] << " cut at " << cut << ", " << print(s);
  }
}

TEST(LstmInBfloat16, CutsOfTimeGiveTheSameBitsAndBetweenBlocksTheSameSumsOverTime) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    for (bool backwards : {false, true}) {
      for (Index cut : {1, 7, 20, 32, 64, 119}) {
        expect_same_in_pieces(in_bf16(sizes(120, 5, 7, 19, backwards)), cut);
      }
      for (Index cut : {64, 128}) {
        expect_same_in_pieces(in_bf16(sizes(150, 4, 33, 48, backwards)), cut);
      }
    }
  }
}

TEST(LstmInBfloat16, WithoutKeptGatesGivesTheSameAndCarriesItsStateInPlace) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    Case<float> whole(in_bf16(sizes(12, 3, 5, 19)), {.mask = true});
    whole.forward();
    Buffer<float> y(whole.y.size()), c = whole.c0;
    const Index row = 3 * 19;
    for (Index t = 0; t < 12; t += 4) {
      lstm_forward(in_bf16(sizes(4, 3, 5, 19)),
                   {.x = whole.x.data() + t * 3 * 5,
                    .packed = whole.packed.data(),
                    .h0 = t ? y.data() + (t - 1) * row : whole.h0.data(),
                    .c0 = c.data(),
                    .y = y.data() + t * row,
                    .c = c.data(),
                    .scratch = whole.scratch.data(),
                    .mask = whole.mask.data() + t * 3});
    }
    EXPECT_TRUE(same_bits(y, whole.y));
    EXPECT_EQ(std::memcmp(c.data(), whole.c.data() + 11 * row, static_cast<std::size_t>(row) * 4),
              0);
  }
}

TEST(LstmInBfloat16, ASkippedStepCountsNowhere) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    for (bool backwards : {false, true}) {
      Case<float> a(in_bf16(sizes(70, 6, 5, 19, backwards)), {.mask = true}), b(a.s, a.given);
      for (Index i = 0; i < b.x.size(); ++i) {
        if (b.mask[i / 5] == 0) b.x[i] = 1e6f;
      }
      a.run(), b.run();
      for (std::size_t i = 0; i < a.results().size(); ++i) {
        EXPECT_TRUE(same_bits(*a.results()[i], *b.results()[i])) << result_names[i];
      }
      for (Index row = 0; row < 70 * 6; ++row) {
        const Index before = row + (backwards ? 6 : -6);
        if (a.mask[row] != 0 || before < 0 || before >= 70 * 6) continue;
        for (Index unit = 0; unit < 19; ++unit) {
          EXPECT_EQ(a.y[row * 19 + unit], a.y[before * 19 + unit]);
          EXPECT_EQ(a.c[row * 19 + unit], a.c[before * 19 + unit]);
        }
        for (Index channel = 0; channel < 5; ++channel) EXPECT_EQ(a.dx[row * 5 + channel], 0);
      }
    }
  }
}

TEST(LstmInBfloat16, ANumberThatIsNoneStaysInItsRow) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    Case<float> good(in_bf16(sizes(9, 5, 5, 19))), bad(good.s);
    bad.x[(4 * 5 + 2) * 5] = NAN;  // step 4 of row 2
    good.run(), bad.run();
    for (Index i = 0; i < good.y.size(); ++i) {
      const bool of_it = i / 19 % 5 == 2 && i / 19 / 5 >= 4;
      EXPECT_EQ(std::isnan(bad.y[i]), of_it) << i;
      if (!of_it) {
        EXPECT_EQ(bad.y[i], good.y[i]) << i;
      }
    }
  }
}

TEST(LstmInBfloat16, OtherFunctionsAndDropoutAreThoseOfTheReference) {
  for (Bf16 path : paths()) {
    const AtBf16 at(path);
    RecurrentSizes relu = sizes(5, 3, 4, 17);
    relu.activation = ActivationFunction::relu;
    for (const auto& [s, given] :
         {Named{relu, {}}, Named{sizes(5, 3, 4, 17), {.dropout_per_gate = true}}}) {
      Case<float> floats(s, given), halves(in_bf16(s), given);
      floats.run(), halves.run();
      for (std::size_t i = 0; i < floats.results().size(); ++i) {
        EXPECT_TRUE(same_bits(*floats.results()[i], *halves.results()[i])) << result_names[i];
      }
    }
  }
}

}  // namespace
}  // namespace sonde::kernels
