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

/// Ten steps of one channel at 10 Hz, in one file "s.csv".
RecordingSet ten_steps(LabelFiles labels, std::vector<std::string> classes = {"none", "a", "b"}) {
  return {.classes = std::move(classes),
          .background = "none",
          .signals = {{.files = "s.csv", .frequency = 10}},
          .labels = {std::move(labels)}};
}
void write_ten(const Made& made) { made.write("s.csv", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"); }

void expect_labels(const Made& made, const RecordingSet& set, const Floats& labels,
                   const Floats& weights) {
  const auto all = made.load(set);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(same(all[0].labels, labels))
      << ::testing::PrintToString(testing::floats(all[0].labels));
  EXPECT_TRUE(same(all[0].weights, weights))
      << ::testing::PrintToString(testing::floats(all[0].weights));
}
const Floats all_count(10, 1);

// --- a label for each step -----------------------------------------------------------------------

TEST(StepLabels, a_column_of_the_signal) {
  const Made made;
  made.write("s.csv", "x;label\n1;b\n2;none\n3;?\n4;2\n5;1.0\n");
  RecordingSet set = ten_steps({.column = "label", .unlabelled = {"?"}});
  expect_labels(made, set, {2, 0, 0, 2, 1}, {1, 1, 0, 1, 1});
  EXPECT_EQ(made.load(set)[0].channels, std::vector<std::string>{"x"});
  set.labels[0].column = "2";
  expect_labels(made, set, {2, 0, 0, 2, 1}, {1, 1, 0, 1, 1});
}

TEST(StepLabels, refuses_what_is_no_class) {
  const Made made;
  made.write("s.csv", "x,label\n1,a\n2,aa\n");
  RecordingSet set = ten_steps({.column = "label"}, {"none", "a"});
  EXPECT_EQ(made.refusal(set),
            "\"s.csv\", line 3: the label \"aa\" is no class; the nearest is \"a\". Say what it "
            "means: map = {\"aa\" = \"CLASS\"}, unlabelled = [\"aa\"] where nobody knows, ignore = "
            "[\"aa\"] where it is no label.");
  set.labels[0].map = {{"aa", "a"}};
  expect_labels(made, set, {1, 1}, {1, 1});
  set.labels[0].map = {{"aa", "c"}};
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "labels 1: map: aa: \"c\" is not known."));
  set.labels[0].map = {};
  made.write("s.csv", "x,label\n1,0\n2,2\n");
  EXPECT_TRUE(says(made.refusal(set), "line 3: the label \"2\" is no class"));
  made.write("s.csv", "x,label\n1,0\n2,nan\n");
  EXPECT_TRUE(says(made.refusal(set), "line 3: the label \"nan\" is no class"));
  set.classes = {}, set.background = "";
  EXPECT_TRUE(says(made.refusal(set), "line 3: the label \"nan\" is no number"));
  set.labels[0].unlabelled = {"nan"};
  expect_labels(made, set, {0, 0}, {1, 0});
  set.labels[0].column = "lable";
  EXPECT_TRUE(says(made.refusal(set), "there is no column \"lable\""));
  set.labels[0] = {};
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "labels 1: \"s.csv\" has 2 columns. Say which holds "
            "the labels: column = \"…\".");
}

TEST(StepLabels, real_values_without_classes) {
  const Made made;
  made.write("s.csv", "x,y\n1,0.25\n2,-3\n");
  RecordingSet set{.signals = {{.files = "s.csv", .frequency = 1}}, .labels = {{.column = "y"}}};
  expect_labels(made, set, {0.25f, -3}, {1, 1});
}

