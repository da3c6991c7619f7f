#include "training/penalty.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sonde {
namespace {

using List = std::vector<float>;

List constrained(const Constraint& constraint, const Shape& shape, List w) {
  apply_constraint(constraint, shape, w.data());
  return w;
}

void expect_near(const List& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-6) << i;
}

// Keras 3.15.1: keras/src/constraints/constraints_test.py.
TEST(MaxNorm, agrees_with_keras) {
  const double third = 2 / std::sqrt(3.0);
  expect_near(constrained(MaxNorm{2.0}, {3, 4}, {0, 1, 3, 3, 0, 0, 0, 3, 0, 0, 0, 3}),
              {0, 1, 2, third, 0, 0, 0, third, 0, 0, 0, third});
}

TEST(MaxNorm, runs_over_the_axes_it_is_given) {
  expect_near(constrained(MaxNorm{1.0, 1}, {2, 2}, {3, 4, 0.3f, 0.4f}), {0.6, 0.8, 0.3, 0.4});
  expect_near(constrained(MaxNorm{1.0, -1}, {2, 2}, {3, 4, 0.3f, 0.4f}), {0.6, 0.8, 0.3, 0.4});
  // (taps, channels, filters): each filter has a norm over the first two.
  expect_near(constrained(MaxNorm{1.0, {0, 1}}, {2, 1, 2}, {3, 0, 4, 0.5f}), {0.6, 0, 0.8, 0.5});
  expect_near(constrained(MaxNorm{1.0}, {2}, {3, 4}), {0.6, 0.8});
}

TEST(UnitNorm, makes_norms_1) {
  expect_near(constrained(UnitNorm{}, {2, 2}, {3, 0, 4, 0.5f}), {0.6, 0, 0.8, 1});
}

TEST(NonNeg, makes_negative_weights_0) {
  EXPECT_EQ(constrained(NonNeg{}, {3}, {-1, 0, 2}), (List{0, 0, 2}));
}

TEST(MinMaxNorm, moves_norms_into_its_range) {
  const MinMaxNorm all{.min_value = 0.5, .max_value = 2},
      half{.min_value = 0.5, .max_value = 2, .rate = 0.5};
  expect_near(constrained(all, {1, 3}, {0.1f, 1, -4}), {0.5, 1, -2});
  expect_near(constrained(half, {1, 3}, {0.1f, 1, -4}), {0.3, 1, -3});
  expect_near(constrained(all, {1, 1}, {0}), {0});
}

TEST(Constraint, none_changes_nothing) {
  EXPECT_EQ(constrained({}, {3}, {-1, 0, 2}), (List{-1, 0, 2}));
}

std::string refusal(const Constraint& constraint, const Shape& shape) {
  try {
    check_constraint(constraint, shape, "dense/kernel");
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Constraint, that_cannot_be_met_is_refused) {
  EXPECT_EQ(refusal(MaxNorm{2, 0}, {3}), "");
  EXPECT_EQ(refusal(MaxNorm{2, 1}, {3}),
            "dense/kernel: axis 1 of its constraint is outside its shape (3,).");
  EXPECT_NE(refusal(UnitNorm{{0, -3}}, {3, 3}), "");
  EXPECT_NE(refusal(MaxNorm{-1}, {3}), "");
  EXPECT_NE(refusal(MaxNorm{NAN}, {3}), "");
  EXPECT_NE(refusal(MinMaxNorm{.min_value = 2, .max_value = 1}, {3}), "");
  EXPECT_NE(refusal(UnitNorm{}, {1, 1, 1, 1, 1, 1, 1, 1, 1}), "");
  EXPECT_EQ(refusal(NonNeg{}, {3}), "");
  EXPECT_EQ(refusal({}, {3}), "");
}

TEST(Constraint, comes_back_from_its_config) {
  for (const Constraint& constraint :
       {Constraint{}, Constraint(MaxNorm{3, {0, 1}}), Constraint(NonNeg{}), Constraint(UnitNorm{1}),
        Constraint(MinMaxNorm{.rate = 0.7})}) {
    Constraint back = NonNeg{};
    from_value(to_value(constraint), "kernel_constraint", back);
    EXPECT_EQ(back, constraint);
  }
  const Value config = to_value(Constraint(MaxNorm{}));
  EXPECT_EQ(*config.find("config")->find("axis"), Value(0))
      << "a single axis is a number, as in Keras";
}

TEST(Regularizer, adds_the_sum_of_its_penalties) {
  const List w{1, -2, 0, 0.5f};
  EXPECT_NEAR(penalty(L1{0.1}, w.data(), 4), 0.35, 1e-12);
  EXPECT_NEAR(penalty(L2{0.1}, w.data(), 4), 0.525, 1e-12);
  EXPECT_NEAR(penalty(L1L2{0.1, 0.2}, w.data(), 4), 0.35 + 1.05, 1e-12);
  EXPECT_EQ(penalty({}, w.data(), 4), 0);
}

TEST(Regularizer, gradient_agrees_with_central_differences) {
  const List w{1, -2, 0.25f, 0.5f};
  for (const Regularizer& regularizer :
       {Regularizer{}, Regularizer(L1{0.1}), Regularizer(L2{0.3}), Regularizer(L1L2{0.1, 0.2})}) {
    List g(4, 10.0f);
    add_penalty_gradient(regularizer, w.data(), 4, g.data());
    for (std::size_t i = 0; i < 4; ++i) {
      const float h = 0x1p-7f;  // exact in float next to these weights
      List up = w, down = w;
      up[i] += h;
      down[i] -= h;
      const double difference =
          (penalty(regularizer, up.data(), 4) - penalty(regularizer, down.data(), 4)) / (2 * h);
      EXPECT_NEAR(g[i] - 10, difference, 2e-6);
    }
  }
}

TEST(Regularizer, has_no_slope_at_0_as_in_keras) {
  const float zero = 0;
  float g = 0;
  add_penalty_gradient(L1L2{0.1, 0.2}, &zero, 1, &g);
  EXPECT_EQ(g, 0);
}

TEST(Regularizer, with_a_factor_that_is_negative_or_no_number_is_refused) {
  EXPECT_NO_THROW(check_regularizer(L1L2{0.1, 0.2}, "dense/kernel"));
  EXPECT_NO_THROW(check_regularizer({}, "dense/kernel"));
  EXPECT_THROW(check_regularizer(L1{-0.1}, "dense/kernel"), ArgumentError);
  EXPECT_THROW(check_regularizer(L2{NAN}, "dense/kernel"), ArgumentError);
  EXPECT_THROW(check_regularizer(L1L2{0, INFINITY}, "dense/kernel"), ArgumentError);
}

TEST(Regularizer, is_known_by_keras_names) {
  Regularizer read;
  from_value(Value("l1_l2"), "kernel_regularizer", read);
  EXPECT_EQ(read, Regularizer(L1L2{}));
  from_value(Value("l2"), "kernel_regularizer", read);
  EXPECT_EQ(read, Regularizer(L2{0.01}));
  from_value(Value(), "kernel_regularizer", read);
  EXPECT_EQ(read, Regularizer{});
}

}  // namespace
}  // namespace sonde
