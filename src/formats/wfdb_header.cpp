#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <sonde/error.hpp>
#include <utility>

#include "formats/printable.hpp"
#include "formats/wfdb.hpp"

namespace sonde::formats {
namespace {

/// More channels than any recorder has; a header claims them in a few bytes.
constexpr std::int64_t most_channels = 4096;
/// A month in pieces of half a minute.
constexpr std::int64_t most_segments = 100'000;
constexpr std::int64_t most_samples_per_step = 10'000;

/// Reads the fields of one header line, which stand between blanks.
class Line {
 public:
  Line(std::string_view text, std::string where) : rest_(text), where_(std::move(where)) {}

  [[noreturn]] void refuse(std::string_view what) const {
    throw DataError(fmt::format("{}: {}.", where_, what));
  }

  /// The next field, or empty at the end of the line.
  std::string_view field() {
    skip_blanks();
    const std::size_t end = std::min(rest_.find_first_of(" \t"), rest_.size());
    return take(end);
  }
  std::string_view remainder() {
    skip_blanks();
    return take(rest_.size());
  }

  /// A whole number at the front of `text`, which is shortened by it.
  std::int64_t whole(std::string_view& text, std::string_view what) const {
    return number<std::int64_t>(text, what);
  }
  double real(std::string_view& text, std::string_view what) const {
    const double value = number<double>(text, what);
    if (!std::isfinite(value)) refuse(fmt::format("{} must be finite", what));
    return value;
  }
  void finish(std::string_view text, std::string_view what) const {
    if (!text.empty()) refuse(fmt::format("\"{}\" stands after the {}", printable(text), what));
  }
  /// Removes `c` from the front of `text` if it stands there.
  static bool accept(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }
  std::string_view take(std::size_t size) {
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  template <class T>
  T number(std::string_view& text, std::string_view what) const {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc())
      refuse(fmt::format("the {} must be a number, got \"{}\"", what, printable(text)));
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
  }

