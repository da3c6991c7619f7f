#include "formats/wfdb.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <sonde/formats.hpp>

#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::from_hex;
using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;
using Floats = std::vector<float>;

/// A record of one header and one signal file, read.
WfdbRecord read(const std::string& header, std::string_view samples) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "r.hea", header);
  write_file_atomically(folder / "r.dat", from_hex(samples));
  return load_wfdb(folder / "r");
}
std::string refusal_of(const std::string& header,
                       std::string_view samples = "0100feff640081ff00007f00") {
  return refused_with<DataError>([&] { read(header, samples); });
}
Floats values(const WfdbRecord& record) {
  return {record.signal.values().begin(), record.signal.values().end()};
}

// The bytes and headers of wfdb.wrsamp, wfdb 4.3.1, for [[1, -2], [100, -127], [0, 127]]; formats
// 61 and 160, which it does not write, by the definition.
TEST(Wfdb, reads_every_format) {
  const Floats expected = {0.005f, -0.06f, 0.5f, -0.685f, 0, 0.585f};
  const std::pair<std::string, std::string_view> cases[] = {
      {"16", "0100feff640081ff00007f00"},
      {"24", "010000feffff64000081ffff0000007f0000"},
      {"32", "01000000feffffff6400000081ffffff000000007f000000"},
      {"61", "0001fffe0064ff810000007f"},
      {"80", "817ee40180ff"},
      {"160", "0180fe7f6480817f00807f80"},
      {"212", "01f0fe64f08100007f"}};
  for (const auto& [format, samples] : cases) {
    const WfdbRecord record =
        read("r 2 250 3\nr.dat " + format + " 200.0(0)/mV 16 0 1 101 0 a\nr.dat " + format +
                 " 200.0(10)/mV 16 0 -2 65534 0 b\n",
             samples);
    EXPECT_EQ(values(record), expected) << format;
    EXPECT_EQ(record.signal.shape(), (Shape{3, 2}));
  }
}

// The stored numbers [[1, -2047], [2047, -1], [-3, 5]].
TEST(Wfdb, reads_twelve_bits_to_their_ends) {
  const WfdbRecord record = read("r 2\nr.dat 212 1\nr.dat 212 1\n", "018001fff7fffd0f05");
  EXPECT_EQ(values(record), (Floats{1, -2047, 2047, -1, -3, 5}));
  EXPECT_EQ(record.frequency, 250);  // what WFDB agrees on where nothing is said
}

TEST(Wfdb, reads_an_odd_number_of_twelve_bit_samples) {
  EXPECT_EQ(values(read("r 1 250 3\nr.dat 212 1\n", "018001ff07")), (Floats{1, -2047, 2047}));
  EXPECT_EQ(values(read("r 1 250 3\nr.dat 212 1\n", "018001ff0700")), (Floats{1, -2047, 2047}));
}

TEST(Wfdb, gives_nan_where_the_recorder_had_no_value) {
  EXPECT_TRUE(std::isnan(values(read("r 1\nr.dat 16 1\n", "0080"))[0]));
  EXPECT_TRUE(std::isnan(values(read("r 1\nr.dat 212 1\n", "000800"))[0]));
}

TEST(Wfdb, reads_the_fields_of_a_header) {
  const WfdbHeader header = read_wfdb_header(
      "# first\r\nx 2 250/360(10) 7 12:30:00 01/02/1999\n\nx.dat 16+24 0\n"
      "x.d2 212x1:0 -1.5e2(-7)/uV 12 4 5 -6 0 lead  V5 \n#second\n",
      "h");
  EXPECT_EQ(header.name, "x");
  EXPECT_EQ(header.frequency, 250);
  EXPECT_EQ(header.steps, 7);
  EXPECT_EQ(header.comments, (std::vector<std::string>{" first", "second"}));
  EXPECT_EQ(header.channels[0].offset, 24u);
  EXPECT_EQ(header.channels[0].gain, 200);  // 0 says that nobody calibrated it
  EXPECT_EQ(header.channels[0].units, "mV");
  EXPECT_FALSE(header.channels[0].has_checksum);
  EXPECT_EQ(header.channels[1].gain, -150);
  EXPECT_EQ(header.channels[1].baseline, -7);
  EXPECT_EQ(header.channels[1].units, "uV");
  EXPECT_EQ(header.channels[1].checksum, -6);
  EXPECT_EQ(header.channels[1].description, "lead  V5");
  // Without a baseline the zero of the converter is that of the unit.
  EXPECT_EQ(read_wfdb_header("x 1\nx.dat 16 200 12 1024\n", "h").channels[0].baseline, 1024);
}

