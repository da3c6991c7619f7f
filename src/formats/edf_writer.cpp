#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sonde/error.hpp>

#include "formats/edf.hpp"
#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

constexpr char separator = '\x14', before_duration = '\x15';
/// Bytes of one data record: as the specification recommends, and enough for any label.
constexpr std::size_t usual_record = 2048, largest_record = 61440;
/// When a record began. Without signals a record lasts 0 seconds, so that all begin at 0.
constexpr std::string_view time_mark("+0\x14\x14\0", 5);

/// Digits that read back as the same number, without an exponent, which EDF+ does not know.
std::string seconds_text(double seconds) {
  std::array<char, 400> digits;  // the longest double has 309 before and 340 after the point
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), seconds,
                                 std::chars_format::fixed);
  return std::string(digits.data(), end.ptr);
}

std::string list_of(const EdfAnnotation& each) {
  const auto refuse = [&](std::string_view what) {
    throw ArgumentError(
        fmt::format("EDF: the annotation \"{}\" {}.", printable(each.text, 40), what));
  };
  // A thousand years: beyond that, and below a nanosecond, times are mistakes.
  constexpr double most = 3.2e10;
  if (!(std::abs(each.onset) <= most)) refuse(fmt::format("begins at {} s", each.onset));
  if (!(each.duration >= 0 && each.duration <= most))
    refuse(fmt::format("lasts {} s, expected 0 or more", each.duration));
  if (each.text.empty()) refuse("has no text: EDF+ would not keep it");
  if (std::any_of(each.text.begin(), each.text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 32; }))
    refuse("holds a control character");
  std::string list = std::signbit(each.onset) && each.onset != 0 ? "" : "+";
  list += seconds_text(each.onset == 0 ? 0.0 : each.onset);
  if (each.duration > 0) list += before_duration + seconds_text(each.duration);
  list += separator + each.text + separator + '\0';
  if (list.size() + time_mark.size() > largest_record) refuse("is longer than a data record");
  return list;
}

/// "2009-08-12T16:15:00" in the two forms of an EDF+ header. Nobody knows: as the specification
/// says.
struct Start {
  std::string fields = "01.01.8500.00.00";
  std::string date = "X";
};
Start start_of(const std::string& text) {
  if (text.empty()) return {};
  static constexpr std::array<std::string_view, 12> months = {
      "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  std::array<int, 6> parts = {};
  bool good = text.size() == 19;
  static constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  for (std::size_t i = 0, part = 0; good && i < form.size(); ++i) {
    if (form[i] == 'd') {
      good = text[i] >= '0' && text[i] <= '9';
      parts[part] = parts[part] * 10 + (text[i] - '0');
    } else {
      good = text[i] == form[i];
      ++part;
    }
  }
  const auto [year, month, day, hour, minute, second] = parts;
  if (!good || year < 1985 || year > 2084 || month < 1 || month > 12 || day < 1 || day > 31 ||
      hour > 23 || minute > 59 || second > 59)
    throw ArgumentError(fmt::format(
        "EDF: the start must be like \"2009-08-12T16:15:00\", from 1985 to 2084, or empty; got "
        "\"{}\".",
        printable(text)));
  return {fmt::format("{:02}.{:02}.{:02}{:02}.{:02}.{:02}", day, month, year % 100, hour, minute,
                      second),
          fmt::format("{:02}-{}-{}", day, months[static_cast<std::size_t>(month - 1)], year)};
}

}  // namespace

std::string write_edf_annotations(const std::string& start,
                                  std::vector<EdfAnnotation> annotations) {
  std::stable_sort(annotations.begin(), annotations.end(),
                   [](const auto& a, const auto& b) { return a.onset < b.onset; });
  std::vector<std::string> lists;
  std::size_t size = usual_record, all = time_mark.size();
  for (const EdfAnnotation& each : annotations) {
    lists.push_back(list_of(each));
    all += lists.back().size();
    size = std::max(size, (lists.back().size() + time_mark.size() + 1) / 2 * 2);
  }
  if (all < size) size = std::max<std::size_t>((all + 1) / 2 * 2, 8);

  std::string data;
  std::size_t records = 0;
  for (std::size_t i = 0; i < lists.size() || records == 0; ++records) {
    std::string record(time_mark);
    while (i < lists.size() && record.size() + lists[i].size() <= size) record += lists[i++];
    record.resize(size, '\0');
    data += record;
  }

  const Start at = start_of(start);
  const auto number = [](std::size_t value) { return std::to_string(value); };
  std::string file;
  const auto field = [&](std::string text, std::size_t width) {
    text.resize(width, ' ');
    file += text;
  };
  field("0", 8);
  field("X X X X", 80);
  field("Startdate " + at.date + " X X X", 80);
  field(at.fields, 16);
  field("512", 8);
  field("EDF+C", 44);
  field(number(records), 8);
  field("0", 8);  // seconds of a record
  field("1", 4);
  field("EDF Annotations", 16);
  field("", 80 + 8);
  for (const char* const limit : {"-1", "1", "-32768", "32767"}) field(limit, 8);
  field("", 80);
  field(number(size / 2), 8);
  field("", 32);
  if (number(records).size() > 8) throw ArgumentError("EDF: there are too many annotations.");
  return file + data;
}

}  // namespace sonde::formats

namespace sonde {

void save_edf_annotations(const std::filesystem::path& path, const std::string& start,
                          std::vector<EdfAnnotation> annotations) {
  write_file_atomically(path, formats::write_edf_annotations(start, std::move(annotations)));
}

}  // namespace sonde
