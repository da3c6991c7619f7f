#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sonde/error.hpp>
#include <sonde/scores.hpp>

#include "tests/support/files.hpp"

// Expected scores are counted by hand.
namespace sonde {
namespace {

using List = std::vector<float>;

StepScores judged(Index classes, const List& predictions, const List& labels,
                  const List& weights = {}) {
  StepJudge judge(classes);
  judge.add(predictions, labels, weights);
  return judge.scores();
}

TEST(StepJudge, counts_two_classes_from_one_probability) {
  //   found: 1  0  1  1  0, with 0.5 itself a no
  const StepScores s = judged(2, {0.9f, 0.5f, 0.6f, 0.7f, 0.1f}, {1, 1, 0, 1, 0});
  EXPECT_EQ(s.steps, 5);
  EXPECT_EQ(s.confusion, (std::vector<std::vector<Index>>{{1, 1}, {1, 2}}));
  EXPECT_DOUBLE_EQ(s.accuracy, 3.0 / 5);
  EXPECT_DOUBLE_EQ(s.prevalence, 3.0 / 5);
  EXPECT_DOUBLE_EQ(s.classes[1].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(s.classes[1].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(s.classes[1].f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(s.classes[0].recall, 1.0 / 2);
  EXPECT_DOUBLE_EQ(s.balanced_accuracy, (1.0 / 2 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(s.macro_f1, (1.0 / 2 + 2.0 / 3) / 2);
}

TEST(StepJudge, area_under_the_curve_is_the_share_of_pairs_in_order_with_ties_half) {
  // Ones 0.9, 0.4; zeros 0.4, 0.1: of four pairs three are in order and one is tied.
  const StepScores s = judged(2, {0.9f, 0.4f, 0.4f, 0.1f}, {1, 1, 0, 0});
  EXPECT_DOUBLE_EQ(s.classes[1].auc, 3.5 / 4);
  EXPECT_DOUBLE_EQ(s.classes[0].auc, 3.5 / 4);
  EXPECT_DOUBLE_EQ(s.macro_auc, 3.5 / 4);
}

TEST(StepJudge, takes_the_largest_of_several_and_leaves_absent_classes_out_of_the_means) {
  // found: 0 1 0; class 2 neither occurs nor is found.
  const StepScores s = judged(3, {0.6f, 0.3f, 0.1f, 0.2f, 0.7f, 0.1f, 0.5f, 0.4f, 0.1f}, {0, 1, 1});
  EXPECT_DOUBLE_EQ(s.balanced_accuracy, (1 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(s.macro_f1, (2.0 / 3 + 2.0 / 3) / 2);
  EXPECT_TRUE(std::isnan(s.classes[2].auc));
  EXPECT_DOUBLE_EQ(s.macro_auc, 1);
}

TEST(StepJudge, adds_up_over_recordings_and_leaves_out_weight_0) {
  StepJudge judge(2);
  judge.add(List{0.9f, 0.2f}, List{1, 0});
  judge.add(List{0.9f, 0.2f, 0.3f}, List{0, std::numeric_limits<float>::quiet_NaN(), 1},
            List{0.1f, 0, 5});
  const StepScores s = judge.scores();
  EXPECT_EQ(s.confusion, (std::vector<std::vector<Index>>{{1, 1}, {1, 1}}));
}

TEST(StepJudge, without_any_step_is_no_number_and_no_crash) {
  const StepScores s = StepJudge(2).scores();
  EXPECT_EQ(s.steps, 0);
  EXPECT_EQ(s.accuracy, 0);
  EXPECT_TRUE(std::isnan(s.macro_auc));
}

TEST(StepJudge, refuses_what_does_not_fit) {
  using testing::refused_with;
  EXPECT_EQ(refused_with<ArgumentError>([] { StepJudge(1); }),
            "StepJudge: classes must be at least 2, got 1.");
  EXPECT_EQ(
      refused_with<DataError>([] {
        judged(3, {1, 0}, {0, 1});
      }),
      "StepJudge: 2 predictions for 2 labels of 3 classes. Give one number for each class and "
      "step.");
  EXPECT_EQ(refused_with<DataError>([] {
              judged(2, {1, 0}, {0, 1}, {1});
            }),
            "StepJudge: 1 weights for 2 labels.");
  for (const float label : {2.0f, -1.0f, 0.5f})
    EXPECT_PRED2(testing::says, refused_with<DataError>([&] {
                   judged(2, {1, 0}, {0, label});
                 }),
                 " of step 1 is no class number below 2.");
}

TEST(ConfusionTable, has_labels_down_and_predictions_across) {
  const StepScores s = judged(2, {0.9f, 0.5f, 0.6f}, {1, 1, 0});
  EXPECT_EQ(confusion_table(s, {"rest", "beat"}),
            " label \\ found      rest      beat    recall\n"
            "          rest         0         1     0.000\n"
            "          beat         1         1     0.500\n");
}

}  // namespace
}  // namespace sonde
