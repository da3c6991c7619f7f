#include <gtest/gtest.h>

#include <random>
#include <sonde/error.hpp>
#include <sonde/scores.hpp>
#include <sonde/tuning.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;
using Kind = Criterion::Kind;

/// A recording with its probabilities, and what tuning takes of it.
struct Planted {
  std::vector<Index> labels;
  Array probabilities;
  std::vector<float> weights = {};
  double frequency = 100;

  operator LabelledProbabilities() const { return {&probabilities, labels, weights, frequency}; }
};

/// `events` stretches of 40 steps of class 1 among 60 of background. `high` and `low` are the
/// probabilities of class 1 inside and outside.
Planted blocks(int events, float high = 0.9f, float low = 0.1f) {
  Planted planted;
  for (int i = 0; i < events * 100; ++i) planted.labels.push_back(i % 100 >= 60);
  planted.probabilities = Array({events * 100, 1});
  for (int i = 0; i < events * 100; ++i)
    planted.probabilities.data()[i] = planted.labels[static_cast<std::size_t>(i)] ? high : low;
  return planted;
}

/// One step in ten says the contrary.
Planted flicker(unsigned seed) {
  Planted planted = blocks(20);
  std::mt19937 random(seed);
  for (float& p : planted.probabilities.values())
    if (random() % 10 == 0) p = 1 - p;
  return planted;
}

/// Between the events stand false ones of 5 steps, just as sure.
Planted short_events() {
  Planted planted = blocks(20);
  for (Index event = 0; event < 20; ++event)
    for (Index t = 20; t < 25; ++t) planted.probabilities.data()[event * 100 + t] = 0.95f;
  return planted;
}

TEST(Tuning, removes_planted_flicker_also_where_it_has_not_looked) {
  const Planted planted = flicker(1), other = flicker(2);
  const LabelledProbabilities validation[] = {planted}, test[] = {other};
  const TunedProcessing tuned = tune_post_processing(validation);
  EXPECT_LT(tuned.before, 0.91);
  EXPECT_GT(tuned.after, 0.985);
  EXPECT_GT(score_of(test, tuned.processing), 0.98);
  EXPECT_LT(score_of(test, {}), 0.91);
  EXPECT_EQ(score_of(validation, tuned.processing), tuned.after);
}

TEST(Tuning, removes_planted_short_events) {
  const Planted planted = short_events();
  const LabelledProbabilities validation[] = {planted};
  const TunedProcessing tuned =
      tune_post_processing(validation, {.criterion = {.kind = Kind::event_f1}});
  EXPECT_NEAR(tuned.before, 2.0 * 20 / 60, 1e-12);
  EXPECT_EQ(tuned.after, 1);
  for (const Interval& each :
       intervals_of(labels_from(planted.probabilities, 100, tuned.processing)))
    EXPECT_EQ(each.steps(), 40);
}

TEST(Tuning, finds_the_threshold_between_classes_that_are_both_thought_unlikely) {
  const Planted planted = blocks(5, 0.3f, 0.1f);
  const LabelledProbabilities validation[] = {planted};
  const TunedProcessing tuned = tune_post_processing(validation);
  EXPECT_EQ(tuned.after, 1);
  EXPECT_GE(tuned.processing.threshold, 0.1);
  EXPECT_LT(tuned.processing.threshold, 0.3);
  EXPECT_EQ(tuned.processing, (PostProcessing{.threshold = tuned.processing.threshold}));
}

TEST(Tuning, finds_the_factor_of_a_class_that_is_always_second) {
  Planted planted;
  planted.probabilities = Array({300, 3});
  for (Index t = 0; t < 300; ++t) {
    const Index label = t / 10 % 3;
    planted.labels.push_back(label);
    const float of[3][3] = {{0.7f, 0.1f, 0.2f}, {0.2f, 0.7f, 0.1f}, {0.55f, 0.1f, 0.35f}};
    std::copy_n(of[label], 3, planted.probabilities.data() + 3 * t);
  }
  const LabelledProbabilities validation[] = {planted};
  const TunedProcessing tuned = tune_post_processing(validation);
  EXPECT_LT(tuned.before, 0.7);
  EXPECT_EQ(tuned.after, 1);
  ASSERT_EQ(tuned.processing.class_factors.size(), 3u);
  EXPECT_GT(tuned.processing.class_factors[2] * 0.35, 0.55 * tuned.processing.class_factors[0]);
}

TEST(Tuning, closes_planted_gaps_for_boundaries) {
  Planted planted = blocks(20);
  for (Index event = 0; event < 20; ++event)
    for (Index t = 75; t < 78; ++t) planted.probabilities.data()[event * 100 + t] = 0.02f;
  const LabelledProbabilities validation[] = {planted};
  const TunedProcessing tuned = tune_post_processing(
      validation, {.criterion = {.kind = Kind::boundary_f1, .tolerance = 0.02}});
  EXPECT_LT(tuned.before, 0.7);
  EXPECT_EQ(tuned.after, 1);
}

