#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sonde/splits.hpp>

#include "base/file.hpp"
#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;

/// A recording whose every value says whose it is.
Recording recording(const std::string& name, const std::string& group, Index steps,
                    float value = -1) {
  static float next = 1;
  Recording found{.name = name,
                  .signal = Array({steps, 1}),
                  .labels = Array({steps, 1}),
                  .weights = Array({steps}),
                  .frequency = 10,
                  .channels = {"a"},
                  .group = group};
  const float level = value >= 0 ? value : next++;
  for (Index t = 0; t < steps; ++t) {
    found.signal(t, 0) = level;
    found.labels(t, 0) = static_cast<float>(t % 2);
    found.weights(t) = 1;
  }
  return found;
}

/// 14 people with one to three recordings each.
std::vector<Recording> people() {
  std::vector<Recording> all;
  for (int p = 0; p < 14; ++p)
    for (int r = 0; r <= p % 3; ++r)
      all.push_back(recording("p" + std::to_string(p) + "-" + std::to_string(r),
                              "p" + std::to_string(p), 50 + 37 * ((p * 5 + r) % 7)));
  return all;
}

std::set<std::string> groups(const std::vector<Recording>& all, const std::vector<Stretch>& part) {
  std::set<std::string> found;
  for (const Stretch& each : part)
    found.insert(group_of(all[static_cast<std::size_t>(each.recording)]));
  return found;
}

Index steps(const std::vector<Stretch>& part) {
  Index sum = 0;
  for (const Stretch& each : part) sum += each.end - each.begin;
  return sum;
}

bool meet(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& each) { return b.contains(each); });
}

std::vector<std::string> names(const std::vector<Recording>& part) {
  std::vector<std::string> found;
  for (const Recording& each : part) found.push_back(each.name);
  return found;
}

TEST(Folds, never_put_a_group_on_two_sides_whatever_the_seed) {
  const auto all = people();
  for (Index seed = 0; seed < 50; ++seed)
    for (const Fold& fold : plan_split(all, {.folds = 5, .seed = seed})) {
      const auto train = groups(all, fold.train), validation = groups(all, fold.validation),
                 test = groups(all, fold.test);
      EXPECT_FALSE(meet(train, validation) || meet(train, test) || meet(validation, test));
      EXPECT_EQ(train.size() + validation.size() + test.size(), 14u);
      EXPECT_FALSE(train.empty() || validation.empty() || test.empty());
    }
}

TEST(Folds, test_every_recording_once) {
  const auto all = people();
  std::vector<Index> tested;
  for (const Fold& fold : plan_split(all, {.folds = 4, .seed = 2}))
    for (const Stretch& each : fold.test) tested.push_back(each.recording);
  std::sort(tested.begin(), tested.end());
  ASSERT_EQ(tested.size(), all.size());
  for (std::size_t i = 0; i < tested.size(); ++i) EXPECT_EQ(tested[i], static_cast<Index>(i));
}

// sklearn.model_selection.GroupKFold(3) on groups of these lengths gives folds of 18, 17 and 15
// steps.
TEST(Folds, hold_about_as_many_steps_as_each_other) {
  std::vector<Recording> all;
  int number = 0;
  for (const Index length : {10, 9, 8, 7, 6, 5, 3, 2}) {
    const std::string name(1, static_cast<char>('a' + number++));
    all.push_back(recording(name, name, length));
  }
  std::multiset<Index> sizes;
  for (const Fold& fold : plan_split(all, {.validation_share = 0, .folds = 3}))
    sizes.insert(steps(fold.test));
  EXPECT_EQ(sizes, (std::multiset<Index>{15, 17, 18}));
}

TEST(Folds, depend_on_the_seed_and_not_on_the_order_of_the_files) {
  std::vector<Recording> all = people();
  const auto tested = [&](Index seed) {
    std::vector<std::set<std::string>> folds;
    for (const Fold& fold : plan_split(all, {.folds = 5, .seed = seed})) {
      folds.push_back(groups(all, fold.test));
      folds.push_back(groups(all, fold.validation));
    }
    return folds;
  };
  const auto first = tested(1);
  EXPECT_NE(first, tested(2));
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(first, tested(1));
}

TEST(Folds, leave_one_group_out_each) {
  const auto all = people();
  const auto folds = plan_split(all, {.leave_one_out = true});
  ASSERT_EQ(folds.size(), 14u);
  std::set<std::string> tested;
  for (const Fold& fold : folds) {
    EXPECT_EQ(groups(all, fold.test).size(), 1u);
    tested.merge(groups(all, fold.test));
  }
  EXPECT_EQ(tested.size(), 14u);
}

