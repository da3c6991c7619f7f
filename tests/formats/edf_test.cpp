#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "formats/edf.hpp"
#include "tests/support/files.hpp"

namespace sonde {
namespace {

using namespace std::string_literals;

/// A file as the specification writes it, field by field, so that each can be spoilt.
struct Writer {
  struct Signal {
    std::string label = "EEG Fpz-Cz", unit = "uV";
    std::string physical_minimum = "-100", physical_maximum = "100", digital_minimum = "-2048",
                digital_maximum = "2047", samples = "4";
  };
  std::string version = "0", start = "12.08.0916.15.00", kind = "", records = "2", seconds = "1";
  std::string header_size = "";  // as it should be
  std::vector<Signal> signals = {Signal{}};
  std::string data;

  static std::string padded(std::string text, std::size_t width) {
    text.resize(width, ' ');
    return text;
  }
  void samples(std::initializer_list<int> values, int bytes = 2) {
    for (const int value : values)
      for (int i = 0; i < bytes; ++i) data += static_cast<char>(value >> (8 * i));
  }
  void annotations(const std::string& text, std::size_t size) {
    data += text + std::string(size - text.size(), '\0');
  }
  std::string file() const {
    std::string text = padded(version, 8) + padded("X F 01-JAN-1980", 80) + padded("night", 80) +
                       padded(start, 16);
    text +=
        padded(header_size.empty() ? std::to_string(256 * (1 + signals.size())) : header_size, 8);
    text += padded(kind, 44) + padded(records, 8) + padded(seconds, 8) +
            padded(std::to_string(signals.size()), 4);
    const auto field = [&](auto of, std::size_t width) {
      for (const Signal& each : signals) text += padded(of(each), width);
    };
    field([](auto& s) { return s.label; }, 16);
    field([](auto&) { return std::string("AgCl"); }, 80);
    field([](auto& s) { return s.unit; }, 8);
    field([](auto& s) { return s.physical_minimum; }, 8);
    field([](auto& s) { return s.physical_maximum; }, 8);
    field([](auto& s) { return s.digital_minimum; }, 8);
    field([](auto& s) { return s.digital_maximum; }, 8);
    field([](auto&) { return std::string("HP:0.1Hz"); }, 80);
    field([](auto& s) { return s.samples; }, 8);
    field([](auto&) { return std::string(); }, 32);
    return text + data;
  }
  EdfFile read() const { return formats::read_edf(bytes_of(file()), "night.edf"); }
  std::string refusal() const {
    try {
      read();
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing was refused";
  }
};

Writer plain() {
  Writer w;
  w.samples({-2048, 2047, 0, 1, -1, 1000, -1000, 2});
  return w;
}

/// Two signals and annotations, with a pause of a second between the records.
Writer paused() {
  Writer w;
  w.kind = "EDF+D";
  w.signals = {Writer::Signal{},
               Writer::Signal{.label = "Resp",
                              .unit = "V",
                              .physical_minimum = "10",
                              .physical_maximum = "-10",
                              .samples = "2"},
               Writer::Signal{.label = "EDF Annotations", .samples = "20"}};
  w.samples({0, 0, 0, 0});
  w.samples({-2048, 2047});
  w.annotations(
      "+0\x14\x14\0+0.5\x15"
      "1.5\x14spindle\x14K\x14\0"s,
      40);
  w.samples({1, 1, 1, 1});
  w.samples({0, 0});
  w.annotations("+2\x14\x14\0+2.25\x14wake\x14\0"s, 40);
  return w;
}

TEST(Edf, turns_stored_numbers_into_physical_units) {
  const EdfFile file = plain().read();
  EXPECT_EQ(file.patient, "X F 01-JAN-1980");
  EXPECT_EQ(file.recording, "night");
  EXPECT_EQ(file.start, "2009-08-12T16:15:00");
  ASSERT_EQ(file.channels.size(), 1u);
  const EdfChannel& eeg = file.channels[0];
  EXPECT_EQ(eeg.name, "EEG Fpz-Cz");
  EXPECT_EQ(eeg.unit, "uV");
  EXPECT_EQ(eeg.frequency, 4);
  ASSERT_EQ(eeg.values.shape(), Shape{8});
  const double step = 200.0 / 4095;
  EXPECT_FLOAT_EQ(eeg.values(0), -100);
  EXPECT_FLOAT_EQ(eeg.values(1), 100);
  EXPECT_FLOAT_EQ(eeg.values(2), static_cast<float>(-100 + 2048 * step));
  EXPECT_FLOAT_EQ(eeg.values(6), static_cast<float>(-100 + 1048 * step));
  EXPECT_EQ(file.stretches, (std::vector<EdfStretch>{{0, 2}}));
}

TEST(Edf, bdf_has_samples_of_three_bytes) {
  Writer w;
  w.version =
      "\xFF"
      "BIOSEMI";
  w.records = "1";
  w.signals[0] = {.physical_minimum = "-8388608",
                  .physical_maximum = "8388607",
                  .digital_minimum = "-8388608",
                  .digital_maximum = "8388607",
                  .samples = "3"};
  w.samples({-8388608, -2, 8388607}, 3);
  const Array values = w.read().channels[0].values;
  EXPECT_EQ(values(0), -8388608);
  EXPECT_EQ(values(1), -2);
  EXPECT_EQ(values(2), 8388607);
}

TEST(Edf, the_number_of_records_may_be_left_open) {
  Writer w = plain();
  w.records = "-1";
  EXPECT_EQ(w.read().channels[0].values.size(), 8);
}

TEST(Edf, pauses_and_annotations_of_edf_plus_are_kept) {
  const EdfFile file = paused().read();
  ASSERT_EQ(file.channels.size(), 2u);
  EXPECT_EQ(file.channels[1].frequency, 2);
  EXPECT_FLOAT_EQ(file.channels[1].values(0), 10);  // upside down
  EXPECT_FLOAT_EQ(file.channels[1].values(1), -10);
  EXPECT_EQ(file.stretches, (std::vector<EdfStretch>{{0, 1}, {2, 1}}));
  EXPECT_EQ(file.annotations, (std::vector<EdfAnnotation>{
                                  {0.5, 1.5, "spindle"}, {0.5, 1.5, "K"}, {2.25, 0, "wake"}}));

  const Array signal = edf_signal(file, {"EEG Fpz-Cz"});
  ASSERT_EQ(signal.shape(), (Shape{12, 1}));
  for (Index t = 0; t < 12; ++t) EXPECT_EQ(std::isnan(signal(t, 0)), t >= 4 && t < 8) << t;
  EXPECT_FLOAT_EQ(signal(8, 0), file.channels[0].values(4));
}

TEST(Edf, pauses_of_years_ask_for_no_memory) {
  for (const std::string far : {"+99999999", "+9e300"}) {
    Writer late = paused();
    const std::size_t at = late.data.find("+2\x14");
    late.data.replace(at, 40, (far + "\x14\x14").append(38 - far.size(), '\0'));
    EXPECT_PRED2(testing::says,
                 testing::refused_with<LimitError>([&] { edf_signal(late.read(), {"Resp"}); }),
                 "many times what is stored. Read its stretches");
  }
}

TEST(Edf, channels_side_by_side_must_have_one_frequency) {
  const EdfFile file = paused().read();
  EXPECT_THROW(edf_signal(file), DataError);
  EXPECT_THROW(edf_signal(file, {"ECG"}), DataError);
  EXPECT_EQ(edf_signal(file, {"Resp", "Resp"}).shape(), (Shape{6, 2}));
}

TEST(Edf, a_continuous_file_with_a_pause_is_refused) {
  Writer w = paused();
  w.kind = "EDF+C";
  EXPECT_EQ(w.refusal(),
            "night.edf: data record 1: begins at 2 s after a pause, but the file says that it has "
            "none (EDF+C).");
}

TEST(Edf, every_header_field_that_cannot_be_is_refused_with_its_name) {
  const auto refusal = [](auto spoil) {
    Writer w = plain();
    spoil(w);
    return w.refusal();
  };
  EXPECT_EQ(refusal([](Writer& w) { w.version = "1"; }),
            "night.edf: is no EDF or BDF file: it does not begin with \"0\".");
  EXPECT_EQ(refusal([](Writer& w) { w.seconds = "abc"; }),
            "night.edf: the duration of a data record must be a number, got \"abc\".");
  EXPECT_EQ(refusal([](Writer& w) { w.seconds = "0"; }),
            "night.edf: the duration of a data record must be above 0, got 0.");
  EXPECT_EQ(refusal([](Writer& w) { w.seconds = "nan"; }),
            "night.edf: the duration of a data record must be a number, got \"nan\".");
  EXPECT_EQ(
      refusal([](Writer& w) { w.header_size = "768"; }),
      "night.edf: the header of 1 signals must be 512 bytes; it says 768, and 528 are there.");
  EXPECT_EQ(refusal([](Writer& w) { w.signals[0].digital_maximum = "-2048"; }),
            "night.edf: the digital minimum of signal 0 \"EEG Fpz-Cz\" must be below the maximum, "
            "got -2048 and -2048.");
  EXPECT_EQ(refusal([](Writer& w) { w.signals[0].physical_maximum = "-100"; }),
            "night.edf: the physical minimum of signal 0 \"EEG Fpz-Cz\" equals the maximum, -100: "
            "its values cannot be told apart.");
  EXPECT_EQ(refusal([](Writer& w) { w.signals[0].samples = "0"; }),
            "night.edf: the number of samples of a record of signal 0 \"EEG Fpz-Cz\" must be at "
            "least 1, got 0.");
  EXPECT_EQ(refusal([](Writer& w) { w.records = "3"; }),
            "night.edf: 3 data records of 8 bytes were expected, 16 bytes are there: the file was "
            "cut off. Copy it again, in binary mode.");
  EXPECT_EQ(refusal([](Writer& w) { w.records = "1"; }),
            "night.edf: 1 data records of 8 bytes were expected, 16 bytes are there.");
  EXPECT_EQ(refusal([](Writer& w) { w.signals.clear(); }),
            "night.edf: holds 0 signals, expected at least one.");
  EXPECT_EQ(
      refusal([](Writer& w) {
        w.signals[0].samples = "99999999";
        w.records = "99999999";
      }),
      "night.edf: 99999999 data records of 199999998 bytes were expected, 16 bytes are there: "
      "the file was cut off. Copy it again, in binary mode.");
}

TEST(Edf, annotations_that_do_not_end_or_have_no_onset_are_refused) {
  const auto refusal = [](const std::string& annotations) {
    Writer w = paused();
    w.data.replace(12, 40, annotations + std::string(40 - annotations.size(), '\0'));
    return w.refusal();
  };
  EXPECT_EQ(refusal(std::string(40, 'x')), "night.edf: data record 0: the annotation \"" +
                                               std::string(40, 'x') + "\" does not end.");
  EXPECT_EQ(refusal("0\x14\x14"), "night.edf: data record 0: \"0\" is no onset of an annotation.");
  EXPECT_EQ(refusal("+0\x15x\x14\x14"),
            "night.edf: data record 0: \"x\" is no duration of an annotation.");
  EXPECT_EQ(refusal(""), "night.edf: data record 0: does not say when it began, as EDF+ must.");
}

TEST(Edf, a_file_cut_off_anywhere_is_refused) {
  const std::string whole = paused().file();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(formats::read_edf(bytes_of(std::string_view(whole).substr(0, size)), "cut"),
                 DataError)
        << size;
}

TEST(Edf, several_lists_of_annotations_are_put_together) {
  Writer w = paused();
  w.kind = "EDF+C";
  w.signals = {Writer::Signal{.label = "EDF Annotations", .samples = "10"},
               Writer::Signal{.label = "EDF Annotations", .samples = "10"}};
  w.records = "1";
  w.seconds = "0";
  w.data.clear();
  w.annotations("+0\x14\x14\0"s, 20);
  w.annotations("+7.5\x14wake\x14\0"s, 20);
  const EdfFile file = w.read();
  EXPECT_TRUE(file.channels.empty());
  EXPECT_EQ(file.annotations, (std::vector<EdfAnnotation>{{7.5, 0, "wake"}}));
}

std::vector<EdfAnnotation> written_and_read(const std::string& start,
                                            const std::vector<EdfAnnotation>& annotations) {
  const EdfFile file =
      formats::read_edf(bytes_of(formats::write_edf_annotations(start, annotations)), "labels");
  EXPECT_TRUE(file.channels.empty());
  EXPECT_EQ(file.start, start.empty() ? "1985-01-01T00:00:00" : start);
  return file.annotations;
}

TEST(EdfWriter, annotations_come_back_as_they_were) {
  const std::vector<EdfAnnotation> marks = {
      {-2.5, 0, "before"}, {0, 0.1, "a"}, {1.0 / 3, 1e-7, "third"}, {86400.125, 30, "REM \u00e4"}};
  EXPECT_EQ(written_and_read("2009-08-12T16:15:00", marks), marks);
  EXPECT_EQ(written_and_read("", {}), std::vector<EdfAnnotation>{});
  EXPECT_EQ(written_and_read("", {{5, 1, "b"}, {1, 1, "a"}})[0].text, "a");
}

TEST(EdfWriter, thousands_of_annotations_take_many_records) {
  std::vector<EdfAnnotation> marks;
  for (int i = 0; i < 5003; ++i)
    marks.push_back({i * 0.37, i % 7 * 0.5, "label " + std::to_string(i)});
  marks.push_back({9e6, 1, std::string(5000, 'x')});
  EXPECT_EQ(written_and_read("1999-12-31T23:59:59", marks), marks);
}

TEST(EdfWriter, refuses_what_edf_cannot_hold) {
  const auto refused = [](const EdfAnnotation& mark, const std::string& start = "") {
    return testing::refused_with<ArgumentError>(
        [&] { formats::write_edf_annotations(start, {mark}); });
  };
  EXPECT_EQ(refused({0, 0, ""}), "EDF: the annotation \"\" has no text: EDF+ would not keep it.");
  EXPECT_EQ(refused({std::nan(""), 0, "a"}), "EDF: the annotation \"a\" begins at nan s.");
  EXPECT_EQ(refused({0, -1, "a"}), "EDF: the annotation \"a\" lasts -1 s, expected 0 or more.");
  EXPECT_EQ(refused({0, 0,
                     "a\x14"
                     "b"}),
            "EDF: the annotation \"a?b\" holds a control character.");
  EXPECT_PRED2(testing::says, refused({0, 0, std::string(70000, 'x')}),
               "longer than a data record");
  for (const std::string start : {"2009-08-12", "1984-08-12T16:15:00", "2009-13-12T16:15:00", "x"})
    EXPECT_PRED2(testing::says, refused({0, 0, "a"}, start), "the start must be like") << start;
}

TEST(Edf, reads_from_the_disk_and_refuses_what_is_not_there) {
  const testing::TemporaryFolder folder;
  const std::string whole = plain().file();
  std::ofstream(folder / "a.edf", std::ios::binary) << whole;
  EXPECT_EQ(load_edf(folder / "a.edf").channels[0].values.size(), 8);
  EXPECT_THROW(load_edf(folder / "b.edf"), IoError);
}

}  // namespace
}  // namespace sonde
