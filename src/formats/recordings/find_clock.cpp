#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sonde/recording_set.hpp>

#include "formats/csv_cells.hpp"
#include "formats/printable.hpp"
#include "formats/recordings/tracks.hpp"

namespace sonde {
namespace {

constexpr std::size_t fewest_rows = 3;  ///< two of anything rise equally

/// "Time (s)", "time_ms" and "timestamp" are clocks, and so is a column without a name beside ones
/// with names: an index, as data frames are written.
bool is_name_of_clock(std::string_view name) {
  static const std::set<std::string, std::less<>> clocks = {
      "",        "t",      "time",   "times",   "timestamp", "timestamps",
      "seconds", "second", "sample", "samples", "index",     "unnamed"};
  std::string word;
  for (const char c : name) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (small < 'a' || small > 'z') break;
    word += small;
  }
  return (name.empty() || !word.empty()) && clocks.contains(word);
}

/// What all steps of the column are, but for the last decimal that is written; 0: they differ.
double equal_step(const TextTable& table) {
  std::vector<double> times;
  std::size_t decimals = 0;
  for (const auto& row : table.rows) {
    const auto number = formats::number_of_cell(row[0], formats::DecimalSign::either);
    if (!number) return 0;
    // As double: seconds since 1970 have no steps as float.
    std::string text = row[0];
    std::replace(text.begin(), text.end(), ',', '.');
    times.push_back(std::strtod(text.c_str(), nullptr));
    const std::size_t point = text.find('.');
    if (point != text.npos && text.find_first_of("eE") == text.npos)
      decimals = std::max(decimals, text.size() - point - 1);
  }
  if (times.size() < fewest_rows) return 0;
  const double step = (times.back() - times.front()) / static_cast<double>(times.size() - 1);
  const double last_digit = std::pow(10.0, -static_cast<double>(decimals));
  const double slack = std::max(last_digit < 0.9 * step ? 1.01 * last_digit : 0, 1e-3 * step);
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double each = times[i] - times[i - 1];
    if (!(each > 0) || !(std::abs(each - step) <= slack)) return 0;
  }
  return step;
}

/// What a clock with this step counts, by the rows of a second.
std::string_view unit_of_step(double step, double frequency) {
  const auto is = [&](double expected) { return std::abs(step / expected - 1) < 0.01; };
  if (frequency > 0 && is(1e3 / frequency)) return "milliseconds";
  if (frequency > 0 && is(1e6 / frequency)) return "microseconds";
  return is(1) && !(frequency > 0 && is(1 / frequency)) ? "samples" : "seconds";
}

}  // namespace

std::string ClockColumn::text() const {
  const std::string which = name.empty()
                                ? fmt::format("column {}, which has no name,", number)
                                : fmt::format("the column \"{}\"", formats::printable(name));
  return fmt::format(
      "{} rises by {:.6g} from row to row, as a clock does, and is taken for a signal: a network "
      "can "
      "read the time from it and label by the clock, which makes scores that hold for no other "
      "recording.",
      which, step);
}

std::optional<ClockColumn> find_clock(const std::filesystem::path& table,
                                      const std::map<Index, std::string>& columns,
                                      CsvOptions options) {
  for (const auto& [number, name] : columns) {
    if (!is_name_of_clock(name)) continue;
    options.columns = {fmt::format("{}", number)};
    options.by_name = false;
    if (const double step = equal_step(load_text_table(table, options)); step > 0)
      return ClockColumn{.name = name, .number = number, .step = step};
  }
  return std::nullopt;
}

namespace formats {

std::string remark_on_clock(const RecordingSet& set, std::size_t entry,
                            const FoundRecording& first) {
  if (!set.channels.empty()) return {};  // whoever names channels means them
  const SignalFiles& how = set.signals[entry];
  const std::filesystem::path& path = first.signals[entry];
  const std::string where = signals_name(entry);
  auto columns = usual_channels(how, path, label_columns(set, entry, first), where);
  const auto clock = find_clock(path, columns, csv_options(how, where));
  if (!clock) return {};
  columns.erase(clock->number);
  std::string others;
  for (const auto& [number, name] : columns)
    others += fmt::format(
        "{}{}", others.empty() ? "" : ", ",
        name.empty() ? fmt::format("{}", number) : fmt::format("\"{}\"", printable(name)));
  return fmt::format(
      "warning: {}: \"{}\": {} Say in [[recordings.signals]] that it is the clock, time = \"{}\" "
      "and "
      "time_unit = \"{}\"{}.",
      where, path.string(), clock->text(),
      clock->name.empty() ? fmt::format("{}", clock->number) : printable(clock->name),
      unit_of_step(clock->step, how.frequency),
      others.empty() ? "" : fmt::format("; or which columns are signals, columns = [{}]", others));
}

}  // namespace formats
}  // namespace sonde
