#include <gtest/gtest.h>

#include <cmath>
#include <sonde/judge.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

/// "..11.2" → a recording with these labels at 10 steps a second; "?" is unlabelled.
Recording recording(std::string_view text, const std::string& name, const std::string& group = "") {
  const auto steps = static_cast<Index>(text.size());
  Recording found{.name = name,
                  .signal = Array({steps, 1}),
                  .labels = Array({steps, 1}),
                  .weights = Array({steps}),
                  .frequency = 10,
                  .channels = {"a"},
                  .group = group};
  for (Index t = 0; t < steps; ++t) {
    const char c = text[static_cast<std::size_t>(t)];
    found.labels(t, 0) = c >= '0' && c <= '9' ? static_cast<float>(c - '0') : 0;
    found.weights(t) = c == '?' ? 0.0f : 1.0f;
  }
  return found;
}

std::vector<Index> labels(std::string_view text) {
  std::vector<Index> numbers;
  for (const char c : text) numbers.push_back(c == '.' ? 0 : c - '0');
  return numbers;
}

/// Probability 0.8 for the predicted class, the rest shared out.
Array sure(std::string_view text, Index classes) {
  Array p({static_cast<Index>(text.size()), classes});
  const std::vector<Index> predicted = labels(text);
  for (Index t = 0; t < p.shape()[0]; ++t)
    for (Index k = 0; k < classes; ++k)
      p(t, k) = k == predicted[static_cast<std::size_t>(t)]
                    ? 0.8f
                    : 0.2f / static_cast<float>(classes - 1);
  return p;
}

/// Three recordings of two people.
RecordingJudge judged(const JudgeRules& rules = {}) {
  RecordingJudge judge(3, rules);
  judge.add(recording("..11..??22", "a1", "a"), sure("..111..122", 3), labels("..111..122"));
  judge.add(recording("111...2222", "b", "b"), sure("11.....222", 3), labels("11.....222"));
  judge.add(recording("..........", "a2", "a"), sure("......2...", 3), labels("......2..."));
  return judge;
}

// sklearn 1.x over the 28 labelled steps: accuracy_score, f1_score(average="macro"),
// balanced_accuracy_score.
TEST(RecordingJudge, scores_the_labelled_steps_of_all_recordings_together) {
  const JudgedRecording all = judged().all();
  EXPECT_EQ(all.steps.steps, 28);
  EXPECT_EQ(all.recordings, 3);
  EXPECT_DOUBLE_EQ(all.seconds, 2.8);
  // Of label 0: 15 right, one found as 1, one as 2. Of 1: 4 right, 1 as 0. Of 2: 5 right, 1 as 0.
  EXPECT_EQ(all.steps.confusion,
            (std::vector<std::vector<Index>>{{15, 1, 1}, {1, 4, 0}, {1, 0, 5}}));
  EXPECT_DOUBLE_EQ(all.steps.accuracy, 24.0 / 28);
  const auto figures = all.figures();
  EXPECT_DOUBLE_EQ(figures.at("macro_f1"), (30.0 / 34 + 8.0 / 10 + 10.0 / 12) / 3);
  EXPECT_DOUBLE_EQ(figures.at("balanced_accuracy"), (15.0 / 17 + 4.0 / 5 + 5.0 / 6) / 3);
  EXPECT_FALSE(figures.contains("f1"));  // of two classes only
  EXPECT_FALSE(std::isnan(all.steps.macro_auc));
  EXPECT_TRUE(std::isnan(judged().counts().steps.macro_auc));
}

TEST(RecordingJudge, counts_events_by_each_rule) {
  const JudgedRecording all =
      judged({.events = {EventRule::Kind::overlap, EventRule::Kind::iou}, .iou = 0.7}).all();
  // Marked: 11 and 22; 111 and 2222. Found: 111 and 22; 11, 222 and a 2 too many.
  const EventScore overlap = all.event_total(0), iou = all.event_total(1);
  EXPECT_EQ(overlap.marked, 4);
  EXPECT_EQ(overlap.found, 5);
  EXPECT_EQ(overlap.pairs, 4);
  EXPECT_EQ(iou.pairs, 2);  // 22 of 22, and 222 of 2222; 2 / 3 is below 0.7
  EXPECT_DOUBLE_EQ(overlap.false_alarms_per_hour(), 1 / (2.8 / 3600));
  EXPECT_DOUBLE_EQ(all.figures().at("event_f1"), 8.0 / 9);
  EXPECT_EQ(all.events[0][1].marked, 2);
  EXPECT_EQ(all.events[0][2].found, 3);
}

TEST(RecordingJudge, judges_boundaries_within_their_tolerance) {
  const JudgedRecording exact = judged({.boundary_tolerance = 0.01}).all();
  const JudgedRecording loose = judged({.boundary_tolerance = 0.1}).all();
  ASSERT_EQ(exact.boundaries.size(), 3u);
  EXPECT_LT(exact.boundaries[1].both.f1(), loose.boundaries[1].both.f1());
  EXPECT_EQ(loose.boundaries[1].offset.pairs, 2);  // one step off each
  EXPECT_FALSE(judged().all().figures().contains("boundary_f1"));
  EXPECT_DOUBLE_EQ(loose.figures().at("boundary_f1"),
                   (loose.boundaries[1].both.f1() + loose.boundaries[2].both.f1()) / 2);
}

TEST(RecordingJudge, every_class_is_an_event_where_none_is_the_background) {
  EXPECT_EQ(judged({.background = -1}).all().events[0][0].marked, 4);
}

