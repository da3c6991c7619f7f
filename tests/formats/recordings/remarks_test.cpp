#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/formats/recordings/made.hpp"

// What is said of recordings that can be read, and may not be meant so.
namespace sonde {
namespace {

using testing::Made;
using testing::says;

/// A table of 50 rows a second whose first column is called `name` and goes from `start` by `step`.
void write_rows(const Made& made, const std::string& file, const std::string& name, double start,
                double step, int decimals) {
  std::string text = name + ",acc_x,acc_y\n";
  char cell[64];
  for (int i = 0; i < 100; ++i) {
    std::snprintf(cell, sizeof cell, "%.*f", decimals, start + i * step);
    text += std::string(cell) + "," + std::to_string(std::sin(i)) + ",1\n";
  }
  made.write(file, text);
}

Remarks remarks_on(const Made& made, RecordingSet set) {
  set.folder = made.path();
  Remarks remarks;
  load_recordings(set, &remarks);
  return remarks;
}

TEST(Remarks, a_clock_that_is_taken_for_a_signal_is_warned_of_once_with_the_line_that_mends_it) {
  const Made made;
  write_rows(made, "a.csv", "time", 0, 0.02, 2);
  write_rows(made, "b.csv", "time", 0, 0.02, 2);
  RecordingSet set{.signals = {{.files = "{who}.csv", .frequency = 50}}};
  const Remarks remarks = remarks_on(made, set);
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_EQ(remarks[0],
            "warning: signals 1: \"" + made.path("a.csv") +
                "\": the column \"time\" rises by 0.02 from row to row, as a clock does, and is "
                "taken for a signal: a network can read the time from it and label by the clock, "
                "which makes scores that hold for no other recording. Say in "
                "[[recordings.signals]] that it is the clock, time = \"time\" and time_unit = "
                "\"seconds\"; or which columns are signals, columns = [\"acc_x\", \"acc_y\"].");
  // Either of what it says ends it, and so does the column's name: it is meant then.
  set.signals[0].time = "time", set.signals[0].time_unit = TimeUnit::seconds;
  EXPECT_EQ(remarks_on(made, set), Remarks{});
  set.signals[0].time = "";
  set.signals[0].columns = {"acc_x", "acc_y"};
  EXPECT_EQ(remarks_on(made, set), Remarks{});
  set.signals[0].columns = {"time", "acc_x"};
  EXPECT_EQ(remarks_on(made, set), Remarks{});
  set.signals[0].columns = {};
  set.channels = {"acc_x"};
  EXPECT_EQ(remarks_on(made, set), Remarks{});
}

TEST(Remarks, clocks_are_known_by_name_and_by_rising_equally_in_their_unit) {
  const Made made;
  const RecordingSet set{.signals = {{.files = "a.csv", .frequency = 50}}};
  const auto unit = [&](const std::string& name, double start, double step, int decimals) {
    write_rows(made, "a.csv", name, start, step, decimals);
    const Remarks remarks = remarks_on(made, set);
    if (remarks.empty()) return std::string("none");
    const std::size_t at = remarks[0].find("time_unit = \"") + 13;
    return remarks[0].substr(at, remarks[0].find('"', at) - at);
  };
  EXPECT_EQ(unit("Time (s)", 3, 0.02, 6), "seconds");
  EXPECT_EQ(unit("timestamp", 1.6e9, 0.02, 3), "seconds") << "beyond the digits of a float";
  EXPECT_EQ(unit("t", 0, 20, 0), "milliseconds");
  EXPECT_EQ(unit("TIME", 7, 20000, 0), "microseconds");
  EXPECT_EQ(unit("sample", 1, 1, 0), "samples");
  EXPECT_EQ(unit("index", 0, 1, 0), "samples");
  EXPECT_EQ(unit("", 0, 1, 0), "samples") << "an index, as data frames are written";
  EXPECT_EQ(unit("seconds", 0, 1 / 128.0, 3), "seconds") << "rounded to three decimals";
  EXPECT_EQ(unit("pressure", 0, 0.02, 2), "none") << "it rises, but is no clock by its name";
  EXPECT_EQ(unit("time", 5, 0, 2), "none");
  EXPECT_EQ(unit("time", 5, -0.02, 2), "none");
  made.write("a.csv", "t,x\n20.1,1\n20.3,2\n20.2,3\n20.9,4\n");  // a temperature
  EXPECT_EQ(remarks_on(made, set), Remarks{});
}

TEST(Remarks, rows_that_are_ignored_are_counted_and_whose_they_are) {
  const Made made;
  write_rows(made, "ann.csv", "x", 0, 0, 0);
  write_rows(made, "bob.csv", "x", 0, 0, 0);
  made.write("marks.csv", "who,from,to\nann,0,1\ncarl,0,1\ncarl,1,2\ndora,0,1\nbob,1,2\n");
  RecordingSet set{.classes = {"none", "step"},
                   .background = "none",
                   .signals = {{.files = "{who}.csv", .columns = {"acc_x"}, .frequency = 50}},
                   .labels = {{.kind = LabelKind::intervals,
                               .files = "marks.csv",
                               .onset = "from",
                               .end = "to",
                               .match = {{"who", "who"}},
                               .unmatched = Unmatched::ignored,
                               .label = "step"}}};
  EXPECT_EQ(remarks_on(made, set),
            Remarks{"labels 1: 3 of 5 rows of \"marks.csv\" are for none of the 2 recordings and "
                    "are left out, as unmatched = \"ignored\" says; they tell of 2 others."});
  made.write("marks.csv", "who,from,to\nann,0,1\nbob,1,2\n");
  EXPECT_EQ(remarks_on(made, set), Remarks{});
}

TEST(Remarks, a_channel_that_is_not_there_is_refused_with_the_one_that_may_be_meant) {
  const Made made;
  write_rows(made, "a.csv", "acc_z", 0, 0, 0);
  RecordingSet set{.channels = {"acx_y"}, .signals = {{.files = "a.csv", .frequency = 50}}};
  EXPECT_PRED2(says, made.refusal(set),
               "there is no channel \"acx_y\". Did you mean \"acc_y\"? There are: ");
  set.channels = {"gyro"};
  EXPECT_PRED2(says, made.refusal(set), "there is no channel \"gyro\". There are: ");
  set.channels = {};
  set.signals[0].columns = {"acc-y"};
  EXPECT_PRED2(says, made.refusal(set),
               "there is no column \"acc-y\". Did you mean \"acc_y\"? There are: ");
}

}  // namespace
}  // namespace sonde
