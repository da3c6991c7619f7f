#include "training/target.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace sonde {
namespace {

bool fits(const Loss& loss, const Shape& output, const Shape& target) {
  return target_mismatch(loss, output, target).empty();
}

TEST(Target, has_a_number_for_each_number_of_the_output) {
  for (const Loss& loss : {Loss(BinaryCrossentropy{}), Loss(MeanSquaredError{}),
                           Loss(MeanAbsoluteError{}), Loss(Huber{})}) {
    EXPECT_TRUE(fits(loss, {400, 1}, {400, 1}));
    EXPECT_TRUE(fits(loss, {400, 1}, {400}));  // Keras repairs a missing 1 at the end
    EXPECT_TRUE(fits(loss, {400}, {400, 1}));
    EXPECT_TRUE(fits(loss, {1}, Shape{}));
    EXPECT_TRUE(fits(loss, {dynamic, 1}, {400, 1}));
    EXPECT_TRUE(fits(loss, {400, 3}, {400, 3}));
    // Keras: silent broadcasts for mse and mae (keras.md, section 4).
    EXPECT_FALSE(fits(loss, {1}, {400, 1}));
    EXPECT_FALSE(fits(loss, {1}, {400}));
    EXPECT_FALSE(fits(loss, {400, 1}, {1}));
    EXPECT_FALSE(fits(loss, {400, 1}, {1, 1}));
    EXPECT_FALSE(fits(loss, {400, 1}, Shape{}));
    EXPECT_FALSE(fits(loss, {393, 1}, {400, 1}));
    EXPECT_FALSE(fits(loss, {400, 3}, {400, 1}));
    EXPECT_FALSE(fits(loss, {400, 1}, {400, 3}));
    EXPECT_FALSE(fits(loss, {400, 3}, {400}));
  }
}

TEST(Target, of_a_categorical_loss_is_one_hot) {
  const CategoricalCrossentropy loss;
  EXPECT_TRUE(fits(loss, {400, 3}, {400, 3}));
  EXPECT_FALSE(fits(loss, {400, 3}, {400, 4}));
  EXPECT_NE(target_mismatch(loss, {400, 3}, {400}).find("Use SparseCategoricalCrossentropy"),
            std::string::npos);
  EXPECT_NE(target_mismatch(loss, {400, 1}, {400, 1}).find("at least 2"), std::string::npos);
}

TEST(Target, of_a_sparse_loss_is_class_numbers) {
  const SparseCategoricalCrossentropy loss;
  EXPECT_TRUE(fits(loss, {400, 3}, {400}));
  EXPECT_TRUE(fits(loss, {400, 3}, {400, 1}));
  EXPECT_TRUE(fits(loss, {3}, Shape{}));
  EXPECT_TRUE(fits(loss, {3}, {1}));
  EXPECT_FALSE(fits(loss, {3}, {400}));
  EXPECT_NE(target_mismatch(loss, {400, 3}, {400, 3}).find("Use CategoricalCrossentropy"),
            std::string::npos);
  EXPECT_NE(target_mismatch(loss, {400, 1}, {400, 1}).find("Use BinaryCrossentropy"),
            std::string::npos);
  EXPECT_EQ(target_width(loss, 3), 1);
  EXPECT_EQ(target_width(BinaryCrossentropy{}, 3), 3);
}

TEST(Target, that_does_not_fit_is_refused_with_both_shapes) {
  try {
    check_target(MeanSquaredError{}, {1}, {400, 1}, "Dense \"dense\"");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(
        error.what(),
        "Dense \"dense\": targets of shape (None, 400, 1) do not fit its output (None, 1): "
        "mean_squared_error needs one target number for each output number. Nothing is "
        "repeated to make them fit.");
  }
  EXPECT_NO_THROW(check_target(MeanSquaredError{}, {400, 1}, {400, 1}, "Dense \"dense\""));
}

std::string wrong(const Loss& loss, Index width, const Shape& shape, std::vector<float> labels,
                  std::vector<float> weights = {}) {
  try {
    check_labels(loss, width, shape, labels, weights, "y");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Labels, outside_their_range_are_found_and_located) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(wrong(BinaryCrossentropy{}, 1, {2, 2, 1}, {0, 1, 0.5f, 1}), "");
  EXPECT_EQ(
      wrong(BinaryCrossentropy{}, 1, {2, 2, 1}, {0, 1, 2, 1}),
      "y: the label at (1, 0, 0) is 2; binary_crossentropy needs numbers in [0, 1]. For class "
      "numbers use SparseCategoricalCrossentropy and a softmax over as many units as there "
      "are classes.");
  EXPECT_NE(wrong(BinaryCrossentropy{}, 1, {1}, {-1}), "");
  EXPECT_NE(wrong(BinaryCrossentropy{}, 1, {1}, {nan}), "");
  EXPECT_NE(wrong(CategoricalCrossentropy{}, 2, {1, 2}, {0, 2}), "");
  EXPECT_EQ(wrong(CategoricalCrossentropy{}, 2, {1, 2}, {0, 1}), "");
  EXPECT_EQ(wrong(MeanSquaredError{}, 1, {2}, {-5, 1e30f}), "");
  EXPECT_NE(wrong(MeanSquaredError{}, 1, {2}, {0, nan}).find("at (1,) is nan"), std::string::npos);
  EXPECT_NE(wrong(Huber{}, 1, {1}, {std::numeric_limits<float>::infinity()}), "");
}

TEST(Labels, of_a_sparse_loss_are_whole_class_numbers) {
  const SparseCategoricalCrossentropy plain, ignoring{.ignore_class = -1};
  EXPECT_EQ(wrong(plain, 3, {1, 3}, {0, 1, 2}), "");
  EXPECT_NE(wrong(plain, 3, {1, 3}, {0, 1, 3}).find("at (2,) is 3"), std::string::npos);
  EXPECT_NE(wrong(plain, 3, {1}, {-1}), "");
  EXPECT_NE(wrong(plain, 3, {1}, {0.5f}), "");
  EXPECT_EQ(wrong(ignoring, 3, {2}, {-1, 2}), "");
  EXPECT_NE(wrong(ignoring, 3, {1}, {-2}), "");
}

TEST(Labels, are_what_each_loss_can_use) {
  const auto refused = [](const Loss& loss, Index width, float label) {
    return !label_refusal(loss, width, {1, 1}, 0, label).empty();
  };
  for (const Loss& loss : {Loss(BinaryFocalCrossentropy{}), Loss(Dice{}), Loss(Tversky{})}) {
    EXPECT_TRUE(refused(loss, 1, 2)) << name_of(loss);
    EXPECT_FALSE(refused(loss, 1, 0.5f)) << name_of(loss);
  }
  for (const Loss& loss : {Loss(CategoricalFocalCrossentropy{}), Loss(KLDivergence{})})
    EXPECT_TRUE(refused(loss, 3, 2)) << name_of(loss);
  EXPECT_FALSE(refused(Hinge{}, 1, -1));
  EXPECT_TRUE(refused(Hinge{}, 1, 0.5f));
  EXPECT_TRUE(refused(SquaredHinge{}, 1, 2));
  EXPECT_TRUE(refused(Poisson{}, 1, -1));
  EXPECT_FALSE(refused(Poisson{}, 1, 7));
  EXPECT_TRUE(refused(MeanSquaredLogarithmicError{}, 1, -0.5f));
  EXPECT_EQ(label_refusal(MeanAbsolutePercentageError{}, 1, {1, 1}, 0, 0),
            "the label at (0,) is 0; mean_absolute_percentage_error needs numbers other than 0, of "
            "which a part can be told. MeanAbsoluteError takes any.");
  EXPECT_FALSE(refused(LogCosh{}, 1, 0));
}

TEST(Target, of_classes_is_never_repeated_over_units) {
  EXPECT_NE(target_mismatch(Dice{}, {400, 4}, {400, 1}), "");
  EXPECT_EQ(target_mismatch(Dice{}, {400, 4}, {400, 4}), "");
  EXPECT_EQ(target_mismatch(Dice{}, {400, 1}, {400}), "");
  EXPECT_NE(target_mismatch(CategoricalFocalCrossentropy{}, {400, 4}, {400, 1}), "");
  EXPECT_NE(target_mismatch(KLDivergence{}, {400, 1}, {400, 1}), "") << "one class says nothing";
}

TEST(Labels, with_weight_0_are_not_looked_at) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(wrong(BinaryCrossentropy{}, 2, {2, 2}, {nan, 9, 0, 1}, {0, 1}), "");
  EXPECT_NE(wrong(BinaryCrossentropy{}, 2, {2, 2}, {nan, 9, 0, 7}, {0, 1}), "");
  EXPECT_EQ(wrong(SparseCategoricalCrossentropy{}, 2, {2}, {7, 0}, {0, 1}), "");
}

}  // namespace
}  // namespace sonde