TEST(Tuning, leaves_alone_what_is_right) {
  const Planted planted = blocks(5);
  const LabelledProbabilities validation[] = {planted};
  for (const Kind kind : {Kind::step_f1, Kind::event_f1, Kind::boundary_f1}) {
    const TunedProcessing tuned = tune_post_processing(validation, {.criterion = {.kind = kind}});
    EXPECT_EQ(tuned.processing, PostProcessing{});
    EXPECT_EQ(tuned.before, 1);
    EXPECT_EQ(tuned.after, 1);
  }
}

TEST(Tuning, is_never_worse_than_nothing_and_as_good_as_each_setting_alone) {
  std::mt19937 random(5);
  for (int round = 0; round < 12; ++round) {
    Planted planted;
    const Index classes = 1 + round % 3, steps = round == 0 ? 1 : 211;
    planted.probabilities = Array({steps, classes});
    for (float& p : planted.probabilities.values()) p = static_cast<float>(random() % 1000) / 1000;
    Index label = 0;
    for (Index t = 0; t < steps; ++t) {
      if (random() % 7 == 0) label = static_cast<Index>(random() % 3) % std::max<Index>(classes, 2);
      planted.labels.push_back(label);
      planted.weights.push_back(static_cast<float>(random() % 4 != 0));
    }
    const LabelledProbabilities validation[] = {planted};
    for (const Kind kind : {Kind::step_f1, Kind::event_f1, Kind::boundary_f1}) {
      const TuningOptions options{.criterion = {.kind = kind, .tolerance = 0.02}, .least_gain = 0};
      const TunedProcessing tuned = tune_post_processing(validation, options);
      const auto score = [&](const PostProcessing& p) {
        return score_of(validation, p, options.criterion);
      };
      EXPECT_EQ(tuned.before, score({}));
      EXPECT_EQ(tuned.after, score(tuned.processing));
      EXPECT_GE(tuned.after, tuned.before);
      if (classes < 3) {
        EXPECT_GE(tuned.after, score({.threshold = 0.25}));
      }
      EXPECT_GE(tuned.after, score({.switch_probability = 0.1}));
      // The same again gives the same again.
      EXPECT_EQ(tune_post_processing(validation, options).processing, tuned.processing);
    }
  }
}

TEST(Tuning, counts_steps_as_the_judge_of_steps_does) {
  const Planted planted = flicker(3);
  const LabelledProbabilities validation[] = {planted};
  StepJudge judge(2);
  const std::vector<float> labels(planted.labels.begin(), planted.labels.end());
  judge.add(planted.probabilities.values(), labels);
  EXPECT_NEAR(score_of(validation, {}), judge.scores().macro_f1, 1e-12);
}

TEST(Tuning, does_not_look_at_steps_that_nobody_labelled) {
  Planted planted = flicker(1), garbled = planted;
  planted.weights.assign(planted.labels.size(), 1);
  for (std::size_t t = 500; t < 900; ++t) planted.weights[t] = 0;
  garbled.weights = planted.weights;
  for (std::size_t t = 500; t < 900; ++t) garbled.labels[t] = 77;
  const LabelledProbabilities a[] = {planted}, b[] = {garbled};
  for (const Kind kind : {Kind::step_f1, Kind::event_f1}) {
    const TuningOptions options{.criterion = {.kind = kind}};
    EXPECT_EQ(tune_post_processing(a, options).processing,
              tune_post_processing(b, options).processing);
  }
}

TEST(Tuning, refuses_what_does_not_belong_together) {
  const Planted planted = blocks(1);
  EXPECT_PRED2(says, refused_with<DataError>([] { tune_post_processing({}); }),
               "there are no recordings");
  Planted other = blocks(1);
  other.labels.pop_back();
  const LabelledProbabilities shorter[] = {other};
  EXPECT_PRED2(says, refused_with<DataError>([&] { tune_post_processing(shorter); }),
               "expected probabilities (99, 1) for 99 labels, got (100, 1)");
  other = blocks(1);
  other.labels[3] = 2;
  const LabelledProbabilities wrong[] = {other};
  EXPECT_PRED2(says, refused_with<DataError>([&] { tune_post_processing(wrong); }),
               "label 2 of step 3 is no class below 2");
  other = blocks(1);
  other.frequency = 50;
  const LabelledProbabilities rates[] = {planted, other};
  EXPECT_PRED2(says, refused_with<DataError>([&] {
                 tune_post_processing(rates, {.criterion = {.kind = Kind::event_f1}});
               }),
               "100 and 50 steps per second");
}

TEST(Tuning, names_what_it_made_best) {
  EXPECT_EQ(Criterion{}.text(), "macro F1 of steps");
  EXPECT_PRED2(says, (Criterion{.kind = Kind::event_f1, .rule = {EventRule::Kind::iou}}.text()),
               "over union of at least 0.5");
  EXPECT_PRED2(says, (Criterion{.kind = Kind::boundary_f1}.text()), "0.15 s");
}

}  // namespace
}  // namespace sonde
