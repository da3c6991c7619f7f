#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sonde/recordings.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

/// Channel 0 counts steps, channel 1 is the recording's number, the label is the step modulo 4;
/// steps [begin, end) are labelled.
Recording recording(int number, Index steps, Index begin, Index end) {
  Recording found{.name = "r" + std::to_string(number),
                  .signal = Array({steps, 2}),
                  .labels = Array({steps, 1}),
                  .weights = Array({steps}),
                  .frequency = 250,
                  .channels = {"step", "number"}};
  for (Index t = 0; t < steps; ++t) {
    found.signal(t, 0) = static_cast<float>(t);
    found.signal(t, 1) = static_cast<float>(number);
    found.labels(t, 0) = static_cast<float>(t % 4);
    found.weights(t) = t >= begin && t < end ? 1.0f : 0.0f;
  }
  return found;
}

std::vector<Recording> three_recordings() {
  std::vector<Recording> recordings;
  recordings.push_back(recording(0, 100, 20, 60));
  recordings.push_back(recording(1, 37, 0, 37));
  recordings.push_back(recording(2, 200, 199, 200));
  return recordings;
}

TEST(Windows, show_signal_labels_and_weights_of_the_same_steps) {
  const auto recordings = three_recordings();
  const Windows windows(recordings, 10, {.per_epoch = 500, .seed = 3});
  EXPECT_EQ(windows.size(), 500);
  EXPECT_EQ(windows.inputs(), std::vector<Shape>{Shape({10, 2})});
  EXPECT_EQ(windows.targets(), std::vector<Shape>{Shape({10, 1})});
  EXPECT_EQ(windows.weights(0), 10);
  for (Index i = 0; i < 500; ++i) {
    const Windows::Row row = windows.row(4, i);
    const Recording& of = recordings[static_cast<std::size_t>(row.x[1])];
    const auto begin = static_cast<Index>(row.x[0]);
    ASSERT_LE(begin + 10, of.weights.size());
    float labelled = 0;
    for (Index t = 0; t < 10; ++t) {
      ASSERT_EQ(row.x[2 * t], static_cast<float>(begin + t));
      ASSERT_EQ(row.y[t], of.labels(begin + t, 0));
      ASSERT_EQ(row.weights[t], of.weights(begin + t));
      labelled += row.weights[t];
    }
    EXPECT_GT(labelled, 0);
    const Sample sample = windows.sample(4, i);
    EXPECT_EQ(sample.x[0], row.x);
    EXPECT_EQ(sample.y[0], row.y);
    EXPECT_EQ(sample.weights[0], row.weights);
  }
}

TEST(Windows, depend_on_seed_epoch_and_position_only) {
  const auto recordings = three_recordings();
  const Windows windows(recordings, 10, {.per_epoch = 50, .seed = 3}),
      again(recordings, 10, {.per_epoch = 9, .seed = 3}),
      other(recordings, 10, {.per_epoch = 50, .seed = 4});
  int other_seed = 0, other_epoch = 0;
  for (Index i = 49; i >= 0; --i) {
    EXPECT_EQ(windows.row(2, i).x, again.row(2, i).x);
    other_seed += windows.row(2, i).x != other.row(2, i).x;
    other_epoch += windows.row(2, i).x != windows.row(3, i).x;
  }
  EXPECT_GT(other_seed, 40);
  EXPECT_GT(other_epoch, 40);
}

TEST(Windows, draw_every_labelled_step_equally_often) {
  const auto recordings = three_recordings();
  const Windows windows(recordings, 10, {.per_epoch = 7800, .seed = 1});
  std::map<float, int> per_recording;
  std::set<const float*> places;
  for (Index i = 0; i < windows.size(); ++i) {
    ++per_recording[windows.row(0, i).x[1]];
    places.insert(windows.row(0, i).x);
  }
  // 40, 37 and 1 of 78 labelled steps; five standard deviations.
  EXPECT_NEAR(per_recording[0], 4000, 220);
  EXPECT_NEAR(per_recording[1], 3700, 220);
  EXPECT_NEAR(per_recording[2], 100, 50);
  // Windows over 20 … 59 begin at 11 … 59, over the second at 0 … 27, over step 199 at 190.
  EXPECT_EQ(places.size(), 49u + 28u + 1u);
}