TEST(Wfdb, verifies_lengths_and_checksums) {
  const std::string line = "r.dat 16 200 16 0 0 ";
  EXPECT_EQ(values(read("r 1 250 2\n" + line + "0 0 a\n", "0100ffff")).size(), 2u);
  EXPECT_PRED2(says, refusal_of("r 1 250 2\n" + line + "1 0 a\n", "0100ffff"),
               "channel \"a\" has checksum 0, expected 1. The signal file is damaged.");
  EXPECT_PRED2(says, refusal_of("r 1 250 3\nr.dat 16\n", "0100ffff"),
               "the header says 3 steps, but \"r.dat\" holds 2. One of them is not the original.");
  EXPECT_PRED2(says, refusal_of("r 1 250 3\nr.dat 16\n", "010001000100010001000100"),
               "but \"r.dat\" holds 6");
  EXPECT_PRED2(says, refusal_of("r 1 250 99999999999999\nr.dat 16\n"), "holds 6");
}

TEST(Wfdb, refuses_what_it_cannot_read) {
  const auto channel = [](const std::string& line) { return refusal_of("r 1\n" + line + "\n"); };
  EXPECT_PRED2(says, channel("r.dat 9"), "signal format 9 is not read; expected 8, 16, 24, 32,");
  EXPECT_PRED2(says, channel("r.dat 516"), "signal format 516 is compressed by FLAC");
  EXPECT_PRED2(says, channel("r.dat 16x0"), "line 2: expected 1 to 10000 samples per step, got 0");
  EXPECT_PRED2(says, channel("r.dat 16:-3"), "line 2: the skew must not be negative");
  EXPECT_PRED2(says, channel("~ 0"), "its channels have no signal file");
  EXPECT_PRED2(says, channel("r.dat 16+99"), "start at byte 99, but it has 12");
  EXPECT_PRED2(says, channel("r.dat sixteen"), "the format must be a number, got \"sixteen\"");
  EXPECT_PRED2(says, channel("r.dat 16 200mV"), "\"mV\" stands after the gain");
  EXPECT_PRED2(says, channel("r.dat 16 200(3"), "the baseline has no closing bracket");
  EXPECT_PRED2(says, channel("r.dat 16 nan"), "gain must be finite");
  for (const std::string file : {"../r.dat", "/etc/passwd", "a\\b", ".", "-", "~"})
    EXPECT_PRED2(says, channel(file + " 16"), "must be a file name in the same folder") << file;
  EXPECT_PRED2(says, refusal_of("r/0 1\n"), "expected 1 to 100000 segments, got 0");
  EXPECT_PRED2(says, refusal_of("r/2 1\na 5\n"), "expected 2 segments, got 1.");
  EXPECT_PRED2(says, refusal_of("r/1 1\n../a 5\n"), "must be a record in the same folder");
  EXPECT_PRED2(says, refusal_of("r/1 1\na -5\n"),
               "line 2: the number of steps must not be negative");
  EXPECT_PRED2(says, refusal_of("r/1 1\nr 5\n"), "the segment \"r\" has segments itself");
  EXPECT_PRED2(says, refusal_of("r 2\nr.dat 16\n"),
               "expected 2 channels, got 1. The header was cut off.");
  EXPECT_PRED2(says, refusal_of("r 1\nr.dat 16\nr.dat 16\n"),
               "line 3: more lines than the 1 channels");
  EXPECT_PRED2(says, refusal_of("r 0\n"), "expected 1 to 4096 channels, got 0");
  EXPECT_PRED2(says, refusal_of("r 1 0\nr.dat 16\n"), "the frequency must be above 0");
  EXPECT_PRED2(says, refusal_of("r 1 250 -5\nr.dat 16\n"), "steps must not be negative");
  EXPECT_PRED2(says, refusal_of("# only\n"), "the header is empty");
  EXPECT_PRED2(says, refusal_of("r 2\nr.dat 16\nr.dat 212\n"), "have different formats");
  EXPECT_PRED2(says, refusal_of("r 3\nr.dat 16\nr.hea 16\nr.dat 16\n"), "do not stand together");
  EXPECT_PRED2(says, refused_with<IoError>([] { load_wfdb("/nowhere/r"); }), "No such file");
}

