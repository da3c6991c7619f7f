#include "graph/initialize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"

namespace sonde {
namespace {

std::vector<float> made(const Initializer& initializer, const Shape& shape, std::uint64_t seed = 1,
                        std::string_view name = "w") {
  std::vector<float> out(static_cast<std::size_t>(shape.elements()));
  initialize(initializer, shape, seed, name, out);
  return out;
}

double deviation(const std::vector<float>& w) {
  double sum = 0, squares = 0;
  for (const float x : w) {
    sum += x;
    squares += double{x} * x;
  }
  const double mean = sum / static_cast<double>(w.size());
  EXPECT_NEAR(mean, 0, 4 * std::sqrt(squares) / static_cast<double>(w.size()));
  return std::sqrt(squares / static_cast<double>(w.size()) - mean * mean);
}

double largest(const std::vector<float>& w) {
  double most = 0;
  for (const float x : w) most = std::max(most, std::abs(double{x}));
  return most;
}

std::string refusal(const Initializer& initializer, const Shape& shape) {
  try {
    made(initializer, shape);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Initialize, fans_follow_keras) {
  const auto expect = [](const Shape& shape, double in, double out) {
    const Fans f = fans(shape, {}, {}, "w");
    EXPECT_EQ(f.in, in) << to_string(shape);
    EXPECT_EQ(f.out, out) << to_string(shape);
  };
  expect(Shape{}, 1, 1);
  expect({7}, 7, 7);
  expect({16, 128}, 16, 128);     // a dense or LSTM kernel
  expect({8, 16, 32}, 128, 256);  // Conv1D: taps, channels, filters
  expect({1, 5, 3, 4}, 15, 20);   // Conv2D
}

TEST(Initialize, fan_axes_win_over_the_rule_only_together) {
  const FanAxes in = {{0, 1}}, out = {{-1}};
  const Fans f = fans({8, 16, 32}, in, out, "w");
  EXPECT_EQ(f.in, 128);
  EXPECT_EQ(f.out, 32);
  EXPECT_EQ(fans({8, 16, 32}, in, {}, "w").out, 256);
  EXPECT_NE(
      refusal(GlorotUniform{.input_axes = {{3}}, .output_axes = {{0}}}, {2, 3}).find("axis 3"),
      std::string::npos);
}

TEST(Initialize, glorot_uniform_of_a_convolution_has_its_limit) {
  const auto w = made(GlorotUniform{}, {8, 16, 32});
  const double limit = std::sqrt(6.0 / (128 + 256));
  EXPECT_LE(largest(w), limit);
  EXPECT_GT(largest(w), 0.99 * limit);
  EXPECT_NEAR(deviation(w), limit / std::sqrt(3.0), 0.02 * limit);
}

TEST(Initialize, each_scaled_initializer_has_its_variance) {
  const Shape shape{100, 60};
  const auto expect = [&](const Initializer& initializer, double variance, double cut) {
    const auto w = made(initializer, shape);
    const double sd = std::sqrt(variance);
    EXPECT_NEAR(deviation(w), sd, 0.04 * sd) << initializer.index();
    EXPECT_LE(largest(w), cut * sd * (1 + 1e-6)) << initializer.index();
    EXPECT_GT(largest(w), 0.97 * cut * sd) << initializer.index();
  };
  const double uniform_cut = std::sqrt(3.0), normal_cut = 2 / 0.87962566103423978;
  expect(GlorotUniform{}, 2.0 / 160, uniform_cut);
  expect(GlorotNormal{}, 2.0 / 160, normal_cut);
  expect(HeUniform{}, 2.0 / 100, uniform_cut);
  expect(HeNormal{}, 2.0 / 100, normal_cut);
  expect(LecunUniform{}, 1.0 / 100, uniform_cut);
  expect(LecunNormal{}, 1.0 / 100, normal_cut);
  expect(VarianceScaling{.scale = 3, .mode = FanMode::fan_out}, 3.0 / 60, normal_cut);
  expect(VarianceScaling{.distribution = Distribution::normal}, 1.0 / 100, normal_cut);
  expect(RandomUniform{}, 0.05 * 0.05 / 3, uniform_cut);
  expect(TruncatedNormal{.stddev = 0.1}, std::pow(0.1 * 0.87962566103423978, 2), normal_cut);
}

TEST(Initialize, untruncated_normals_go_beyond_two_deviations) {
  const auto w = made(RandomNormal{.stddev = 0.5}, {100, 60});
  EXPECT_NEAR(deviation(w), 0.5, 0.02);
  EXPECT_GT(largest(w), 1.5);
  const auto v = made(VarianceScaling{.distribution = Distribution::untruncated_normal}, {100, 60});
  EXPECT_NEAR(deviation(v), 0.1, 0.004);
  EXPECT_GT(largest(v), 0.3);
}

TEST(Initialize, orthogonal_makes_orthonormal_rows_or_columns) {
  for (const Shape& shape : {Shape{32, 128}, Shape{128, 32}, Shape{7, 7}, Shape{1, 5}, Shape{5, 1},
                             Shape{1, 1}, Shape{3, 4, 8}, Shape{2, 2, 31}}) {
    const auto w = made(Orthogonal{.gain = 3}, shape);
    const Index columns = shape.last(), rows = shape.elements() / columns;
    const bool wide = rows < columns;
    const Index count = std::min(rows, columns), n = std::max(rows, columns);
    const auto at = [&](Index vector, Index i) {
      const Index place = wide ? vector * columns + i : i * columns + vector;
      return double{w[static_cast<std::size_t>(place)]} / 3;
    };
    for (Index a = 0; a < count; ++a)
      for (Index b = 0; b <= a; ++b) {
        double sum = 0;
        for (Index i = 0; i < n; ++i) sum += at(a, i) * at(b, i);
        EXPECT_NEAR(sum, a == b, 3e-7) << to_string(shape);
      }
  }
}

// Keras multiplies the columns of Q by sign(diag R): then Qᵀ A is upper triangular with a positive
// diagonal, for the matrix A of draws, and that makes Q unique.
TEST(Initialize, orthogonal_follows_the_sign_rule) {
  const Index n = 9, count = 5;
  const auto q = made(Orthogonal{}, {n, count}, 3, "recurrent");
  for (Index row = 0; row < count; ++row)
    for (Index column = 0; column <= row; ++column) {
      double r = 0;
      for (Index i = 0; i < n; ++i)
        r += q[static_cast<std::size_t>(i * count + row)] *
             normal(random_key(3, "recurrent"), static_cast<std::uint64_t>(i * count + column));
      if (column < row) EXPECT_NEAR(r, 0, 1e-6);
      else EXPECT_GT(r, 0.01);
    }
}

TEST(Initialize, the_plain_ones_are_plain) {
  EXPECT_EQ(made(Zeros{}, {3}), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(made(Ones{}, {2}), (std::vector<float>{1, 1}));
  EXPECT_EQ(made(Constant{0.25}, {2}), (std::vector<float>{0.25, 0.25}));
  EXPECT_EQ(made(IdentityMatrix{2}, {2, 3}), (std::vector<float>{2, 0, 0, 0, 2, 0}));
  EXPECT_TRUE(made(GlorotUniform{}, {0, 4}).empty());
  EXPECT_TRUE(made(Orthogonal{}, {4, 0}).empty());
}

TEST(Initialize, values_depend_on_seed_and_name_and_not_on_the_seed_argument) {
  const auto w = made(GlorotUniform{}, {4, 4}, 1, "a");
  EXPECT_EQ(w, made(GlorotUniform{.seed = 99}, {4, 4}, 1, "a"));
  EXPECT_NE(w, made(GlorotUniform{}, {4, 4}, 2, "a"));
  EXPECT_NE(w, made(GlorotUniform{}, {4, 4}, 1, "b"));
}

TEST(Initialize, refuses_what_cannot_be_filled) {
  EXPECT_EQ(refusal(Orthogonal{}, {7}),
            "Weight \"w\": Orthogonal needs at least two axes, got shape (7,). Use GlorotUniform.");
  EXPECT_EQ(refusal(IdentityMatrix{}, {2, 2, 2}),
            "Weight \"w\": Identity fills matrices only, got shape (2, 2, 2).");
  EXPECT_EQ(refusal(VarianceScaling{.scale = 0}, {2, 2}),
            "Weight \"w\": VarianceScaling needs a positive scale, got 0.");
  EXPECT_NE(refusal(VarianceScaling{.scale = NAN}, {2, 2}), "");
  EXPECT_NE(refusal(RandomNormal{.stddev = -1}, {2, 2}), "");
  EXPECT_NE(refusal(TruncatedNormal{.stddev = INFINITY}, {2, 2}), "");
  EXPECT_NE(refusal(RandomUniform{.minval = 1, .maxval = 0}, {2, 2}), "");
  EXPECT_NE(refusal(RandomUniform{.minval = NAN}, {2, 2}), "");
}

TEST(Initializers, come_back_from_their_config) {
  const Initializer all[] = {GlorotUniform{.seed = 4},
                             HeNormal{.input_axes = {{0}}, .output_axes = {{1, 2}}},
                             Orthogonal{.gain = 0.3},
                             RandomUniform{.minval = -0.1},
                             VarianceScaling{.mode = FanMode::fan_avg},
                             Zeros{},
                             Constant{0.01},
                             IdentityMatrix{}};
  for (const Initializer& one : all) {
    Initializer back;
    from_value(to_value(one), "kernel_initializer", back);
    EXPECT_EQ(back, one);
  }
}

TEST(Initializers, are_known_by_keras_names) {
  Initializer read;
  from_value(Value("he_normal"), "kernel_initializer", read);
  EXPECT_EQ(read, Initializer(HeNormal{}));
  from_value(Value("zeros"), "kernel_initializer", read);
  EXPECT_EQ(read, Initializer(Zeros{}));
  EXPECT_THROW(from_value(Value("he_norml"), "kernel_initializer", read), ArgumentError);
}

}  // namespace
}  // namespace sonde