/// Steps of class 0, but for 3 of class 2 and one of class 3, which may not be drawn: unlabelled.
std::vector<Recording> rare_events() {
  std::vector<Recording> recordings;
  recordings.push_back(recording(0, 1000, 0, 999));
  for (float& label : recordings[0].labels.values()) label = 0;
  for (const Index t : {200, 201, 700}) recordings[0].labels(t, 0) = 2;
  recordings[0].labels(999, 0) = 3;
  return recordings;
}

/// How many windows of one step are drawn of each class.
std::map<float, int> drawn(const std::vector<Recording>& recordings, WindowOptions options) {
  options.per_epoch = 9000;
  const Windows windows(recordings, 1, options);
  std::map<float, int> counts;
  for (Index i = 0; i < windows.size(); ++i) ++counts[*windows.row(1, i).y];
  return counts;
}

TEST(Windows, draw_rare_classes_as_often_as_others_when_balanced) {
  const auto recordings = rare_events();
  const auto counts = drawn(recordings, {.seed = 2, .balanced = true});
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts.at(0), 4500, 240);  // five standard deviations
  EXPECT_NEAR(counts.at(2), 4500, 240);
  EXPECT_LT(drawn(recordings, {.seed = 2})[2], 80) << "and as they come when not";
  // Every step of the class, wherever it lies.
  const Windows windows(recordings, 1, {.per_epoch = 300, .balanced = true});
  std::set<float> steps;
  for (Index i = 0; i < 300; ++i)
    if (*windows.row(0, i).y == 2) steps.insert(*windows.row(0, i).x);
  EXPECT_EQ(steps, (std::set<float>{200, 201, 700}));
}

TEST(Windows, draw_classes_by_given_shares) {
  const auto counts = drawn(rare_events(), {.seed = 2, .shares = {3, 0, 1}});
  EXPECT_NEAR(counts.at(0), 6750, 205);
  EXPECT_NEAR(counts.at(2), 2250, 205);
  const auto only = drawn(rare_events(), {.shares = {0, 0, 1, 0}});
  EXPECT_EQ(only.size(), 1u);
  EXPECT_EQ(only.at(2), 9000);
}

TEST(Windows, depend_on_seed_epoch_and_position_when_balanced) {
  const auto recordings = three_recordings();
  const Windows windows(recordings, 10, {.per_epoch = 50, .seed = 3, .balanced = true}),
      again(recordings, 10, {.per_epoch = 9, .seed = 3, .balanced = true});
  int other_epoch = 0;
  for (Index i = 49; i >= 0; --i) {
    EXPECT_EQ(windows.row(2, i).x, again.row(2, i).x);
    other_epoch += windows.row(2, i).x != windows.row(3, i).x;
  }
  EXPECT_GT(other_epoch, 40);
}

TEST(Windows, refuse_shares_that_cannot_be_drawn) {
  const auto recordings = rare_events();
  const auto with = [&](std::vector<double> shares) {
    return [&recordings, shares] { Windows windows(recordings, 1, {.shares = shares}); };
  };
  EXPECT_EQ(refused_with<ArgumentError>(with({1, 1})),
            "windows: expected a share for each of 3 classes, got 2.");
  EXPECT_EQ(refused_with<DataError>(with({1, 1, 1})),
            "windows: class 1 has a share of 1, but no step is labelled so. Give it share 0.");
  EXPECT_PRED2(says, refused_with<ArgumentError>(with({1, -1, 0})), "got -1 for class 1");
  EXPECT_PRED2(says, refused_with<ArgumentError>(with({0, 0, 0})), "the shares add up to 0");
  auto real = rare_events();
  real[0].labels(5, 0) = 0.5f;
  EXPECT_PRED2(says, refused_with<DataError>([&] { Windows w(real, 1, {.balanced = true}); }),
               "recording \"r0\": the label at step 5 is 0.5");
}