// The bytes by the definition of each format: 8 holds differences to the first value, 310 and 311
// three numbers of ten bits in four bytes. The numbers are [-3, 511, -512] and [1, -1].
TEST(Wfdb, reads_differences_and_ten_bits) {
  EXPECT_EQ(values(read("r 1 250 3\nr.dat 8 1 8 0 10 33 0\n", "01ff02")), (Floats{11, 10, 12}));
  EXPECT_TRUE(std::isnan(values(read("r 1 250 3\nr.dat 310 1\n", "fa07fe83"))[2]));
  EXPECT_EQ(values(read("r 1 250 2\nr.dat 310 1\n", "fa07fe83")), (Floats{-3, 511}));
  EXPECT_EQ(values(read("r 1 250 2\nr.dat 311 1\n", "fdff0720")), (Floats{-3, 511}));
  EXPECT_TRUE(std::isnan(values(read("r 1 250 3\nr.dat 311 1\n", "fdff0720"))[2]));
  // A block that was cut off behind its last number.
  EXPECT_EQ(values(read("r 1 250 1\nr.dat 310 1\n", "fa07")), (Floats{-3}));
  EXPECT_EQ(values(read("r 1 250 2\nr.dat 311 1\n", "fdff07")), (Floats{-3, 511}));
  EXPECT_PRED2(says, refusal_of("r 1 250 2\nr.dat 310 1\n", "fa07fe"), "holds 1");
}

// Two steps of one sample and of three; the mean of 1, 2 and 5 is cut, as rdsamp and wfdb cut it.
TEST(Wfdb, several_samples_in_a_step_are_averaged_or_kept) {
  const std::string header = "r 2 100 2\nr.dat 16 1 16 0 0 7 0 a\nr.dat 16x3 1 16 0 0 12 0 b\n";
  const std::string_view samples = "0300 0100 0200 0500 0400 ffff ffff 0600";
  EXPECT_EQ(values(read(header, samples)), (Floats{3, 2, 4, 1}));
  const TemporaryFolder folder;
  write_file_atomically(folder / "r.hea", header);
  write_file_atomically(folder / "r.dat", from_hex(samples));
  const auto signals = load_wfdb_signals(folder / "r");
  ASSERT_EQ(signals.size(), 2u);
  EXPECT_EQ(signals[0].frequency, 100);
  EXPECT_EQ(signals[1].frequency, 300);
  EXPECT_EQ(signals[1].name, "b");
  EXPECT_EQ(Floats(signals[1].values.values().begin(), signals[1].values.values().end()),
            (Floats{1, 2, 5, -1, -1, 6}));
}

// As in wfdb: the mean takes the number for "no value" as it is, unless there is no other.
TEST(Wfdb, a_mean_is_missing_where_all_its_samples_are) {
  const Floats means = values(read("r 1 1 2\nr.dat 16x2 1\n", "0080 0400 0080 0080"));
  EXPECT_EQ(means[0], -16382);
  EXPECT_TRUE(std::isnan(means[1]));
}

TEST(Wfdb, skewed_channels_are_moved_to_where_they_belong) {
  const Floats v =
      values(read("r 2 1 3\nr.dat 16 1\nr.dat 16:2 1\n", "0100 0a00 0200 0b00 0300 0c00"));
  EXPECT_EQ((Floats{v[0], v[1], v[2], v[4]}), (Floats{1, 12, 2, 3}));
  EXPECT_TRUE(std::isnan(v[3]) && std::isnan(v[5]));
  const Floats all = values(read("r 1 1 3\nr.dat 16:99 1\n", "0100 0200 0300"));
  EXPECT_TRUE(std::isnan(all[0]) && std::isnan(all[2]));
}