  std::string_view rest_;
  std::string where_;
};

/// A file name from a stranger must stay in the folder of its header.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find_first_of("/\\:") == name.npos && name.front() != '.' &&
         name != "-" && name != "~";
}

/// What the first line says of the lines after it.
struct Counts {
  std::int64_t channels = -1;
  std::int64_t segments = 0;  ///< 0: channels follow, not segments
};

/// The first line: name[/segments] channels [frequency[/counter] [steps [time [date]]]]
Counts read_record_line(Line line, WfdbHeader& header) {
  Counts counts;
  std::string_view name = line.field();
  if (const std::size_t slash = name.find('/'); slash != name.npos) {
    std::string_view number = name.substr(slash + 1);
    counts.segments = line.whole(number, "number of segments");
    line.finish(number, "number of segments");
    if (counts.segments < 1 || counts.segments > most_segments)
      line.refuse(fmt::format("expected 1 to {} segments, got {}", most_segments, counts.segments));
    name = name.substr(0, slash);
  }
  header.name = name;
  std::string_view text = line.field();
  const std::int64_t channels = line.whole(text, "number of channels");
  line.finish(text, "number of channels");
  if (channels < 1 || channels > most_channels)
    line.refuse(fmt::format("expected 1 to {} channels, got {}", most_channels, channels));
  if (text = line.field(); !text.empty()) {
    header.frequency = line.real(text, "frequency");
    if (header.frequency <= 0) line.refuse("the frequency must be above 0");
    // What follows is the frequency of a counter that nobody needs: 250/360(0).
    if (!text.empty() && text.front() != '/' && text.front() != '(') line.finish(text, "frequency");
  }
  if (text = line.field(); !text.empty()) {
    header.steps = line.whole(text, "number of steps");
    line.finish(text, "number of steps");
    if (header.steps < 0) line.refuse("the number of steps must not be negative");
    if (header.steps == 0) header.steps = -1;  // not known when the header was written
  }
  counts.channels = channels;
  header.channel_count = channels;
  return counts;
}

/// name steps
WfdbSegment read_segment_line(Line line) {
  WfdbSegment segment;
  segment.name = line.field();
  if (segment.name != "~" && !is_plain_name(segment.name))
    line.refuse(fmt::format("the segment \"{}\" must be a record in the same folder",
                            printable(segment.name)));
  std::string_view text = line.field();
  segment.steps = line.whole(text, "number of steps");
  line.finish(text, "number of steps");
  if (segment.steps < 0) line.refuse("the number of steps must not be negative");
  return segment;
}

/// file format[xsamples][:skew][+offset] [gain[(baseline)][/units] [resolution [zero [first
/// [checksum [block [description]]]]]]]
WfdbChannel read_channel_line(Line line) {
  WfdbChannel channel;
  channel.file = line.field();
  std::string_view text = line.field();
  channel.format = static_cast<int>(std::clamp<std::int64_t>(line.whole(text, "format"), -1, 9999));
  const bool is_listed_only = channel.file == "~" && channel.format == 0;
  if (!is_listed_only && !is_plain_name(channel.file))
    line.refuse(fmt::format("the signal file \"{}\" must be a file name in the same folder",
                            printable(channel.file)));
  if (Line::accept(text, 'x')) {
    channel.samples_per_step = line.whole(text, "samples per step");
    if (channel.samples_per_step < 1 || channel.samples_per_step > most_samples_per_step)
      line.refuse(fmt::format("expected 1 to {} samples per step, got {}", most_samples_per_step,
                              channel.samples_per_step));
  }
  if (Line::accept(text, ':')) {
    channel.skew = line.whole(text, "skew");
    if (channel.skew < 0) line.refuse("the skew must not be negative");
  }
  if (Line::accept(text, '+')) {
    const std::int64_t offset = line.whole(text, "byte offset");
    if (offset < 0) line.refuse("the byte offset must not be negative");
    channel.offset = static_cast<std::uint64_t>(offset);
  }
  line.finish(text, "format");

  std::optional<std::int64_t> baseline;
  if (text = line.field(); !text.empty()) {
    const double gain = line.real(text, "gain");
    if (gain != 0) channel.gain = gain;  // 0: not calibrated, and then 200 is agreed
    if (Line::accept(text, '(')) {
      baseline = line.whole(text, "baseline");
      if (!Line::accept(text, ')')) line.refuse("the baseline has no closing bracket");
    }
    if (Line::accept(text, '/')) channel.units = std::exchange(text, {});
    line.finish(text, "gain");
  }
  static constexpr std::array<std::string_view, 5> names = {"resolution", "zero", "first value",
                                                            "checksum", "block size"};
  std::array<std::int64_t, names.size()> values = {};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (text = line.field(); !text.empty()) {
      values[i] = line.whole(text, names[i]);
      line.finish(text, names[i]);
      channel.has_checksum |= i == 3;
    }
  channel.baseline = baseline.value_or(values[1]);
  channel.first_value = values[2];
  channel.checksum = values[3];
  std::string_view description = line.remainder();
  while (!description.empty() && (description.back() == ' ' || description.back() == '\t'))
    description.remove_suffix(1);
  channel.description = description;
  return channel;
}

}  // namespace

WfdbHeader read_wfdb_header(std::string_view text, const std::string& where) {
  WfdbHeader header;
  Counts expected;
  int line_number = 0;
  const auto found = [&] {
    return static_cast<std::int64_t>(expected.segments > 0 ? header.segments.size()
                                                           : header.channels.size());
  };
  const auto wanted = [&] { return expected.segments > 0 ? expected.segments : expected.channels; };
  const auto noun = [&] { return expected.segments > 0 ? "segments" : "channels"; };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == line.npos) continue;
    const Line fields(line, fmt::format("{}, line {}", where, line_number));
    if (line.front() == '#') header.comments.emplace_back(line.substr(1));
    else if (expected.channels < 0) expected = read_record_line(fields, header);
    else if (found() == wanted())
      fields.refuse(fmt::format("more lines than the {} {}", wanted(), noun()));
    else if (expected.segments > 0) header.segments.push_back(read_segment_line(fields));
    else header.channels.push_back(read_channel_line(fields));
  }
  if (expected.channels < 0) throw DataError(fmt::format("{}: the header is empty.", where));
  if (found() != wanted())
    throw DataError(fmt::format("{}: expected {} {}, got {}. The header was cut off.", where,
                                wanted(), noun(), found()));
  return header;
}

}  // namespace sonde::formats