TEST(RecordingJudge, sums_up_the_recordings_of_a_group) {
  const std::vector<JudgedRecording> groups = judged().groups();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].group, "a");
  EXPECT_EQ(groups[0].recordings, 2);
  EXPECT_EQ(groups[0].steps.steps, 18);
  EXPECT_EQ(groups[1].steps.steps, 10);
  EXPECT_EQ(groups[0].event_total(0).marked + groups[1].event_total(0).marked, 4);
}

// The log loss of probabilities that are 0.8 where the step was right and 0.1 where not.
TEST(RecordingJudge, knows_whether_probabilities_mean_what_they_say) {
  const RecordingJudge judge = judged();
  const double expected = -(24 * std::log(0.8) + 4 * std::log(0.1)) / 28;
  EXPECT_NEAR(judge.log_loss(), expected, 1e-6);
  EXPECT_NEAR(judge.calibration()->ece, 24.0 / 28 - 0.8, 1e-6);
}

TEST(RecordingJudge, two_classes_have_the_F1_of_the_second) {
  RecordingJudge judge(2);
  Array p({4, 1}, std::vector<float>{0.1f, 0.9f, 0.6f, 0.4f});
  judge.add(recording("..11", "a"), p, labels(".11."));
  EXPECT_DOUBLE_EQ(judge.all().figures().at("f1"), 0.5);
  EXPECT_DOUBLE_EQ(judge.all().steps.classes[1].auc, 0.5);  // 2 of 4 pairs are in order
}

TEST(RecordingJudge, folds_judged_apart_are_the_same_as_judged_together) {
  RecordingJudge first(3), second(3);
  first.add(recording("..11..??22", "a1", "a"), sure("..111..122", 3), labels("..111..122"));
  second.add(recording("111...2222", "b", "b"), sure("11.....222", 3), labels("11.....222"));
  second.add(recording("..........", "a2", "a"), sure("......2...", 3), labels("......2..."));
  first.add(second);
  EXPECT_EQ(first.all().figures(), judged().all().figures());
  EXPECT_EQ(first.all().steps.macro_auc, judged().all().steps.macro_auc);
  EXPECT_EQ(first.log_loss(), judged().log_loss());
}

TEST(RecordingJudge, intervals_hold_the_score_and_draw_groups_not_steps) {
  RecordingJudge judge(2, {.draws = 400});
  for (int g = 0; g < 12; ++g) {
    const std::string right = "..1111....", wrong = "......11..";
    judge.add(recording(right, std::to_string(g)), {}, labels(g % 4 == 0 ? wrong : right));
  }
  const auto intervals = judge.intervals();
  const double accuracy = judge.all().steps.accuracy;
  EXPECT_LT(intervals.at("accuracy").low, accuracy);
  EXPECT_GT(intervals.at("accuracy").high, accuracy);
  // A quarter of 12 groups has 60 % errors: the deviation over groups is 0.6 * sqrt(3/16 / 12).
  const double width = intervals.at("accuracy").high - intervals.at("accuracy").low;
  EXPECT_NEAR(width, 2 * 1.96 * 0.6 * std::sqrt(3.0 / 16 / 12), 0.08);
  EXPECT_EQ(intervals.at("macro_f1").low, judge.intervals().at("macro_f1").low);
  RecordingJudge one(2);
  one.add(recording("..1", "a"), {}, labels("..1"));
  EXPECT_TRUE(one.intervals().empty());
}

TEST(RecordingJudge, refuses_what_does_not_belong_together) {
  const auto refused = [](JudgeRules rules) {
    return refused_with<ArgumentError>([&] { RecordingJudge(3, rules); });
  };
  EXPECT_PRED2(says, refused({.iou = 0}), "evaluation: iou must be above 0 and at most 1, got 0");
  EXPECT_PRED2(says, refused({.collar = -1}), "collar must be at least 0");
  EXPECT_PRED2(says, refused({.boundary_tolerance = NAN}), "boundary_tolerance");
  EXPECT_PRED2(says, refused({.background = 3}), "background must be a class below 3");
  EXPECT_PRED2(says, refused({.level = 1}), "level must be between 0 and 1");
  RecordingJudge judge(2);
  const auto added = [&](const Recording& r, const Array& p, const std::vector<Index>& found) {
    return refused_with<DataError>([&] { judge.add(r, p, found); });
  };
  EXPECT_PRED2(says, added(recording("..1", "a"), {}, labels("..")), "do not belong together");
  EXPECT_PRED2(says, added(recording("..1", "a"), Array({3, 3}), labels("...")),
               "do not belong together");
  EXPECT_PRED2(
      says, added(recording("..2", "a"), {}, labels("...")),
      "recording \"a\": label 2 or predicted label 0 of step 2 is no class number below 2");
  EXPECT_TRUE(judge.recordings().empty());
}

TEST(PositionBaseline, says_what_is_most_frequent_at_each_step) {
  const std::vector<Recording> training = {recording("..11.", "a"), recording(".111.2", "b"),
                                           recording(".2?1.", "c")};
  const PositionBaseline baseline(training, 3);
  EXPECT_EQ(baseline.labels(5), labels("..11."));
  EXPECT_EQ(baseline.labels(8), labels("..11.2.."));  // 0 is most frequent over all
}

TEST(PositionBaseline, sees_a_clock_at_once) {
  const std::string clock = "....1111....";
  std::vector<Recording> training;
  for (int i = 0; i < 5; ++i) training.push_back(recording(clock, std::to_string(i)));
  RecordingJudge judge(2);
  judge.add(recording(clock, "new"), {}, PositionBaseline(training, 2).labels(12));
  EXPECT_EQ(judge.all().steps.accuracy, 1);
}

}  // namespace
}  // namespace sonde