/// A folder of records in segments: "fixed" of two, "variable" of two channels with a gap.
struct Segments {
  TemporaryFolder folder;
  Segments() {
    text("fixed.hea", "fixed/2 1 10 5\na 2\nb 3\n");
    text("a.hea", "a 1 10 2\na.dat 16 1/mV 16 0 0 0 0 II\n");
    text("b.hea", "b 1 10 3\nb.dat 16 2/mV 16 0 0 0 0 II\n");
    text("variable.hea", "variable/5 2 10 8\nlayout 0\na 2\n~ 1\nb 3\nc 2\n");
    text("layout.hea", "layout 2 10 0\n~ 0 200/uV 16 0 0 0 0 V\n~ 0 200/mV 16 0 0 0 0 II\n");
    text("c.hea", "c 1 10 2\nc.dat 16 1/NU 16 0 0 0 0 V\n");
    write_file_atomically(folder / "a.dat", from_hex("0100 ffff"));
    write_file_atomically(folder / "b.dat", from_hex("0200 fcff 0200"));
    write_file_atomically(folder / "c.dat", from_hex("0700 f9ff"));
  }
  void text(const std::string& name, std::string_view content) {
    write_file_atomically(folder / name, content);
  }
  std::string refusal(const std::string& record) {
    return refused_with<DataError>([&] { load_wfdb(folder / record); });
  }
};

TEST(WfdbSegments, stand_one_behind_the_other) {
  Segments s;
  s.text("a.hea", "a 1 10 2\na.dat 16 1/mV 16 0 0 0 0 II\n");
  s.text("b.hea", "b 1 10 3\nb.dat 16 2/mV 16 0 0 0 0 II\n");
  const WfdbRecord record = load_wfdb(s.folder / "fixed");
  EXPECT_EQ(record.signal.shape(), (Shape{5, 1}));
  EXPECT_EQ(values(record), (Floats{1, -1, 1, -2, 1}));
  EXPECT_EQ(record.channels, (std::vector<std::string>{"II"}));
  EXPECT_EQ(record.frequency, 10);
}

TEST(WfdbSegments, of_variable_layout_are_nan_where_nothing_was_recorded) {
  const Segments s;
  const WfdbRecord record = load_wfdb(s.folder / "variable");
  ASSERT_EQ(record.signal.shape(), (Shape{8, 2}));
  EXPECT_EQ(record.channels, (std::vector<std::string>{"V", "II"}));
  EXPECT_EQ(record.units, (std::vector<std::string>{"NU", "mV"}));
  const Floats ii = {1, -1, 0, 1, -2, 1};
  for (Index t = 0; t < 6; ++t) {
    EXPECT_TRUE(std::isnan(record.signal(t, 0))) << t;
    if (t == 2) EXPECT_TRUE(std::isnan(record.signal(t, 1)));
    else EXPECT_EQ(record.signal(t, 1), ii[static_cast<std::size_t>(t)]);
  }
  EXPECT_EQ(record.signal(6, 0), 7);
  EXPECT_EQ(record.signal(7, 0), -7);
  EXPECT_TRUE(std::isnan(record.signal(7, 1)));
}