TEST(StepLabels, a_file_of_their_own) {
  const Made made;
  write_ten(made);
  made.write("l.csv", "a\nb\nb\na\na\na\na\na\na\na\n");
  RecordingSet set = ten_steps({.files = "l.csv"});
  expect_labels(made, set, {1, 2, 2, 1, 1, 1, 1, 1, 1, 1}, all_count);
  made.write("l.csv", "stage\na\nb\nb\na\na\na\na\na\na\na\n");
  expect_labels(made, set, {1, 2, 2, 1, 1, 1, 1, 1, 1, 1}, all_count);
  made.write("l.csv", "a\nb\nb\n");
  EXPECT_EQ(made.refusal(set),
            "labels 1: \"l.csv\" holds 3 labels, but the signal lasts 1 s: expected 10 at 10 a "
            "second. Check frequency.");
  // At a third of the rate, each step has the label of the nearest time: 0, 0.333 and 0.667 s.
  set.labels[0].frequency = 3;
  expect_labels(made, set, {1, 1, 2, 2, 2, 2, 2, 2, 2, 0}, all_count);
  save_npy(made.path("l.npy"), Array({10, 1}, Floats{1, 2, 0, 0, 0, 0, 0, 0, 0, 2}));
  set.labels[0] = {.files = "l.npy"};
  expect_labels(made, set, {1, 2, 0, 0, 0, 0, 0, 0, 0, 2}, all_count);
  save_npy(made.path("l.npy"), Array({10, 1}, Floats{1, 2, 0, 0, -nan, 0, 0, 0, 0, 2}));
  EXPECT_TRUE(says(made.refusal(set), "\"l.npy\", step 4: the label \"nan\" is no class"));
  save_npy(made.path("l.npy"), Array({10, 2}));
  EXPECT_TRUE(says(made.refusal(set), "labels must be (time) or (time, 1), got (10, 2)"));
}

TEST(StepLabels, go_with_the_signal_when_it_is_resampled) {
  const Made made;
  made.write("s.csv", "x,l\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n");
  RecordingSet set = ten_steps({.column = "l"});
  set.rate = 5;
  expect_labels(made, set, {1, 1, 1}, {1, 1, 1});
  set.rate = 20;
  expect_labels(made, set, {1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 0}, Floats(12, 1));
}

TEST(WindowLabels, one_for_each_stretch) {
  const Made made;
  write_ten(made);
  made.write("l.csv", "a\nb\n?\n");
  RecordingSet set =
      ten_steps({.kind = LabelKind::windows, .files = "l.csv", .window = 0.4, .unlabelled = {"?"}});
  expect_labels(made, set, {1, 1, 1, 1, 2, 2, 2, 2, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 1, 0, 0});
  made.write("l.csv", "a\nb\n");  // the last one is not whole
  expect_labels(made, set, {1, 1, 1, 1, 2, 2, 2, 2, 0, 0}, all_count);
  made.write("l.csv", "a\n");
  EXPECT_EQ(made.refusal(set),
            "labels 1: \"l.csv\" holds 1 labels, but the signal lasts 1 s: "
            "expected 2.5 at 2.5 a second. Check window.");
  set.labels[0].window = 0;
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "labels 1: windows need their length in seconds: window = 30.");
}

// --- intervals -----------------------------------------------------------------------------------

LabelFiles table(const char* end = "stop") {
  LabelFiles labels{.kind = LabelKind::intervals,
                    .files = "l.csv",
                    .column = "what",
                    .onset = "start",
                    .unit = TimeUnit::samples};
  (std::string(end) == "stop" ? labels.end : labels.duration) = end;
  return labels;
}

TEST(IntervalLabels, samples_from_0_or_1_with_or_without_the_end) {
  const Made made;
  write_ten(made);
  made.write("l.csv", "start,stop,what\n2,4,a\n4,5,b\n");
  RecordingSet set = ten_steps(table());
  expect_labels(made, set, {0, 0, 1, 1, 2, 0, 0, 0, 0, 0}, all_count);
  made.write("l.csv", "start,stop,what\n3,4,a\n5,5,b\n");
  set.labels[0].first = 1, set.labels[0].inclusive = true;
  expect_labels(made, set, {0, 0, 1, 1, 2, 0, 0, 0, 0, 0}, all_count);
  set.background = "";
  expect_labels(made, set, {0, 0, 1, 1, 2, 0, 0, 0, 0, 0}, {0, 0, 1, 1, 1, 0, 0, 0, 0, 0});
}

