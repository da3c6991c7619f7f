#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <sonde/error.hpp>
#include <sonde/events.hpp>

#include "data/pairing.hpp"

namespace sonde {
namespace {

/// "..11.2" → labels, with "." as 0 and "?" as an unlabelled step.
std::vector<Index> labels(std::string_view text) {
  std::vector<Index> numbers;
  for (const char c : text) numbers.push_back(c >= '0' && c <= '9' ? c - '0' : 0);
  return numbers;
}
std::vector<float> weights(std::string_view text) {
  std::vector<float> numbers;
  for (const char c : text) numbers.push_back(c == '?' ? 0.0f : 1.0f);
  return numbers;
}
std::string text(const std::vector<Index>& numbers) {
  std::string letters;
  for (const Index n : numbers) letters += n == 0 ? '.' : static_cast<char>('0' + n);
  return letters;
}

EventScore judged(std::string_view marked, std::string_view found, EventRule rule,
                  double frequency = 1) {
  EventJudge judge(3, frequency, rule);
  judge.add(labels(marked), labels(found), weights(marked));
  return judge.total();
}

TEST(Intervals, are_runs_of_one_label_and_give_the_labels_back) {
  const auto steps = labels("11.122..3");
  const std::vector<Interval> found = intervals_of(steps);
  EXPECT_EQ(found, (std::vector<Interval>{{0, 2, 1}, {3, 4, 1}, {4, 6, 2}, {8, 9, 3}}));
  EXPECT_EQ(labels_of(found, 9), steps);
  EXPECT_EQ(intervals_of(labels("1?1"), 0, weights("1?1")).size(), 2u);
  EXPECT_TRUE(intervals_of({}).empty());
}

TEST(Intervals, that_overlap_or_leave_the_signal_are_refused) {
  EXPECT_THROW(labels_of(std::vector<Interval>{{0, 3, 1}, {2, 4, 2}}, 9), DataError);
  EXPECT_THROW(labels_of(std::vector<Interval>{{5, 10, 1}}, 9), DataError);
  EXPECT_THROW(labels_of(std::vector<Interval>{{-1, 2, 1}}, 9), DataError);
  EXPECT_THROW(labels_of(std::vector<Interval>{{3, 3, 1}}, 9), DataError);
}

TEST(Events, overlap_with_one_step_in_common) {
  const EventScore s = judged("..111....11..1", "....11.1....11", {});
  EXPECT_EQ(s.marked, 3);
  EXPECT_EQ(s.found, 3);
  EXPECT_EQ(s.pairs, 2);
  EXPECT_DOUBLE_EQ(s.precision(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(s.recall(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(s.f1(), 2.0 / 3);
  EXPECT_EQ(s.delays, (std::vector<double>{2, -1}));
  EXPECT_DOUBLE_EQ(*s.median_delay(), 0.5);
  EXPECT_DOUBLE_EQ(s.false_alarms_per_hour(), 1 * 3600.0 / 14);
}

TEST(Events, of_other_classes_are_no_pair) {
  const EventScore s = judged("..111..", "..222..", {});
  EXPECT_EQ(s.pairs, 0);
  EXPECT_EQ(s.f1(), 0);
}

TEST(Events, one_found_event_over_two_marked_ones_is_one_pair) {
  EXPECT_EQ(judged(".11.11.", ".11111.", {}).pairs, 1);
  EXPECT_EQ(judged(".11111.", ".11.11.", {}).pairs, 1);
}

TEST(Events, intersection_over_union_counts_both_sides) {
  const EventRule half{.kind = EventRule::Kind::iou, .iou = 0.5};
  EXPECT_EQ(judged("..1111....", "..11......", half).pairs, 1);  // 2 / 4
  EXPECT_EQ(judged("..1111....", "...1111111", half).pairs, 0);  // 3 / 8
}

TEST(Events, collars_allow_each_boundary_its_distance) {
  const EventRule collar{.kind = EventRule::Kind::collar, .collar = 0.2, .offset_share = 0};
  // At 5 Hz one step is 0.2 s.
  EXPECT_EQ(judged("..1111....", ".111111...", collar, 5).pairs, 1);
  EXPECT_EQ(judged("..1111....", "11111.....", collar, 5).pairs, 0);  // onset 0.4 s early
  EXPECT_EQ(judged("..1111....", "..111111..", collar, 5).pairs, 0);  // offset 0.4 s late
  const EventRule share{.kind = EventRule::Kind::collar, .collar = 0.2, .offset_share = 0.5};
  EXPECT_EQ(judged("..1111....", "..111111..", share, 5).pairs, 1);  // of 0.8 s, 0.4 s are half
}

TEST(Events, found_where_nobody_looked_count_nowhere) {
  const EventScore s = judged("..11..????..", "..11...11...", {});
  EXPECT_EQ(s.found, 1);
  EXPECT_EQ(s.pairs, 1);
  EXPECT_DOUBLE_EQ(s.seconds, 8);
}

TEST(Events, refuse_labels_of_no_class_and_lengths_that_differ) {
  EventJudge judge(2, 1);
  EXPECT_THROW(judge.add(labels("12"), labels("11")), DataError);
  EXPECT_THROW(judge.add(labels("11"), labels("1")), DataError);
  EXPECT_THROW(EventJudge(2, 0), ArgumentError);
}

TEST(Boundaries, are_found_within_the_tolerance_once_each) {
  BoundaryJudge judge(3, 10, 0.2);  // two steps
  judge.add(labels("...111...222..."), labels(".111...22.2...."));
  EXPECT_EQ(judge.onset(1).pairs, 1);
  EXPECT_EQ(judge.offset(1).pairs, 1);
  EXPECT_EQ(judge.onset(2).found, 2);
  EXPECT_EQ(judge.onset(2).pairs, 1);
  EXPECT_DOUBLE_EQ(judge.both(2).f1(), 2 * 2.0 / (2 + 4));
  EXPECT_NEAR(judge.onset(1).errors[0], -0.2, 1e-12);
}

TEST(Boundaries, next_to_unlabelled_steps_are_not_asked_for) {
  // The onset of this event is unknown; what was found in the unlabelled stretch is not false.
  BoundaryJudge judge(2, 10, 0.1);
  judge.add(labels("..?????111.."), labels("...1111111.."), weights("..?????111.."));
  EXPECT_EQ(judge.onset(1).marked, 0);
  EXPECT_EQ(judge.onset(1).found, 0);
  EXPECT_EQ(judge.offset(1).pairs, 1);
  // Between labelled steps it is.
  judge.add(labels("............"), labels("...11......."));
  EXPECT_EQ(judge.onset(1).found, 1);
}

TEST(Boundaries, found_near_one_that_counts_nowhere_are_not_false) {
  // Nobody knows what follows the event, so its end is not asked for: neither to be found nor not.
  BoundaryJudge judge(2, 10, 0.2);
  judge.add(labels("..1111????.."), labels("..111......."), weights("..1111????.."));
  EXPECT_EQ(judge.offset(1).marked, 0);
  EXPECT_EQ(judge.offset(1).found, 0);
  // Farther away it is false.
  judge.add(labels("..1111????.."), labels("..1........."), weights("..1111????.."));
  EXPECT_EQ(judge.offset(1).found, 1);
}

TEST(Pairing, makes_as_many_pairs_as_there_can_be) {
  // Against trying all pairings of small random intervals.
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const auto draw = [&] {
      std::vector<Interval> all;
      for (Index i = 0, n = random() % 6; i < n; ++i) {
        const Index begin = random() % 20;
        all.push_back({begin, begin + 1 + static_cast<Index>(random() % 8), 1});
      }
      std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
      return all;
    };
    const std::vector<Interval> a = draw(), b = draw();
    const auto fits = [&](std::size_t i, std::size_t j) {
      return std::abs(a[i].begin - b[j].begin) <= 3 && std::abs(a[i].end - b[j].end) <= 6;
    };
    const auto place = [&](std::size_t i, std::size_t j) {
      return b[j].begin < a[i].begin - 3 ? -1 : b[j].begin > a[i].begin + 3 ? 1 : 0;
    };
    const std::function<std::size_t(std::size_t, unsigned)> most = [&](std::size_t i,
                                                                       unsigned taken) {
      if (i == a.size()) return std::size_t{0};
      std::size_t best = most(i + 1, taken);
      for (std::size_t j = 0; j < b.size(); ++j)
        if (!(taken & (1u << j)) && fits(i, j))
          best = std::max(best, 1 + most(i + 1, taken | (1u << j)));
      return best;
    };
    const auto pairs = pair_up(a.size(), b.size(), fits, place);
    EXPECT_EQ(pairs.size(), most(0, 0));
    for (const auto& [i, j] : pairs) EXPECT_TRUE(fits(i, j));
  }
}

// --- post-processing -----------------------------------------------------------------------------

std::string processed(std::vector<float> ones, const PostProcessing& processing) {
  const Index steps = static_cast<Index>(ones.size());
  return text(labels_from(Array({steps, 1}, ones), 1, processing));
}

TEST(PostProcessing, takes_the_most_likely_class_by_default) {
  EXPECT_EQ(processed({0.1f, 0.5f, 0.6f, 0.9f}, {}), "..11");
  const Array three({2, 3}, std::vector<float>{0.2f, 0.3f, 0.5f, 0.6f, 0.3f, 0.1f});
  EXPECT_EQ(text(labels_from(three, 1)), "2.");
}

TEST(PostProcessing, hysteresis_keeps_a_class_down_to_the_lower_threshold) {
  EXPECT_EQ(processed({0.5f, 0.9f, 0.5f, 0.3f, 0.5f}, {.threshold = 0.8, .low_threshold = 0.4}),
            ".11..");
}

TEST(PostProcessing, the_median_removes_single_steps_of_each_kind) {
  const std::vector<float> p = {0, 0, 1, 0, 0, 1, 1, 0, 1, 1};
  EXPECT_EQ(processed(p, {.median_seconds = 3}), ".....11111");
}

TEST(PostProcessing, factors_let_a_class_be_found_more_often) {
  const Array three({2, 3}, std::vector<float>{0.2f, 0.3f, 0.5f, 0.6f, 0.3f, 0.1f});
  EXPECT_EQ(text(labels_from(three, 1, {.class_factors = {1, 2, 1}})), "1.");
  EXPECT_EQ(text(labels_from(three, 1, {.class_factors = {1, 2.1, 1}})), "11");
  // 0.3 : 0.7 becomes 0.9 : 0.7, of one output as of two.
  const std::vector<double> factors = {1, 3};
  EXPECT_EQ(processed({0.3f, 0.2f}, {.class_factors = factors}), "1.");
  const Array two({2, 2}, std::vector<float>{0.7f, 0.3f, 0.8f, 0.2f});
  EXPECT_EQ(text(labels_from(two, 1, {.class_factors = factors})), "1.");
  // The path sees them too.
  EXPECT_EQ(processed({0.3f, 0.3f, 0.3f}, {.class_factors = factors, .switch_probability = 0.1}),
            "111");
}

TEST(PostProcessing, short_gaps_close_and_short_events_go) {
  const std::vector<float> p = {1, 1, 0, 1, 0, 0, 0, 1, 0, 0};
  EXPECT_EQ(processed(p, {.gap_seconds = 1}), "1111...1..");
  EXPECT_EQ(processed(p, {.duration_seconds = 2}), "11........");
  EXPECT_EQ(processed(p, {.gap_seconds = 1, .duration_seconds = 4}), "1111......");
}

TEST(PostProcessing, the_likeliest_path_is_that_of_trying_all_paths) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(0.01f, 1);
  for (const double change : {0.01, 0.2, 0.5}) {
    Array p({6, 3});
    for (float& value : p.values()) value = uniform(random);
    double best = -1;
    std::vector<Index> path;
    for (int code = 0; code < 729; ++code) {
      std::vector<Index> each;
      for (int t = 0, rest = code; t < 6; ++t, rest /= 3) each.push_back(rest % 3);
      double product = 1;
      for (Index t = 0; t < 6; ++t) {
        const Index k = each[static_cast<std::size_t>(t)];
        product *= static_cast<double>(p(t, k));
        if (t > 0) product *= k == each[static_cast<std::size_t>(t - 1)] ? 1 - change : change / 2;
      }
      if (product > best) {
        best = product;
        path = each;
      }
    }
    EXPECT_EQ(labels_from(p, 1, {.switch_probability = change}), path);
  }
}

TEST(PostProcessing, refuses_settings_outside_their_range) {
  const Array p({3, 1});
  EXPECT_THROW(labels_from(p, 1, {.threshold = 1.5}), ArgumentError);
  EXPECT_THROW(labels_from(p, 1, {.threshold = 0.5, .low_threshold = 0.6}), ArgumentError);
  EXPECT_THROW(labels_from(p, 1, {.switch_probability = 1}), ArgumentError);
  EXPECT_THROW(labels_from(p, 1, {.gap_seconds = -1}), ArgumentError);
  EXPECT_THROW(labels_from(p, 1, {.duration_seconds = 1e300}), ArgumentError);
  EXPECT_THROW(labels_from(p, 1, {.class_factors = {1, -1}}), ArgumentError);
  EXPECT_THROW(labels_from(p, 1, {.class_factors = {1, 1, 1}}), ArgumentError);
  EXPECT_THROW(labels_from(p, 0), ArgumentError);
  EXPECT_THROW(labels_from(Array({3}), 1), ArgumentError);
}

TEST(PostProcessing, takes_a_recording_of_no_steps) {
  EXPECT_TRUE(labels_from(Array({0, 3}), 1, {.median_seconds = 5, .gap_seconds = 2}).empty());
  EXPECT_TRUE(labels_from(Array({0, 1}), 1, {.switch_probability = 0.1}).empty());
}

}  // namespace
}  // namespace sonde