TEST(Folds, leave_what_always_trains_out_of_the_tests) {
  const auto all = people();
  for (const Fold& fold : plan_split(all, {.train = {"p3", "p1*"}, .folds = 3})) {
    const auto train = groups(all, fold.train);
    for (const char* name : {"p3", "p1", "p10", "p13"}) EXPECT_TRUE(train.contains(name)) << name;
  }
}

TEST(PlannedSplit, takes_about_the_share_of_steps_that_is_asked_for) {
  const auto all = people();
  const Index total = steps(plan_split(all, {.validation_share = 0})[0].train);
  const Fold fold = plan_split(all, {.validation_share = 0.25, .test_share = 0.3})[0];
  // Half a person more or less: the longest has a tenth of all steps.
  EXPECT_NEAR(static_cast<double>(steps(fold.test)) / static_cast<double>(total), 0.3, 0.05);
  EXPECT_NEAR(
      static_cast<double>(steps(fold.validation)) / static_cast<double>(total - steps(fold.test)),
      0.25, 0.07);
}

TEST(PlannedSplit, refuses_one_group_on_two_sides) {
  const auto all = people();
  EXPECT_EQ(
      refused_with<DataError>([&] { plan_split(all, {.test = {"p2-1"}}); }),
      "split: group \"p2\" would stand on two sides: recording \"p2-0\" stands in no "
      "list, recording \"p2-1\" in test. Put all of it on one side, or say by = \"recording\" if "
      "its recordings may judge each other.");
  EXPECT_PRED2(says, refused_with<DataError>([&] {
                 plan_split(all, {.train = {"p2-0", "p2-2"}, .validation = {"p2-1"}});
               }),
               "group \"p2\" would stand on two sides");
  // Unless it is said.
  const Fold fold = plan_split(all, {.by = SplitBy::recording, .test = {"p2-1"}})[0];
  EXPECT_EQ(names(divide(all, fold).test), std::vector<std::string>{"p2-1"});
}

TEST(PlannedSplit, refuses_one_group_on_two_sides_of_a_file) {
  const TemporaryFolder folder;
  const std::string path = (folder / "split.csv").string();
  const std::vector<Recording> all = {recording("a1", "a", 5), recording("a2", "a", 5),
                                      recording("b", "", 5)};
  write_file_atomically(path, std::string_view("record,part\na1,train\na2,test\nb,validation\n"));
  EXPECT_PRED2(says, refused_with<DataError>([&] { plan_split(all, {.file = path}); }),
               "group \"a\" would stand on two sides: recording \"a1\" stands in train, "
               "recording \"a2\" in test");
  write_file_atomically(path, std::string_view("record,part\na1,train\na2,train\nb,test\n"));
  const Parts parts = divide(all, plan_split(all, {.file = path})[0]);
  EXPECT_EQ(names(parts.train), (std::vector<std::string>{"a1", "a2"}));
  EXPECT_EQ(names(parts.test), std::vector<std::string>{"b"});
  EXPECT_TRUE(parts.validation.empty());
  write_file_atomically(path, std::string_view("record,part\na1,train\na2,train\n"));
  EXPECT_PRED2(says, refused_with<DataError>([&] { plan_split(all, {.file = path}); }),
               "has no line for recording \"b\"");
}

TEST(PlannedSplit, cuts_recordings_in_time_with_a_gap) {
  const std::vector<Recording> all = {recording("a", "", 100), recording("b", "", 50)};
  const Fold fold = plan_split(
      all, {.by = SplitBy::time, .validation_share = 0.25, .test_share = 0.2, .gap = 0.5})[0];
  // 0.5 s are 5 steps. Of a: 80 … 100 tests; of the 75 before the gap, the last quarter.
  EXPECT_EQ(fold.test, (std::vector<Stretch>{{0, 80, 100}, {1, 40, 50}}));
  EXPECT_EQ(fold.validation, (std::vector<Stretch>{{0, 56, 75}, {1, 26, 35}}));
  EXPECT_EQ(fold.train, (std::vector<Stretch>{{0, 0, 51}, {1, 0, 21}}));
  const Parts parts = divide(all, fold);
  EXPECT_EQ(parts.test[0].name, "a[80:100]");
  EXPECT_EQ(parts.test[0].group, "a");
  EXPECT_EQ(parts.test[0].signal.shape(), (Shape{20, 1}));
  EXPECT_EQ(parts.test[0].weights.shape(), (Shape{20}));
}

TEST(PlannedSplit, tests_one_session_and_validates_on_the_end_of_the_others) {
  const std::vector<Recording> all = {recording("s1", "p", 100), recording("s2", "p", 100)};
  const Fold fold = plan_split(all, {.by = SplitBy::recording,
                                     .test = {"*2"},
                                     .validation_share = 0.2,
                                     .validation_by = SplitBy::time})[0];
  EXPECT_EQ(fold.train, (std::vector<Stretch>{{0, 0, 80}}));
  EXPECT_EQ(fold.validation, (std::vector<Stretch>{{0, 80, 100}}));
  EXPECT_EQ(fold.test, (std::vector<Stretch>{{1, 0, 100}}));
}