TEST(Windows, may_be_as_long_as_a_recording) {
  std::vector<Recording> recordings;
  recordings.push_back(recording(0, 8, 7, 8));
  EXPECT_EQ(Windows(recordings, 8).row(0, 0).x, recordings[0].signal.data());
  EXPECT_EQ(Windows(recordings, 1).row(0, 0).x, recordings[0].signal.data() + 14);
  EXPECT_EQ(Windows(recordings, 8).size(), 1);
}

TEST(Windows, cover_the_labelled_steps_once_if_nothing_is_said) {
  EXPECT_EQ(Windows(three_recordings(), 10).size(), 8);
}

TEST(Windows, refuse_recordings_that_do_not_fit) {
  const auto refused = [](std::vector<Recording> recordings, Index length = 10) {
    return refused_with<DataError>([&] { Windows windows(recordings, length); });
  };
  EXPECT_EQ(refused({recording(1, 9, 0, 9)}),
            "recording \"r1\": it has 9 steps, fewer than the window length 10. Take shorter "
            "windows or leave the "
            "recording out.");
  EXPECT_EQ(refused({recording(1, 20, 0, 0)}),
            "recording \"r1\": no step is labelled. Leave it out.");
  EXPECT_PRED2(says, refused({}), "there are no recordings");
  auto wrong = recording(2, 20, 0, 5);
  wrong.weights = Array({19});
  EXPECT_EQ(
      refused({recording(1, 20, 0, 5), wrong}),
      "recording \"r2\": 20 steps need labels (20, 1) and weights (20,), got (20, 1) and (19,).");
  wrong = recording(2, 20, 0, 5);
  wrong.signal = Array({20, 3});
  EXPECT_PRED2(says, refused({recording(1, 20, 0, 5), wrong}),
               "recording \"r2\": expected a signal (time, 2)");
  const auto recordings = three_recordings();
  EXPECT_EQ(refused_with<ArgumentError>([&] { Windows windows(recordings, 0); }),
            "windows: length must be at least 1, got 0.");
  EXPECT_PRED2(
      says, refused_with<ArgumentError>([&] { Windows windows(recordings, 5, {.per_epoch = -1}); }),
      "per_epoch must not be negative");
  EXPECT_PRED2(says, refused_with<ArgumentError>([&] { cut_windows(recordings, 5, 0); }),
               "hop must be at least 1");
}

TEST(Pieces, cover_every_labelled_step) {
  const auto recordings = three_recordings();
  const Pieces pieces = cut_windows(recordings, 30, 20);
  // Begins: 0 20 40 (60 and 70 have no label); 0 7; 170.
  EXPECT_EQ(pieces.x.shape(), (Shape{6, 30, 2}));
  EXPECT_EQ(pieces.y.shape(), (Shape{6, 30, 1}));
  EXPECT_EQ(pieces.weights.shape(), (Shape{6, 30}));
  const std::vector<float> begins = {0, 20, 40, 0, 7, 170};
  for (Index i = 0; i < 6; ++i) {
    EXPECT_EQ(pieces.x(i, 0, 0), begins[static_cast<std::size_t>(i)]);
    EXPECT_EQ(pieces.x(i, 29, 0), pieces.x(i, 0, 0) + 29);
    EXPECT_EQ(pieces.y(i, 1, 0), static_cast<float>((static_cast<int>(pieces.x(i, 0, 0)) + 1) % 4));
  }
  EXPECT_EQ(pieces.weights(5, 29), 1);
  EXPECT_EQ(pieces.weights(5, 28), 0);
}

}  // namespace
}  // namespace sonde
