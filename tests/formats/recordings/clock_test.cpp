#include <gtest/gtest.h>

#include <limits>

#include "tests/formats/recordings/made.hpp"

namespace sonde {
namespace {

using testing::Floats;
using testing::Made;
using testing::same;
using testing::says;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

RecordingSet counted() { return {.signals = {{.files = "s.csv", .frequency = 10, .time = "n"}}}; }

TEST(Clock, lost_rows_are_gaps_and_short_ones_are_filled_in) {
  const Made made;
  made.write("s.csv", "n,x,label\n3,1,0\n4,2,0\n6,4,0\n9,7,1\n9,8,1\n10,9,1\n");
  RecordingSet set = counted();
  set.labels = {{.column = "label"}};
  auto all = made.load(set);
  EXPECT_EQ(all[0].channels, std::vector<std::string>{"x"});
  EXPECT_TRUE(same(all[0].signal, {1, 2, nan, 4, nan, nan, 7, 9}))
      << "of two at 9 the first counts";
  EXPECT_TRUE(same(all[0].weights, {1, 1, 0, 1, 0, 0, 1, 1}));
  set.signals[0].longest_gap = 0.1;
  all = made.load(set);
  EXPECT_TRUE(same(all[0].signal, {1, 2, 3, 4, nan, nan, 7, 9}));
  EXPECT_TRUE(same(all[0].weights, {1, 1, 1, 1, 0, 0, 1, 1}));
  set.signals[0].longest_gap = 0.2;
  all = made.load(set);
  EXPECT_TRUE(same(all[0].signal, {1, 2, 3, 4, 5, 6, 7, 9}));
  EXPECT_TRUE(same(all[0].weights, {1, 1, 1, 1, 0, 0, 1, 1})) << "0 or 1, nobody knows";
  EXPECT_TRUE(same(all[0].labels, {0, 0, 0, 0, 0, 0, 1, 1}));
}

TEST(Clock, sensors_meet_on_one_clock) {
  const Made made;
  made.write("s.csv", "n,x\n2,1\n3,2\n5,4\n");
  made.write("t.csv", "n,y\n1,10\n2,20\n3,30\n4,40\n");
  made.write("e.json", R"({"e": [[2, 4]]})");
  RecordingSet set = counted();
  set.signals.push_back({.files = "t.csv", .frequency = 10, .time = "n"});
  set.labels = {{.kind = LabelKind::events,
                 .files = "e.json",
                 .unit = TimeUnit::samples,
                 .key = "e",
                 .label = "1"}};
  set.background = "0";
  EXPECT_TRUE(says(made.refusal(set), "extent = \"shared\""));
  set.extent = Extent::shared;
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 20, 2, 30, nan, 40}));
  EXPECT_TRUE(same(made.load(set)[0].labels, {1, 1, 0}));
  set.extent = Extent::whole;
  EXPECT_TRUE(same(made.load(set)[0].signal, {nan, 10, 1, 20, 2, 30, nan, 40, 4, nan}));
  EXPECT_TRUE(same(made.load(set)[0].labels, {0, 1, 1, 0, 0}));
  EXPECT_TRUE(same(made.load(set)[0].weights, {0, 1, 1, 0, 0}));
  made.write("t.csv", "n,y\n7,10\n8,20\n");
  set.extent = Extent::shared;
  EXPECT_EQ(made.refusal(set),
            "recording \"s\": its channels share no time. extent = \"whole\" takes "
            "all of it.");
}

TEST(Clock, dates) {
  const Made made;
  made.write("s.csv",
             "n;x\n2020-02-28 23:59:58;1\n2020-02-28 23:59:59;2\n2020-02-29T00:00:01Z;3\n");
  made.write("l.csv", "from,to\n2020-02-28 23:59:59,2020-02-29 00:00:01.5\n");
  RecordingSet set = counted();
  set.signals[0].frequency = 1;
  set.signals[0].time_unit = TimeUnit::date;
  set.background = "0";
  set.labels = {{.kind = LabelKind::intervals,
                 .files = "l.csv",
                 .onset = "from",
                 .end = "to",
                 .unit = TimeUnit::date,
                 .label = "1"}};
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 2, nan, 3}));
  EXPECT_TRUE(same(made.load(set)[0].labels, {0, 1, 1, 1}));
  EXPECT_TRUE(same(made.load(set)[0].weights, {1, 1, 0, 1}));
  made.write("l.csv", "from,to\n1,2\n");  // seconds after the recording's first step
  set.labels[0].unit = TimeUnit::seconds;
  EXPECT_TRUE(same(made.load(set)[0].labels, {0, 1, 0, 0}));
  set.signals[0].frequency = 0;  // the usual step is 2 s or 1 s: the clock says it
  made.write("s.csv",
             "n;x\n2020-02-28 23:59:58;1\n2020-02-28 23:59:58.5;2\n2020-02-28 23:59:59;3\n");
  set.labels = {};
  EXPECT_EQ(made.load(set)[0].frequency, 2);
}

