#include <gtest/gtest.h>

#include <cmath>
#include <sonde/error.hpp>
#include <sonde/report.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

// What is expected follows by hand from the ranking 0.9+ 0.8- 0.7+ 0.7- 0.2-.
const std::vector<float> probabilities = {0.7f, 0.2f, 0.9f, 0.7f, 0.8f};
const std::vector<float> labels = {1, 0, 1, 0, 0};

TEST(ClassCurves, are_exact_over_all_different_probabilities) {
  const ClassCurve curve = class_curves(probabilities, labels, {}, 2).at(1);
  EXPECT_EQ(curve.positives, 2);
  EXPECT_EQ(curve.negatives, 3);
  // Pairs won: 0.9 beats three, 0.7 beats one and ties with one.
  EXPECT_DOUBLE_EQ(curve.auc, 4.5 / 6);
  EXPECT_DOUBLE_EQ(curve.average_precision, 0.5 * 1 + 0.5 * 0.5);
  ASSERT_EQ(curve.points.size(), 5u);
  EXPECT_TRUE(std::isinf(curve.points[0].threshold));
  EXPECT_EQ(curve.points[0].precision, 1);
  const CurvePoint third{static_cast<double>(0.7f), 1, 2.0 / 3, 0.5};
  EXPECT_EQ(curve.points[3], third);
  EXPECT_EQ(curve.points[4].false_positive_rate, 1);
}

TEST(ClassCurves, of_one_output_are_those_of_two) {
  std::vector<float> two;
  for (const float p : probabilities) two.insert(two.end(), {1 - p, p});
  const auto a = class_curves(probabilities, labels, {}, 2), b = class_curves(two, labels, {}, 2);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_DOUBLE_EQ(a[k].auc, b[k].auc);
    EXPECT_EQ(a[k].points, b[k].points);
  }
}

TEST(ClassCurves, steps_of_weight_0_count_nowhere) {
  const std::vector<float> weights = {1, 1, 1, 1, 0};
  const ClassCurve curve = class_curves(probabilities, labels, weights, 2).at(1);
  EXPECT_EQ(curve.negatives, 2);
  EXPECT_DOUBLE_EQ(curve.auc, 3.5 / 4);
}

TEST(ClassCurves, are_thinned_for_drawing_and_keep_their_areas) {
  std::vector<float> p, y;
  std::uint32_t state = 3;
  for (int i = 0; i < 50'000; ++i) {
    state = state * 1664525 + 1013904223;
    y.push_back(static_cast<float>(i % 3 == 0));
    p.push_back(static_cast<float>(state >> 8) / 16777216 * (y.back() > 0 ? 1.0f : 0.8f));
  }
  const ClassCurve fine = class_curves(p, y, {}, 2, 10'000'000).at(1);
  const ClassCurve thin = class_curves(p, y, {}, 2, 100).at(1);
  EXPECT_GT(fine.points.size(), 10'000u);
  EXPECT_LT(thin.points.size(), 800u);
  EXPECT_EQ(fine.auc, thin.auc);
  // Every exact point lies near the thin line: between two of its points in both axes.
  std::size_t next = 1;
  for (const CurvePoint& point : fine.points) {
    while (next + 1 < thin.points.size() && thin.points[next].threshold > point.threshold) ++next;
    EXPECT_LE(thin.points[next - 1].recall, point.recall + 1e-12);
    EXPECT_GE(thin.points[next].recall, point.recall - 0.0101);
    EXPECT_GE(thin.points[next].false_positive_rate, point.false_positive_rate - 0.0101);
  }
}

TEST(ClassCurves, without_one_kind_of_steps_have_no_area) {
  const std::vector<float> ones = {1, 1}, p = {0.3f, 0.4f};
  EXPECT_TRUE(std::isnan(class_curves(p, ones, {}, 2).at(1).auc));
  EXPECT_TRUE(std::isnan(class_curves(p, ones, {}, 2).at(0).average_precision));
  EXPECT_EQ(class_curves({}, {}, {}, 3).size(), 3u);
}

TEST(ClassCurves, refuse_what_does_not_fit) {
  const std::vector<float> p = {0.3f, 0.4f, 0.1f};
  EXPECT_PRED2(says, refused_with<DataError>([&] { class_curves(p, labels, {}, 2); }),
               "3 probabilities for 5 labels");
  EXPECT_PRED2(says, refused_with<DataError>([&] {
                 class_curves(p, std::vector<float>{0, 1, 7}, {}, 2);
               }),
               "label 7 of step 2");
  EXPECT_PRED2(says, refused_with<DataError>([&] {
                 class_curves(std::vector<float>{NAN}, std::vector<float>{1}, {}, 2);
               }),
               "probability of step 0 is NaN");
}

}  // namespace
}  // namespace sonde