TEST(WfdbSegments, that_do_not_fit_are_refused) {
  const auto refusal = [](const std::string& file, std::string_view text,
                          const std::string& record) {
    Segments s;
    s.text(file, text);
    return s.refusal(record);
  };
  EXPECT_PRED2(says, refusal("fixed.hea", "fixed/2 1 10 6\na 2\nb 3\n", "fixed"),
               "the header says 6 steps, its segments have 5");
  EXPECT_PRED2(says, refusal("fixed.hea", "fixed/2 1 10 6\na 2\nb 4\n", "fixed"),
               "the segment \"b\" should have 4 steps, but has 3");
  EXPECT_PRED2(says, refusal("fixed.hea", "fixed/2 1 20 5\na 2\nb 3\n", "fixed"),
               "the segment \"a\" has 10 steps a second, the record 20");
  EXPECT_PRED2(says, refusal("b.hea", "b 1 10 3\nb.dat 16 2/uV 16 0 0 0 0 II\n", "fixed"),
               "the channel \"II\" changes its unit or rate in the segment \"b\"");
  EXPECT_PRED2(says, refusal("b.hea", "b 1 10 3\nb.dat 16 2/mV 16 0 0 0 0 I\n", "fixed"),
               "has a channel \"I\" where the record has \"II\"");
  EXPECT_PRED2(says, refusal("b.hea", "b 1 10 3\nb.dat 16 2/mV 16 0 0 0 0 X\n", "variable"),
               "has a channel \"X\" where the record has none");
  EXPECT_PRED2(
      says,
      refusal("layout.hea", "layout 2 10 0\n~ 0 1 16 0 0 0 0 V\n~ 0 1 16 0 0 0 0 V\n", "variable"),
      "two channels are called \"V\"");
  Segments s;
  EXPECT_PRED2(says, s.refusal("layout"), "its channels have no signal file");
  s.text("fixed.hea", "fixed/3 1 10\na 2\n~ 99999999999\nb 3\n");
  EXPECT_PRED2(says, refused_with<LimitError>([&] { load_wfdb(s.folder / "fixed"); }),
               "many times larger than its files");
}

// wfdb.wrann(…, sample=[5, 700, 5000, 2000000, 2000001], symbol=["N", "V", "+", "(", "t"], …)
constexpr std::string_view marks_of_wfdb =
    "0504b71601f401f800ec0000cc10007002f005fc28414649420000ec1e00f870009c00f803fc6f646400016c01f003"
    "f40000";

TEST(WfdbAnnotations, reads_every_field) {
  const auto marks = read_wfdb_annotations(from_hex(marks_of_wfdb), "m");
  const std::vector<Annotation> expected = {{5, "N", 0, 0, 0, ""},
                                            {700, "V", 1, 1, 0, ""},
                                            {5000, "+", 0, 1, 2, "(AFIB"},
                                            {2000000, "(", 0, 0, 2, "odd"},
                                            {2000001, "t", 3, 0, 1, ""}};
  EXPECT_EQ(marks, expected);
}

// wfdb.wrann(…, sample=[5, 700], symbol=["N", "V"], fs=360): a note at step 0 tells the rate.
TEST(WfdbAnnotations, leaves_out_notes_about_the_file) {
  const auto marks = read_wfdb_annotations(
      from_hex(
          "005817fc23232074696d65207265736f6c7574696f6e3a203336300000ecffffffff01000504b7160000"),
      "m");
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].step, 5);
  EXPECT_EQ(marks[1].step, 700);
}

TEST(WfdbAnnotations, notes_lose_the_zero_that_ends_them_in_c) {
  const auto marks = read_wfdb_annotations(from_hex("1270 03fc 284e0000 0000"), "m");
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0], (Annotation{18, "+", 0, 0, 0, "(N"}));
}

TEST(WfdbAnnotations, refuses_every_truncation) {
  const auto whole = from_hex(marks_of_wfdb);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(
        refused_with<DataError>([&] { read_wfdb_annotations(Bytes(whole).first(size), "m"); }),
        "(not refused)")
        << size;
}

TEST(WfdbAnnotations, refuses_what_makes_no_sense) {
  const auto refused = [](std::string_view hex) {
    return refused_with<DataError>([&] { read_wfdb_annotations(from_hex(hex), "m"); });
  };
  EXPECT_PRED2(says, refused("0504 0000 0001"), "there are bytes after the end mark");
  EXPECT_EQ(refused("0504 0000 0000"), "(not refused)");
  EXPECT_PRED2(says, refused("01f0 0504 0000"), "do not start with a mark");
  EXPECT_PRED2(says, refused("05d8 0000"), "mark 0 has the unknown code 54");
  EXPECT_PRED2(says, refused("00ec ffff 0000 0504 0000"), "before the start of the signal");
  EXPECT_PRED2(says, refused("0504 ffff"), "a note is longer than the file");
}

