#include <cmath>
#include <limits>

#include "tests/training/loss_case.hpp"

namespace sonde {
namespace {

using testing::Case;
using testing::class_p;
using testing::class_z;
using testing::List;
using testing::one_hot;
using testing::wide_pred;
using testing::wide_true;

// Expected numbers from here to the next mark: Keras 3.15.1, keras/src/losses/losses_test.py.

TEST(MeanAbsolutePercentageError, agrees_with_keras) {
  const MeanAbsolutePercentageError mape;
  EXPECT_NEAR((Case{mape, wide_pred, wide_true, 3}.reduced()), 211.8518, 1e-3);
  EXPECT_NEAR((Case{mape, wide_pred, wide_true, 3, {1.2, 3.4}}.reduced()), 422.8888, 1e-3);
  EXPECT_NEAR((Case{mape, wide_pred, wide_true, 1, {3, 6, 5, 0, 4, 2}}.reduced()), 694.4444, 1e-3);
}

TEST(MeanSquaredLogarithmicError, agrees_with_keras) {
  const MeanSquaredLogarithmicError msle;
  EXPECT_NEAR((Case{msle, wide_pred, wide_true, 3}.reduced()), 1.4370, 1e-4);
  EXPECT_NEAR((Case{msle, wide_pred, wide_true, 3, {1.2, 3.4}}.reduced()), 3.7856, 1e-4);
}

TEST(Hinges, agree_with_keras) {
  const List y{0.6, 0.4, 0.4, 0.6}, t{0, 1, 0, 0};
  EXPECT_NEAR((Case{Hinge{}, y, t, 2}.reduced()), 1.3, 1e-6);
  EXPECT_NEAR((Case{Hinge{}, y, t, 2, {1, 0}}.reduced()), 0.55, 1e-6);
  EXPECT_NEAR((Case{Hinge{}, y, {-1, 1, -1, -1}, 2}.reduced()), 1.3, 1e-6);
  EXPECT_NEAR((Case{SquaredHinge{}, y, t, 2}.reduced()), 1.86, 1e-6);
  EXPECT_NEAR((Case{SquaredHinge{Reduction::sum}, y, t, 2}.reduced()), 3.72, 1e-5);
  EXPECT_NEAR((Case{CategoricalHinge{}, y, t, 2}.reduced()), 1.4, 1e-6);
  EXPECT_NEAR((Case{CategoricalHinge{}, y, t, 2, {1, 0}}.reduced()), 0.6, 1e-6);
}

TEST(BinaryFocalCrossentropy, agrees_with_keras) {
  const BinaryFocalCrossentropy p, z{.gamma = 3.0, .from_logits = true};
  const List yes{1, 0, 1, 0}, py{0.9, 0.8, 0.7, 0.2};
  const List t{1, 1, 0, 0, 1, 0}, logits{1.5, -2.7, 2.9, -3.8, 1.2, -4.5};
  EXPECT_NEAR((Case{p, py, yes, 2}.reduced()), (0.515547 + 0.020513) / 2, 1e-6);
  EXPECT_NEAR((Case{p, py, yes, 2, {1.2, 3.4}}.reduced()), 0.34415, 1e-3);
  EXPECT_NEAR((Case{z, logits, t, 3}.reduced()), 0.799, 1e-3);
  EXPECT_NEAR((Case{z, logits, t, 3, {1.2, 3.4}}.reduced()), 0.95977, 1e-3);
}

TEST(CategoricalFocalCrossentropy, agrees_with_keras) {
  const CategoricalFocalCrossentropy p, z{.from_logits = true};
  EXPECT_NEAR((Case{p, class_p, one_hot, 3}.reduced()), 0.02059, 1e-5);
  EXPECT_NEAR((Case{p, class_p, one_hot, 3, {1.2, 3.4, 5.6}}.reduced()), 0.06987, 1e-5);
  EXPECT_NEAR((Case{z, class_z, one_hot, 3}.reduced()), 1.0360638e-03 / 3, 1e-7);
  EXPECT_NEAR((Case{z, class_z, one_hot, 3, {1.2, 3.4, 5.6}}.reduced()), 0.001933, 1e-5);
  const CategoricalFocalCrossentropy smooth{.from_logits = true, .label_smoothing = 0.1};
  EXPECT_NEAR((Case{smooth, {4.9, -0.5, 2.05}, {1, 0, 0}, 3}.reduced()), 0.06685, 1e-5);
}
// End of the numbers from losses_test.py.

TEST(Loss, none_hides_nan_and_none_looks_at_a_step_of_weight_0) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Loss& loss :
       {Loss(MeanAbsolutePercentageError{}), Loss(MeanSquaredLogarithmicError{}), Loss(LogCosh{}),
        Loss(Poisson{}), Loss(CosineSimilarity{}), Loss(KLDivergence{}), Loss(Hinge{}),
        Loss(SquaredHinge{}), Loss(CategoricalHinge{}), Loss(BinaryFocalCrossentropy{}),
        Loss(CategoricalFocalCrossentropy{}), Loss(Dice{}), Loss(Tversky{})})
    for (const Head head : {Head::values, Head::sigmoid, Head::softmax}) {
      EXPECT_TRUE(std::isnan((Case{loss, {nan, 0.5}, {1, 0}, 2, {}, head}.sum<float>())))
          << name_of(loss);
      const Case c{loss, {nan, nan, 0.4, 0.6}, {nan, nan, 0, 1}, 2, {0, 1}, head};
      std::vector<float> dy;
      EXPECT_TRUE(std::isfinite(c.sum<float>(1, &dy))) << name_of(loss);
      EXPECT_EQ(dy[0], 0) << name_of(loss);
      EXPECT_EQ(dy[1], 0) << name_of(loss);
      EXPECT_TRUE(std::isfinite(dy[2]) && dy[2] != 0) << name_of(loss);
    }
}

}  // namespace
}  // namespace sonde
