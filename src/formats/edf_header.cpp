#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <sonde/error.hpp>

#include "formats/edf.hpp"
#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

constexpr std::size_t part = 256;  // bytes of the fixed half, and of each signal

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// Fields in turn, each with its name for messages.
class Fields {
 public:
  Fields(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  std::string text(std::size_t width) {
    const std::string_view field = trimmed(rest_.substr(0, width));
    rest_.remove_prefix(width);
    return std::string(field);
  }
  template <class T>
  T number(std::size_t width, std::string_view name) {
    const std::string field = text(width);
    std::string_view digits = field;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    T value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    bool good = error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
    if constexpr (std::is_floating_point_v<T>) good = good && std::isfinite(value);
    if (!good)
      throw DataError(
          fmt::format("{}: {} must be a number, got \"{}\".", where_, name, printable(field)));
    return value;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw DataError(fmt::format("{}: {}", where_, what));
  }

 private:
  std::string_view rest_;
  const std::string& where_;
};

/// "dd.mm.yy" and "hh.mm.ss" as ISO 8601; years are those from 1985 on. Empty where they are no
/// date: some recorders leave it out.
std::string iso_time(const std::string& date, const std::string& time) {
  const auto pair_at = [](const std::string& text, std::size_t i) {
    const bool digits = text.size() == 8 && std::isdigit(static_cast<unsigned char>(text[i])) &&
                        std::isdigit(static_cast<unsigned char>(text[i + 1]));
    return digits ? (text[i] - '0') * 10 + (text[i + 1] - '0') : -1;
  };
  const int day = pair_at(date, 0), month = pair_at(date, 3), year = pair_at(date, 6);
  const int hour = pair_at(time, 0), minute = pair_at(time, 3), second = pair_at(time, 6);
  if (day < 1 || day > 31 || month < 1 || month > 12 || year < 0 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 59)
    return "";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year + (year < 85 ? 2000 : 1900), month,
                     day, hour, minute, second);
}

}  // namespace

Index EdfHeader::samples_of_record() const {
  Index sum = 0;
  for (const EdfSignal& each : signals) sum += each.samples;
  return sum;
}

EdfHeader read_edf_header(std::string_view bytes, std::uint64_t file_size,
                          const std::string& where) {
  Fields fixed(bytes, where);
  if (bytes.size() < part) fixed.refuse("is shorter than the header of an EDF file, 256 bytes.");
  const std::string version = fixed.text(8);
  const bool bdf = version ==
                   "\xFF"
                   "BIOSEMI";
  if (version != "0" && !bdf) fixed.refuse("is no EDF or BDF file: it does not begin with \"0\".");
  EdfHeader header;
  header.sample_bytes = bdf ? 3 : 2;
  header.patient = fixed.text(80);
  header.recording = fixed.text(80);
  const std::string date = fixed.text(8), time = fixed.text(8);
  header.start = iso_time(date, time);
  const auto size = fixed.number<std::int64_t>(8, "the size of the header");
  const std::string kind = fixed.text(44);
  header.plus = kind.starts_with("EDF+") || kind.starts_with("BDF+");
  header.broken = kind.starts_with("EDF+D") || kind.starts_with("BDF+D");
  const auto records = fixed.number<std::int64_t>(8, "the number of data records");
  header.seconds = fixed.number<double>(8, "the duration of a data record");
  const auto signals = fixed.number<std::int64_t>(4, "the number of signals");
  if (signals < 1) fixed.refuse(fmt::format("holds {} signals, expected at least one.", signals));
  header.size = part * (1 + static_cast<std::size_t>(signals));
  if (size != static_cast<std::int64_t>(header.size) || bytes.size() < header.size)
    fixed.refuse(
        fmt::format("the header of {} signals must be {} bytes; it says {}, and {} are there.",
                    signals, header.size, size, bytes.size()));

  // The same field of all signals, then the next one.
  Fields fields(bytes.substr(part), where);
  header.signals.resize(static_cast<std::size_t>(signals));
  const auto name = [&](std::string_view field, std::size_t i) {
    return fmt::format("{} of signal {} \"{}\"", field, i, printable(header.signals[i].label));
  };
  const auto for_each = [&](auto read) {
    for (std::size_t i = 0; i < header.signals.size(); ++i) read(header.signals[i], i);
  };
  for_each([&](EdfSignal& s, std::size_t) { s.label = fields.text(16); });
  for_each([&](EdfSignal&, std::size_t) { fields.text(80); });  // the transducer
  for_each([&](EdfSignal& s, std::size_t) { s.unit = fields.text(8); });
  for_each([&](EdfSignal& s, std::size_t i) {
    s.physical_minimum = fields.number<double>(8, name("the physical minimum", i));
  });
  for_each([&](EdfSignal& s, std::size_t i) {
    s.physical_maximum = fields.number<double>(8, name("the physical maximum", i));
  });
  for_each([&](EdfSignal& s, std::size_t i) {
    s.digital_minimum = fields.number<std::int64_t>(8, name("the digital minimum", i));
  });
  for_each([&](EdfSignal& s, std::size_t i) {
    s.digital_maximum = fields.number<std::int64_t>(8, name("the digital maximum", i));
  });
  for_each([&](EdfSignal&, std::size_t) { fields.text(80); });  // the prefilter
  for_each([&](EdfSignal& s, std::size_t i) {
    const auto samples = fields.number<std::int64_t>(8, name("the samples of a record", i));
    if (samples < 1)
      fields.refuse(fmt::format("{} must be at least 1, got {}.",
                                name("the number of samples of a record", i), samples));
    s.samples = samples;
  });
  for_each([&](EdfSignal& s, std::size_t i) {
    if (s.holds_annotations() && header.plus) return;
    if (s.digital_minimum >= s.digital_maximum)
      fields.refuse(fmt::format("{} must be below the maximum, got {} and {}.",
                                name("the digital minimum", i), s.digital_minimum,
                                s.digital_maximum));
    if (s.physical_minimum == s.physical_maximum)
      fields.refuse(fmt::format("{} equals the maximum, {}: its values cannot be told apart.",
                                name("the physical minimum", i), s.physical_minimum));
    if (!(header.seconds > 0))
      fields.refuse(
          fmt::format("the duration of a data record must be above 0, got {}.", header.seconds));
  });

  // Both factors are below 10^8 · 9999, so that nothing overflows.
  const auto record_bytes = static_cast<std::uint64_t>(header.samples_of_record()) *
                            static_cast<std::uint64_t>(header.sample_bytes);
  const std::uint64_t data = file_size - header.size;
  if (records < -1) fields.refuse(fmt::format("says that it holds {} data records.", records));
  header.records =
      static_cast<Index>(records == -1 ? data / record_bytes : static_cast<std::uint64_t>(records));
  if (static_cast<std::uint64_t>(header.records) != data / record_bytes || data % record_bytes != 0)
    fields.refuse(fmt::format("{} data records of {} bytes were expected, {} bytes are there{}.",
                              header.records, record_bytes, data,
                              data < static_cast<std::uint64_t>(header.records) * record_bytes
                                  ? ": the file was cut off. Copy it again, in binary mode"
                                  : ""));
  return header;
}

}  // namespace sonde::formats
