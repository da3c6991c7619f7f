#include <gtest/gtest.h>

#include <limits>

#include "tests/formats/recordings/made.hpp"

namespace sonde {
namespace {

using testing::Floats;
using testing::Made;
using testing::same;
using testing::says;
using Names = std::vector<std::string>;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

void write_two(const Made& made) {
  made.write("acc_1_ann.csv", "x,y\n1,2\n3,4\n5,6\n");
  made.write("acc_2_bob.csv", "x,y\n7,8\n9,10\n");
  made.write("gyro_1_ann.csv", "0.5\n0.25\n0.125\n");
  made.write("gyro_2_bob.csv", "-1\n-2\n");
}
RecordingSet two_set() {
  return {.name = "{user}/{run}",
          .group = "{user}",
          .signals = {{.files = "acc_{run}_{user}.csv", .frequency = 10},
                      {.files = "gyro_{run}_{user}.csv", .names = {"gyro"}, .frequency = 10}}};
}

TEST(Recordings, files_with_equal_captures_are_one_recording) {
  const Made made;
  write_two(made);
  const auto all = made.load(two_set());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "ann/1");
  EXPECT_EQ(all[1].group, "bob");
  EXPECT_EQ(all[0].channels, (Names{"x", "y", "gyro"}));
  EXPECT_EQ(all[0].frequency, 10);
  EXPECT_EQ(all[0].signal.shape(), (Shape{3, 3}));
  EXPECT_TRUE(same(all[0].signal, {1, 2, 0.5f, 3, 4, 0.25f, 5, 6, 0.125f}));
  EXPECT_TRUE(same(all[1].signal, {7, 8, -1, 9, 10, -2}));
  EXPECT_TRUE(same(all[0].weights, {0, 0, 0})) << "nobody labelled it";
}

TEST(Recordings, the_same_set_in_a_configuration) {
  RecordingSet read;
  from_value(to_value(two_set()), "recordings", read);
  EXPECT_EQ(to_value(read), to_value(two_set()));
  Value one =
      Value::Dict{{"signals", Value::Dict{{"files", "a"}, {"columns", Value::List{1, "y"}}}}};
  from_value(one, "recordings", read);
  EXPECT_EQ(read.signals.at(0).columns, (Names{"1", "y"}));
  Value wrong = Value::Dict{{"chanels", Value::List{}}};
  EXPECT_EQ(testing::refused_with<ArgumentError>([&] { from_value(wrong, "recordings", read); }),
            "recordings: \"chanels\" is not known. Did you mean \"channels\"?");
  wrong = Value::Dict{{"signals", Value::Dict{{"file", "a"}}}};
  EXPECT_EQ(testing::refused_with<ArgumentError>([&] { from_value(wrong, "recordings", read); }),
            "recordings: signals: \"file\" is not known. Did you mean \"files\"?");
}

TEST(Recordings, refuses_files_that_do_not_pair) {
  Made made;
  write_two(made);
  RecordingSet set = two_set();
  set.signals[1].files = "gyros_{run}_{user}.csv";
  EXPECT_EQ(
      made.refusal(set),
      "signals 2: no file in \"\" matches \"gyros_{run}_{user}.csv\". Compare the pattern with "
      "the names there: {name} and * stand for any text within one part of a path, ** for "
      "folders.");
  made.write("gyro_3_cid.csv", "1\n");
  EXPECT_EQ(made.refusal(two_set()),
            "signals 2: \"gyro_3_cid.csv\" belongs to no recording: the first signals have no file "
            "with run = 3, user = cid.");
  made.write("acc_3_cid.csv", "x,y\n1,2\n");
  made.write("acc_4_dan.csv", "x,y\n1,2\n");
  EXPECT_EQ(
      made.refusal(two_set()),
      "signals 2: no file matches \"gyro_{run}_{user}.csv\" with run = 4, user = dan. Add the "
      "file, or leave the recording out: skip.");
  set = two_set();
  set.skip = {"dan/4"};
  EXPECT_EQ(made.load(set).size(), 3u);
  set.skip = {"dan4"};
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "recordings: skip: \"dan4\" is not known. Did you mean \"dan/4\"?");
  set.skip = {"dan/4"};
  set.signals[1].files = "gyro_*_{user}.csv";
  made.write("gyro_9_ann.csv", "1\n");
  EXPECT_EQ(made.refusal(set),
            "signals 2: \"gyro_1_ann.csv\" and \"gyro_9_ann.csv\" both match \"gyro_*_{user}.csv\" "
            "for one recording (run = 1, user = ann). Capture what tells them apart with {name}.");
  set = two_set();
  set.name = "{user}";
  made.write("acc_5_ann.csv", "x,y\n1,2\n");
  EXPECT_EQ(made.refusal(set),
            "recordings: \"acc_1_ann.csv\" and \"acc_5_ann.csv\" are both called "
            "\"ann\". Put more captures into name.");
  EXPECT_EQ(made.refusal<ArgumentError>({}),
            "recordings: there are no signals. Add [[recordings.signals]] with files = \"…\".");
  EXPECT_TRUE(says(testing::refused_with<IoError>([] {
                     load_recordings({.folder = "/nowhere", .signals = {{.files = "a.csv"}}});
                   }),
                   "there is no folder \"/nowhere\""));
}