TEST(Clock, tells_a_rate_without_the_noise_of_its_digits) {
  const Made made;
  RecordingSet set{
      .signals = {{.files = "{name}.csv", .time = "t", .time_unit = TimeUnit::seconds}}};
  const auto write = [&](const char* name, double start, double step) {
    std::string rows = "t,x\n";
    for (int i = 0; i < 200; ++i) {
      char cell[64];
      std::snprintf(cell, sizeof cell, "%.4f,%d\n", start + i * step, i % 7);
      rows += cell;
    }
    made.write(name, rows);
  };
  write("a.csv", 7, 0.02);
  write("b.csv", 1.6e9, 0.02);  // where neighbours of a double are 2.4e-7 s apart
  const auto all = made.load(set);
  EXPECT_EQ(all[0].frequency, 50);
  EXPECT_EQ(all[1].frequency, 50) << "two clocks of one rate have one rate";
  write("b.csv", 0, 0.0201);
  EXPECT_PRED2(says, made.refusal(set), "have 50 and 49.7512 steps per second");
}

TEST(Clock, refuses_what_is_no_clock) {
  const Made made;
  const auto refusal = [&](const char* rows) {
    made.write("s.csv", std::string("n,x\n") + rows);
    return made.refusal(counted());
  };
  EXPECT_EQ(refusal("2,1\n1,1\n"),
            "signals 1: \"s.csv\", line 3: the clock \"n\" goes back from \"2\" to \"1\". Sort the "
            "rows, or cut the file there.");
  EXPECT_EQ(refusal("noon,1\n"),
            "signals 1: \"s.csv\", line 2: the clock \"n\" must be a number, got "
            "\"noon\". time_unit says what it counts.");
  EXPECT_TRUE(says(refusal("nan,1\n"), "must be a number, got \"nan\""));
  EXPECT_TRUE(says(refusal("0,1\n1e18,1\n"), "2 rows on the clock \"n\" span 1e+17 s"));
  RecordingSet set = counted();
  set.signals[0].frequency = 0;
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "signals 1: \"s.csv\": the clock \"n\" counts samples: say how many a second has, "
            "frequency = 100.");
  set.signals[0].time_unit = TimeUnit::seconds;
  made.write("s.csv", "n,x\n5,1\n5,1\n");
  EXPECT_EQ(made.refusal(set),
            "signals 1: \"s.csv\": the clock \"n\" stands still. Say frequency = 100.");
  set.signals[0].time_unit = TimeUnit::date;
  EXPECT_TRUE(says(made.refusal(set), "must be a date like 2020-02-08 17:27:19, got \"5\""));
  set.signals[0].files = "s.npy";
  save_npy(made.path("s.npy"), Array({2, 1}));
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "time names a column of a table"));
}

TEST(Clock, in_another_unit_than_it_says_does_not_lose_nearly_all_rows) {
  const Made made;
  std::string rows = "time,x\n";
  for (int i = 0; i < 100; ++i) rows += std::to_string(i * 0.02) + "," + std::to_string(i) + "\n";
  made.write("s.csv", rows);
  RecordingSet set{.signals = {{.files = "s.csv", .frequency = 50, .time = "time"}}};
  EXPECT_PRED2(says, made.refusal(set),
               "97 of 100 rows fall on a step of the clock \"time\" that has a row already, at 50 "
               "steps per second. Check time_unit, now \"samples\", and frequency.");
  set.signals[0].time_unit = TimeUnit::seconds;
  EXPECT_EQ(made.load(set)[0].signal.shape()[0], 100);
}

}  // namespace
}  // namespace sonde