TEST(PlannedSplit, works_on_two_recordings_and_not_on_one) {
  const std::vector<Recording> one = {recording("a", "", 9)};
  EXPECT_PRED2(says, refused_with<DataError>([&] { plan_split(one, {}); }),
               "split: 1 group cannot be shared between training and validation. Use validation_by "
               "= \"time\", or validation_share = 0.");
  EXPECT_EQ(plan_split(one, {.validation_share = 0})[0].train.size(), 1u);
  const std::vector<Recording> two = {recording("a", "", 9), recording("b", "", 1000)};
  const Fold fold = plan_split(two, {.validation_share = 0.01})[0];
  EXPECT_EQ(fold.train.size(), 1u);
  EXPECT_EQ(fold.validation.size(), 1u);
}

TEST(PlannedSplit, refuses_rules_that_cannot_be_meant) {
  const auto all = people();
  const auto refused = [&](const SplitRules& rules) {
    return refused_with<ArgumentError>([&] { plan_split(all, rules); });
  };
  EXPECT_PRED2(says, refused({.folds = 1}), "folds must be 0 (none) or at least 2, got 1");
  EXPECT_PRED2(says, refused({.test = {"p1"}, .folds = 2}), "leave test and test_share out");
  EXPECT_PRED2(says, refused({.folds = 2, .leave_one_out = true}), "folds or leave_one_out");
  EXPECT_PRED2(says, refused({.file = "x", .folds = 2}), "file says all");
  EXPECT_PRED2(says, refused({.by = SplitBy::time, .folds = 2}), "by = \"time\"");
  EXPECT_PRED2(says, refused({.validation_share = 1}), "validation_share must be at least 0");
  EXPECT_PRED2(says, refused({.gap = -1}), "gap must be at least 0");
  EXPECT_PRED2(says, refused({.seed = -1}), "seed must be at least 0");
  EXPECT_PRED2(says, refused_with<DataError>([&] { plan_split(all, {.folds = 15}); }),
               "15 folds need as many groups, there are 14");
  EXPECT_PRED2(says, refused_with<DataError>([&] { plan_split(all, {.test = {"nobody"}}); }),
               "test = \"nobody\" is the name of no recording and no group");
  EXPECT_PRED2(says,
               refused_with<DataError>([&] { plan_split(all, {.train = {"p1"}, .test = {"p1"}}); }),
               "stands in two lists, train and test");
  EXPECT_PRED2(says,
               refused_with<DataError>([&] { plan_split(all, {.train = {"*"}, .folds = 2}); }),
               "there are 0 that stand in no list");
  EXPECT_PRED2(says, refused_with<DataError>([&] { plan_split({}, {}); }), "no recordings");
  EXPECT_PRED2(says,
               refused_with<DataError>([&] { plan_split(all, {.by = SplitBy::time, .gap = 100}); }),
               "too few for a share of 0.2 and a gap of 100 s");
}

TEST(Copies, of_a_recording_are_found_under_any_name) {
  Parts parts;
  parts.train = {recording("a", "", 20, 3), recording("b", "", 20, 4)};
  parts.test = {recording("c", "", 20, 5)};
  check_no_copies(parts);
  parts.test.push_back(recording("d", "", 20, 4));
  EXPECT_EQ(refused_with<DataError>([&] { check_no_copies(parts); }),
            "split: recording \"b\" (train) and recording \"d\" (test) hold the same signal. Leave "
            "one out, or give both the same group.");
  parts.train.push_back(std::move(parts.test.back()));
  parts.test.pop_back();
  check_no_copies(parts);  // two on one side do no harm
}

// The normaliser is fitted on the training part: whatever stands in the others, its numbers stay.
TEST(Copies, scales_do_not_see_what_judges) {
  auto all = people();
  const Fold fold = plan_split(all, {.folds = 5})[0];
  const Normalizer before = fit_normalizer(divide(all, fold).train);
  for (const auto* part : {&fold.validation, &fold.test})
    for (const Stretch& each : *part)
      for (float& value : all[static_cast<std::size_t>(each.recording)].signal.values())
        value = 1e6f;
  EXPECT_TRUE(same_fields(before, fit_normalizer(divide(all, fold).train)));
  for (float& value : all[static_cast<std::size_t>(fold.train[0].recording)].signal.values())
    value = 1e6f;
  EXPECT_FALSE(same_fields(before, fit_normalizer(divide(all, fold).train)));
}

}  // namespace
}  // namespace sonde