TEST(Recordings, refuses_channels_that_do_not_fit) {
  Made made;
  write_two(made);
  made.write("gyro_2_bob.csv", "-1\n-2\n-3\n");
  EXPECT_EQ(
      made.refusal(two_set()),
      "recording \"bob/2\": channel \"x\" lasts from 0 to 0.2 s (2 values), \"gyro\" from 0 to "
      "0.3 s (3 values). Take what they share, extent = \"shared\", or all, \"whole\".");
  RecordingSet set = two_set();
  set.extent = Extent::shared;
  EXPECT_TRUE(same(made.load(set)[1].signal, {7, 8, -1, 9, 10, -2}));
  set.extent = Extent::whole;
  EXPECT_TRUE(same(made.load(set)[1].signal, {7, 8, -1, 9, 10, -2, nan, nan, -3}));

  set = two_set();
  set.signals[1].names = {};
  set.signals[1].prefix = "x";
  set.signals[0].names = {"x1", "y"};
  EXPECT_EQ(
      made.refusal(set),
      "recording \"ann/1\": two channels are called \"x1\". Give an entry of signals names or "
      "a prefix.");
  set = two_set();
  set.signals[0].frequency = 0;
  EXPECT_EQ(
      made.refusal<ArgumentError>(set),
      "signals 1: \"acc_1_ann.csv\" does not say how many rows a second has. Say it: frequency "
      "= 100.");
  set = two_set();
  set.signals[1].frequency = 20;
  EXPECT_EQ(
      made.refusal(set),
      "recording \"ann/1\": channel \"x\" has 10 values per second, \"gyro\" 20. Say what the "
      "network shall see: rate = 10.");
  set = two_set();
  set.signals[0].names = {"x"};
  EXPECT_EQ(made.refusal(set),
            "signals 1: \"acc_1_ann.csv\" gives 2 channels, but there are 1 "
            "names.");
}

TEST(Recordings, chooses_channels_by_name) {
  Made made;
  write_two(made);
  RecordingSet set = two_set();
  set.channels = {"gyro", "x"};
  EXPECT_TRUE(same(made.load(set)[0].signal, {0.5f, 1, 0.25f, 3, 0.125f, 5}));
  set.channels = {"gyro", "z"};
  EXPECT_EQ(made.refusal(set),
            "recording \"ann/1\": there is no channel \"z\". There are: x, y, gyro. Other "
            "spellings: rename; to go on without: missing_channels = \"zeros\" or \"nan\".");
  set.rename = {{"y", "z"}};
  EXPECT_TRUE(same(made.load(set)[1].signal, {-1, 8, -2, 10}));
  set.rename = {};
  set.missing_channels = MissingChannels::zeros;
  EXPECT_TRUE(same(made.load(set)[1].signal, {-1, 0, -2, 0}));
  set.missing_channels = MissingChannels::nan;
  EXPECT_TRUE(same(made.load(set)[1].signal, {-1, nan, -2, nan}));
  set.channels = {"z"};
  EXPECT_EQ(made.refusal(set),
            "recording \"ann/1\" has none of the channels z. Leave it out: skip.");
  set.channels = {"x", "x"};
  EXPECT_EQ(made.refusal<ArgumentError>(set), "recordings: channels holds \"x\" twice.");
}

TEST(Recordings, all_have_the_same_channels) {
  const Made made;
  made.write("1.csv", "x,y\n1,2\n");
  made.write("2.csv", "y,x\n1,2\n");
  RecordingSet set{.signals = {{.files = "{n}.csv", .frequency = 1}}};
  EXPECT_EQ(made.refusal(set),
            "recordings \"1\" and \"2\" have their channels in another order (x, "
            "y; y, x). Say which: channels = […].");
  set.channels = {"x", "y"};
  EXPECT_TRUE(same(made.load(set)[1].signal, {2, 1}));
  made.write("2.csv", "y\n1\n");
  set.channels = {};
  EXPECT_EQ(made.refusal(set),
            "recording \"1\" has 2 channels (x, y), \"2\" has 1 (y). Choose those "
            "of all: channels = […].");
}