TEST(IntervalLabels, seconds_and_durations) {
  const Made made;
  write_ten(made);
  made.write("l.csv", "start;stop;what\n0.2;0.4;a\n0.75;1.0;b\n");
  RecordingSet set = ten_steps(table());
  set.labels[0].unit = TimeUnit::seconds;
  expect_labels(made, set, {0, 0, 1, 1, 0, 0, 0, 0, 2, 2}, all_count);
  made.write("l.csv", "start,length,what\n0.3,0.3,a\n");
  set = ten_steps(table("length"));
  set.labels[0].unit = TimeUnit::seconds;
  expect_labels(made, set, {0, 0, 0, 1, 1, 1, 0, 0, 0, 0}, all_count);
  made.write("l.csv", "start,length,what\n300,300,a\n");
  set.labels[0].unit = TimeUnit::milliseconds;
  expect_labels(made, set, {0, 0, 0, 1, 1, 1, 0, 0, 0, 0}, all_count);
  set.rate = 5;
  expect_labels(made, set, {0, 0, 1, 0, 0}, Floats(5, 1));
  // Shorter than a step, and still seen.
  made.write("l.csv", "start,length,what\n450,20,a\n");
  expect_labels(made, set, {0, 0, 1, 0, 0}, Floats(5, 1));
}

TEST(IntervalLabels, rows_for_this_recording_only) {
  const Made made;
  made.write("x01_u7.csv", "1\n2\n3\n");
  made.write("x02_u7.csv", "1\n2\n3\n");
  made.write("l.csv", "1 7 a 0 1\n2 7 b 1 3\n");
  RecordingSet set = ten_steps({.kind = LabelKind::intervals,
                                .files = "l.csv",
                                .column = "3",
                                .onset = "4",
                                .end = "5",
                                .unit = TimeUnit::samples,
                                .match = {{"experiment", "1"}, {"user", "2"}}});
  set.signals[0].files = "x{experiment}_u{user}.csv";
  const auto all = made.load(set);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(same(all[0].labels, {1, 0, 0}));
  EXPECT_TRUE(same(all[1].labels, {0, 2, 2}));
  set.labels[0].match = {{"person", "1"}};
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "labels 1: match: \"person\" is not known. Known: experiment, user.");
}

TEST(IntervalLabels, a_row_of_no_recording_is_not_lost_without_a_word) {
  const Made made;
  made.write("ann_1.csv", "1\n2\n3\n");
  made.write("bob_2.csv", "1\n2\n3\n");
  made.write("l.csv", "who,walk,start,stop,what\nann,1,0,1,a\nBob,2,1,3,b\n");
  RecordingSet set = ten_steps(table());
  set.signals[0].files = "{person}_{walk}.csv";
  set.labels[0].match = {{"person", "who"}, {"walk", "walk"}};
  EXPECT_EQ(made.refusal(set),
            "labels 1: \"l.csv\", line 3: no recording is the one of this row (who = \"Bob\", walk "
            "= \"2\"). Compare it with the captures in the names of the files, or leave such rows "
            "out: unmatched = \"ignored\".");
  set.labels[0].unmatched = Unmatched::ignored;
  EXPECT_TRUE(same(made.load(set)[0].labels, {1, 0, 0}));
  set.labels[0].unmatched = Unmatched::refused;
  made.write("l.csv", "who,walk,start,stop,what\nann,1,0,1,a\nbob,2,1,3,b\n");
  EXPECT_TRUE(same(made.load(set)[1].labels, {0, 2, 2}));
  set.skip = {"bob-2"};  // left out on purpose: its rows are nobody's mistake
  EXPECT_EQ(made.load(set).size(), 1u);
}

