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

std::string little(std::initializer_list<int> numbers) {
  std::string bytes;
  for (const int number : numbers)
    bytes += {static_cast<char>(number & 255), static_cast<char>(number >> 8 & 255)};
  return bytes;
}

/// Ten steps at 10 Hz, the fourth of which the recorder missed; a rhythm from step 1, another from
/// step 4 on, and a beat at step 6. signal(5) and annot(5) of WFDB say how they are stored.
void write_record(const Made& made) {
  constexpr int rhythm = 28, beat = 1, note = 63;
  made.write("r.hea", "r 1 10 10\nr.dat 16 200/mV 16 0 0 -24368 0 ECG\n");
  made.write("r.dat", little({0, 200, 400, -32768, 800, 1000, 1200, 1400, 1600, 1800}));
  made.write("r.atr", little({rhythm << 10 | 1, note << 10 | 2}) + "(N" +
                          little({rhythm << 10 | 3, note << 10 | 5}) + std::string("(AFIB\0", 6) +
                          little({beat << 10 | 2, 0}));
}
RecordingSet rhythms() {
  return {.classes = {"none", "fibrillation"},
          .signals = {{.files = "{name}.hea"}},
          .labels = {{.kind = LabelKind::annotations,
                      .files = "{name}.atr",
                      .until_next = true,
                      .map = {{"(N", "none"}, {"(AFIB", "fibrillation"}},
                      .ignore = {"N"}}}};
}

TEST(Marks, of_wfdb_hold_until_the_next) {
  const Made made;
  write_record(made);
  const Recording record = made.load(rhythms()).at(0);
  EXPECT_EQ(record.frequency, 10);
  EXPECT_EQ(record.channels, std::vector<std::string>{"ECG"});
  EXPECT_EQ(record.units, std::vector<std::string>{"mV"});
  EXPECT_TRUE(same(record.signal, {0, 1, 2, nan, 4, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(same(record.labels, {0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  EXPECT_TRUE(same(record.weights, {0, 1, 1, 0, 1, 1, 1, 1, 1, 1}));
}

TEST(Marks, without_a_length_need_one) {
  const Made made;
  write_record(made);
  RecordingSet set = rhythms();
  set.labels[0].until_next = false;
  EXPECT_EQ(made.refusal(set),
            "\"r.atr\": the mark \"(N\" at 0.1 s has no duration. Say how long it "
            "holds: until_next = true, or length = SECONDS.");
  set.labels[0].length = 0.2;
  EXPECT_TRUE(same(made.load(set)[0].weights, {0, 1, 1, 0, 1, 1, 0, 0, 0, 0}));
  set.labels[0].ignore = {};
  EXPECT_TRUE(says(made.refusal(set), "the mark \"N\" at 0.6 s: the label \"N\" is no class"));
  set.labels[0].ignore = {"N"};
  set.labels[0].length = 0.4;
  EXPECT_TRUE(says(made.refusal(set), "step 4 (0.4 s) has another label already"));
  set.labels[0].length = 60;
  EXPECT_TRUE(says(made.refusal(set), "is outside the signal"));
}

TEST(Marks, values_that_the_recorder_missed_are_filled_when_asked) {
  const Made made;
  write_record(made);
  RecordingSet set = rhythms();
  set.signals[0].longest_gap = 0.1;
  EXPECT_TRUE(same(made.load(set)[0].signal, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(same(made.load(set)[0].weights, {0, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(Marks, a_rate_that_the_file_knows_better) {
  const Made made;
  write_record(made);
  RecordingSet set = rhythms();
  set.signals[0].frequency = 20;
  EXPECT_EQ(made.refusal(set),
            "signals 1: \"r.hea\": channel \"ECG\" has 10 values per second, but "
            "frequency says 20. Leave frequency out: this format knows.");
}

TEST(Waves, need_their_classes) {
  const Made made;
  write_record(made);
  RecordingSet set = rhythms();
  set.labels[0] = {.kind = LabelKind::waves, .files = "{name}.atr"};
  EXPECT_TRUE(says(made.refusal<ArgumentError>(set), "there is no class \"P\""));
}

}  // namespace
}  // namespace sonde