TEST(Recordings, channels_of_other_names_are_not_mixed_by_place) {
  const Made made;
  made.write("1.csv", "x,y\n1,2\n");
  made.write("2.csv", "x,z\n3,4\n");
  RecordingSet set{.signals = {{.files = "{n}.csv", .frequency = 1}}};
  EXPECT_EQ(made.refusal(set),
            "recordings \"1\" and \"2\" have other channels (x, y; x, z). Give the same thing one "
            "name, rename = { … }, or take channels by their place: names = […] of the signals.");
  set.rename = {{"z", "y"}};
  EXPECT_TRUE(same(made.load(set)[1].signal, {3, 4}));
  set.rename = {}, set.signals[0].names = {"first", "second"};
  EXPECT_TRUE(same(made.load(set)[1].signal, {3, 4}));
}

TEST(Recordings, only_what_lies_around_the_labels) {
  const Made made;
  made.write("s.csv", "x,l\n0,?\n1,?\n2,?\n3,0\n4,?\n5,1\n6,?\n7,?\n8,?\n9,?\n");
  RecordingSet set{.around_labels = 1,
                   .signals = {{.files = "s.csv", .frequency = 2}},
                   .labels = {{.column = "l", .unlabelled = {"?"}}}};
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(same(made.load(set)[0].labels, {0, 0, 0, 0, 1, 0, 0}));
  EXPECT_TRUE(same(made.load(set)[0].weights, {0, 0, 1, 0, 1, 0, 0}));
  set.around_labels = 1e9;
  EXPECT_EQ(made.load(set)[0].signal.size(), 10);
  set.labels[0].unlabelled = {"?", "0", "1"};
  set.around_labels = 1;
  EXPECT_EQ(made.load(set)[0].signal.size(), 10) << "nothing is labelled, nothing is left out";
  set.around_labels = -1;
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "recordings: around_labels must be at least 0 seconds, got -1. 0 keeps all.");
}

TEST(Recordings, one_channel_each) {
  const Made made;
  made.write("7.csv", "x,y\n1,2\nnan,4\n");
  made.write("7.txt", "1\n0\n");
  const auto all = made.load({.one_channel_each = true,
                              .signals = {{.files = "{n}.csv", .frequency = 1}},
                              .labels = {{.files = "{n}.txt"}}});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "7/x");
  EXPECT_EQ(all[1].group, "7") << "both leads are of one person";
  EXPECT_EQ(all[0].channels, all[1].channels);
  EXPECT_TRUE(same(all[1].signal, {2, 4}));
  EXPECT_TRUE(same(all[0].weights, {1, 0}));
  EXPECT_TRUE(same(all[1].weights, {1, 1}));
}

TEST(Recordings, text_columns_are_no_channels_unless_asked_for) {
  const Made made;
  made.write("1.csv", "when;a;note;b\n2020-01-01;1;ok;2\n2020-01-02;3;bad;4\n");
  RecordingSet set{.signals = {{.files = "1.csv", .frequency = 1}}};
  EXPECT_EQ(made.load(set)[0].channels, (Names{"a", "b"}));
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 2, 3, 4}));
  set.signals[0].columns = {"b"};
  EXPECT_TRUE(same(made.load(set)[0].signal, {2, 4}));
  set.signals[0].columns = {"note"};
  EXPECT_TRUE(says(made.refusal(set), "1.csv\", line 2, column 3 (\"note\"): expected a number"));
  set.signals[0].columns = {"c"};
  EXPECT_TRUE(says(made.refusal(set), "there is no column \"c\""));
  made.write("1.csv", "when;note\n2020-01-01;ok\n");
  set.signals[0].columns = {};
  EXPECT_EQ(made.refusal(set),
            "signals 1: \"1.csv\" has no column of numbers. Name them: columns = [\"…\"].");
}

TEST(Recordings, free_text_before_the_table_and_missing_values) {
  const Made made;
  made.write("1.txt", "Acquisition frequency: 100 Hz\nA B\n1 2\n3 nan\n");
  RecordingSet set{
      .signals = {{.files = "1.txt", .skip_lines = 1, .delimiter = " ", .frequency = 1}},
      .labels = {{.files = "l.csv"}}};
  made.write("l.csv", "1\n1\n");
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 2, 3, nan}));
  EXPECT_TRUE(same(made.load(set)[0].weights, {1, 0}));
  set.present = Present::any_channel;
  EXPECT_TRUE(same(made.load(set)[0].weights, {1, 1}));
}