TEST(IntervalLabels, their_table_beside_the_signals_is_no_recording) {
  const Made made;
  made.write("ann.csv", "1\n2\n3\n");
  made.write("bob.csv", "4\n5\n6\n");
  made.write("marks.csv", "who,start,stop,what\nann,0,1,a\n");
  RecordingSet set = ten_steps(table());
  set.signals[0].files = "{person}.csv", set.labels[0].files = "marks.csv";
  set.labels[0].match = {{"person", "who"}};
  const auto all = made.load(set);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].name, "bob");
  EXPECT_TRUE(same(all[0].labels, {1, 0, 0}));
}

TEST(IntervalLabels, a_table_of_dates_without_a_header_loses_no_row) {
  const Made made;
  made.write("s.csv", "2020-02-08 17:00:00,1\n2020-02-08 17:00:01,2\n2020-02-08 17:00:02,3\n");
  made.write("l.csv",
             "2020-02-08 17:00:00,2020-02-08 17:00:01,a\n2020-02-08 17:00:01,2020-02-08 "
             "17:00:02,b\n");
  RecordingSet set = ten_steps({.kind = LabelKind::intervals,
                                .files = "l.csv",
                                .column = "3",
                                .onset = "1",
                                .end = "2",
                                .unit = TimeUnit::date});
  set.signals[0].time = "1", set.signals[0].time_unit = TimeUnit::date,
  set.signals[0].frequency = 1;
  expect_labels(made, set, {1, 2, 0}, {1, 1, 1});
  made.write("l.csv", "from,to,what\n2020-02-08 17:00:00,2020-02-08 17:00:01,a\n");
  expect_labels(made, set, {1, 0, 0}, {1, 1, 1});
}

TEST(IntervalLabels, one_label_for_all) {
  const Made made;
  write_ten(made);
  made.write("l.csv", "start,stop\n1,3\n");
  RecordingSet set = ten_steps(table());
  set.labels[0].column = "", set.labels[0].label = "b";
  expect_labels(made, set, {0, 2, 2, 0, 0, 0, 0, 0, 0, 0}, all_count);
  made.write("l.csv", "start,stop\n");
  expect_labels(made, set, Floats(10, 0), all_count);
  set.labels[0].label = "c";
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "labels 1: label: \"c\" is not known."));
  set.labels[0].label = "";
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "labels 1: say the column with the labels"));
  set.labels[0].onset = "";
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "labels 1: intervals need the columns onset"));
}

TEST(IntervalLabels, a_file_that_only_some_have) {
  const Made made;
  made.write("1.csv", "1\n2\n");
  made.write("2.csv", "1\n2\n");
  made.write("2.marks", "start,stop\n0,1\n");
  RecordingSet set = ten_steps(table());
  set.signals[0].files = "{n}.csv", set.labels[0].files = "{n}.marks";
  set.labels[0].column = "", set.labels[0].label = "b", set.labels[0].format = FileFormat::csv;
  EXPECT_TRUE(says(made.refusal(set), "labels 1: no file matches \"{n}.marks\" with n = 1"));
  set.labels[0].optional = true;
  EXPECT_TRUE(same(made.load(set)[0].labels, {0, 0}));
  EXPECT_TRUE(same(made.load(set)[1].labels, {2, 0}));
}