TEST(WfdbAnnotations, survive_every_changed_byte) {
  const auto whole = from_hex(marks_of_wfdb);
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      auto damaged = whole;
      damaged[at] = static_cast<std::byte>(value);
      EXPECT_FALSE(refused_with<DataError>([&] { read_wfdb_annotations(damaged, "m"); }).empty());
    }
}

// --- the shipped records: values as the wfdb package 4.3.1 gives them
// ------------------------------

const std::filesystem::path shipped = std::filesystem::path(SONDE_SOURCE_DIR) / "data/ecg-qtdb";

TEST(EcgQtdb, is_read_as_the_wfdb_package_reads_it) {
  const WfdbRecord record = load_wfdb(shipped / "sele0114");
  EXPECT_EQ(record.signal.shape(), (Shape{10940, 2}));
  EXPECT_EQ(record.frequency, 250);
  EXPECT_EQ(record.channels, (std::vector<std::string>{"D3", "V4"}));
  EXPECT_EQ(record.signal(0, 0), 9.24f);
  EXPECT_EQ(record.signal(1234, 1), 7.355f);
  EXPECT_EQ(record.signal(10939, 1), 6.82f);
  double sum = 0;
  for (Index t = 0; t < 10940; ++t) sum += record.signal(t, 0);
  EXPECT_NEAR(sum, 98790.87058306, 1e-6);

  const auto marks = load_wfdb_annotations(shipped / "sel100", "q1c");
  ASSERT_EQ(marks.size(), 240u);
  EXPECT_EQ(marks[0], (Annotation{250, "(", 0, 0, 0, ""}));
  EXPECT_EQ(marks[4], (Annotation{308, "N", 0, 0, 1, ""}));
  EXPECT_EQ(marks[239], (Annotation{6174, ")", 0, 0, 2, ""}));
}

TEST(EcgQtdb, has_the_waves_its_source_counts) {
  Index steps = 0, p = 0, qrs = 0, t = 0;
  std::vector<double> labelled(4), masked(1);
  for (const Recording& recording : load_ecg_qtdb(shipped)) {
    steps += recording.weights.size();
    for (Index i = 0; i < recording.weights.size(); ++i)
      ++(recording.weights(i) > 0 ? labelled[static_cast<std::size_t>(recording.labels(i, 0))]
                                  : masked[0]);
    for (const Annotation& mark : load_wfdb_annotations(shipped / recording.name, "q1c")) {
      p += mark.symbol == "p";
      t += mark.symbol == "t";
      qrs += mark.symbol == "N" || mark.symbol == "B" || mark.symbol == "A" || mark.symbol == "V" ||
             mark.symbol == "Q";
    }
  }
  EXPECT_EQ(steps, 1'944'022);
  EXPECT_EQ(p, 3'194);
  EXPECT_EQ(qrs, 3'528 + 95);
  EXPECT_EQ(t, 3'542);
  // The table of data/ecg-qtdb/README.md.
  EXPECT_EQ(labelled, (std::vector<double>{301'685, 95'767, 105'180, 132'385}));
  EXPECT_EQ(masked[0], 1'309'005);
}

TEST(EcgQtdb, is_split_into_63_21_and_21_records) {
  const Split split = load_split(shipped / "split.csv");
  std::map<std::string, int> sizes;
  for (const auto& entry : split) ++sizes[entry.second];
  EXPECT_EQ(sizes, (std::map<std::string, int>{{"test", 21}, {"train", 63}, {"validation", 21}}));
  // Names and headers tell that these could be one person.
  EXPECT_EQ(split.at("sele0121"), split.at("sele0122"));
  EXPECT_EQ(split.at("sele0124"), split.at("sele0126"));
  EXPECT_EQ(split.at("sele0129"), split.at("sele0133"));
}

TEST(EcgQtdb, refuses_lists_that_lead_elsewhere) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "RECORDS", std::string_view("../sel100\n"));
  EXPECT_PRED2(says, refused_with<DataError>([&] { load_ecg_qtdb(folder.path()); }),
               "must be a record in the same folder");
}

}  // namespace
}  // namespace sonde::formats