TEST(Recordings, resamples_to_one_rate) {
  Made made;
  write_two(made);
  RecordingSet set = two_set();
  set.signals[0].frequency = 20, set.signals[1].frequency = 20;
  set.rate = 10;
  const auto all = made.load(set);
  EXPECT_EQ(all[0].frequency, 10);
  EXPECT_EQ(all[0].signal.shape(), (Shape{2, 3}));
  Array x({3, 1}, Floats{1, 3, 5});
  EXPECT_EQ(all[0].signal(1, 0), resample(x, 20, 10).data()[1]);
  set.rate = -1;
  EXPECT_EQ(made.refusal<ArgumentError>(set), "recordings: rate must be above 0, got -1.");
}

TEST(Recordings, channels_of_other_rates_end_together_to_a_step) {
  const Made made;
  made.write("a.csv", "1\n2\n3\n4\n5\n6\n7\n");
  made.write("b.csv", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n");
  RecordingSet set{.rate = 10,
                   .signals = {{.files = "a.csv", .prefix = "a", .frequency = 7},
                               {.files = "b.csv", .prefix = "b", .frequency = 16}}};
  EXPECT_EQ(made.load(set)[0].signal.shape(), (Shape{9, 2}));  // of 10 and 9
  made.write("b.csv", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
  EXPECT_TRUE(says(made.refusal(set), "extent = \"shared\""));
}

TEST(Recordings, arrays_of_numpy) {
  const Made made;
  save_npy(made.path("a.npy"), Array({2, 3}, Floats{1, 2, 3, 4, 5, 6}));
  RecordingSet set{.signals = {{.files = "a.npy", .frequency = 1}}};
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 2, 3, 4, 5, 6}));
  set.signals[0].channels_first = true;
  EXPECT_TRUE(same(made.load(set)[0].signal, {1, 4, 2, 5, 3, 6}));
  set.signals[0].columns = {"2"};
  EXPECT_TRUE(same(made.load(set)[0].signal, {4, 5, 6}));
  set.signals[0].columns = {"3"};
  EXPECT_EQ(made.refusal(set), "signals 1: \"a.npy\": there is no channel \"3\". There are: 1, 2.");
  save_npz(made.path("a.npz"), {{"x", Array({2}, Floats{1, 2})}, {"y", Array({2}, Floats{0, 1})}});
  set.signals = {{.files = "a.npz", .array = "x", .frequency = 1}};
  set.labels = {{.files = "a.npz", .array = "y"}};
  EXPECT_TRUE(same(made.load(set)[0].labels, {0, 1}));
  set.signals[0].array = "";
  EXPECT_EQ(made.refusal(set),
            "signals 1: \"a.npz\" holds 2 arrays. Say which one: array = "
            "\"…\", one of x, y.");
  save_npy(made.path("b.npy"), Array({2, 3, 1}));
  set.signals = {{.files = "b.npy", .frequency = 1}};
  EXPECT_TRUE(
      says(made.refusal(set), "one recording is (time, channels) or (time), got (2, 3, 1)"));
  made.write("c.wav", "RIFF");
  set.signals = {{.files = "c.wav", .frequency = 1}};
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "signals 1: the name of \"c.wav\" does not say its "
            "format. Say it: format = \"csv\".");
}

TEST(Recordings, units_are_converted) {
  const Made made;
  made.write("1.csv", "a\n1\n2\n");
  RecordingSet set{.channels = {"a"},
                   .units = {"mV"},
                   .signals = {{.files = "1.csv", .units = {"uV"}, .frequency = 1}}};
  EXPECT_TRUE(same(made.load(set)[0].signal, {0.001f, 0.002f}));
  EXPECT_EQ(made.load(set)[0].units, Names{"mV"});
  set.units = {"nV"};
  EXPECT_TRUE(same(made.load(set)[0].signal, {1000, 2000}));
  set.signals[0].units = {"\xC2\xB5V"};
  EXPECT_TRUE(same(made.load(set)[0].signal, {1000, 2000}));
  set.units = {"g"};
  EXPECT_EQ(
      made.refusal(set),
      "recording \"1\", channel \"a\" is in \"??V\", which is not converted to \"g\". Say what "
      "the files hold with units of [[recordings.signals]].");
  set.channels = {};
  EXPECT_EQ(made.refusal<ArgumentError>(set),
            "recordings: units need one for each of channels, got 1 for 0 channels.");
}

}  // namespace
}  // namespace sonde