TEST(IntervalLabels, refuses_what_cannot_be_true) {
  const Made made;
  write_ten(made);
  RecordingSet set = ten_steps(table());
  const auto refusal = [&](const char* rows) {
    made.write("l.csv", std::string("start,stop,what\n0,1,a\n") + rows);
    return made.refusal(set);
  };
  EXPECT_EQ(refusal("0,2,b\n"),
            "\"l.csv\", line 3: recording \"s\": step 0 (0 s) has another label already. Mend the "
            "marks, or say which counts: overlap = \"first\" or \"last\".");
  EXPECT_EQ(
      refusal("8,11,b\n"),
      "\"l.csv\", line 3: the label from 8 to 11 (samples) is outside the signal of recording "
      "\"s\", which has 10 steps from 0 to 1 s. Check unit and first, or say outside = "
      "\"clipped\".");
  EXPECT_TRUE(says(refusal("-1,2,b\n"), "is outside the signal"));
  EXPECT_TRUE(says(refusal("1e300,2e300,b\n"), "is outside the signal"));
  EXPECT_EQ(refusal("5,5,b\n"),
            "\"l.csv\", line 3: the interval must end after it begins, got 5 to 5.");
  EXPECT_EQ(refusal("x,5,b\n"),
            "\"l.csv\", line 3: the onset must be a number, got \"x\". unit says what it counts.");
  EXPECT_EQ(refusal("1,nan,b\n"),
            "\"l.csv\", line 3: the end must be a number, got \"nan\". unit says what it counts.");
  EXPECT_TRUE(says(refusal("1,2,c\n"), "line 3: the label \"c\" is no class"));
  EXPECT_TRUE(says(refusal("1,2\n"), "line 3"));

  set.labels[0].overlap = Overlap::last;
  made.write("l.csv", "start,stop,what\n0,4,a\n2,3,b\n");
  expect_labels(made, set, {1, 1, 2, 1, 0, 0, 0, 0, 0, 0}, all_count);
  set.labels[0].overlap = Overlap::first;
  expect_labels(made, set, {1, 1, 1, 1, 0, 0, 0, 0, 0, 0}, all_count);
  set.labels[0].outside = Outside::clipped;
  made.write("l.csv", "start,stop,what\n-3,1,a\n9,1e300,b\n");
  expect_labels(made, set, {1, 0, 0, 0, 0, 0, 0, 0, 0, 2}, all_count);
  set.background = "nothing";
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "recordings: background: \"nothing\" is not"));
}

// --- JSON and marks ------------------------------------------------------------------------------

TEST(EventLabels, lists_in_json) {
  const Made made;
  write_ten(made);
  made.write("e.json",
             R"({"left": [[1, 3], [7, 8]], "deep": {"all": [{"onset": 0.5, "duration": 0.2,
                 "label": "b"}]}, "three": [[0, 2, "a"], [4, 5, "b"]], "n": 3, "bad": [[1]]})");
  LabelFiles how{.kind = LabelKind::events,
                 .files = "e.json",
                 .unit = TimeUnit::samples,
                 .key = "left",
                 .label = "a"};
  expect_labels(made, ten_steps(how), {0, 1, 1, 0, 0, 0, 0, 1, 0, 0}, all_count);
  how.key = "three", how.label = "";
  expect_labels(made, ten_steps(how), {1, 1, 0, 0, 2, 0, 0, 0, 0, 0}, all_count);
  how.key = "deep.all", how.unit = TimeUnit::seconds;
  expect_labels(made, ten_steps(how), {0, 0, 0, 0, 0, 2, 2, 0, 0, 0}, all_count);
  how.key = "deap.all";
  EXPECT_EQ(made.refusal<ArgumentError>(ten_steps(how)),
            "labels 1: \"e.json\": key: \"deap\" is not known. Did you mean \"deep\"?");
  how.key = "n";
  EXPECT_TRUE(says(made.refusal(ten_steps(how)), "\"n\" must be a list of [start, end]"));
  how.key = "bad";
  EXPECT_TRUE(says(made.refusal(ten_steps(how)), "\"e.json\": bad[0]: expected [start, end]"));
  how.key = "left";
  EXPECT_TRUE(says(made.refusal<ArgumentError>(ten_steps(how)), "left[0] has no label"));
}

}  // namespace
}  // namespace sonde
