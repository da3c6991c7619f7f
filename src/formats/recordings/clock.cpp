#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sonde/words.hpp>

#include "formats/printable.hpp"
#include "formats/recordings/tracks.hpp"

namespace sonde::formats {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double number_of(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end ? value : nan;
}

/// Days from 1970-01-01 in the Gregorian calendar.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  // March is the first month, so that the leap day is the last of its year.
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400, in_era = year - era * 400;
  const std::int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

/// "2020-02-08 17:27:19.5", "2020-02-08T17:27:19Z", "2020/02/08 17:27".
double date_of(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto digits = [&](std::size_t at, std::size_t count) -> std::int64_t {
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
      if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const auto is = [&](std::size_t at, std::string_view any) {
    return at < text.size() && any.find(text[at]) != any.npos;
  };
  const std::int64_t year = digits(0, 4), month = digits(5, 2), day = digits(8, 2),
                     hour = digits(11, 2), minute = digits(14, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 24 ||
      minute < 0 || minute > 59 || !is(4, "-/.") || !is(7, "-/.") || !is(10, " T") || !is(13, ":"))
    return nan;
  double seconds = 0;
  if (text.size() > 16) {
    if (!is(16, ":") || digits(17, 2) < 0) return nan;
    seconds = number_of(text.substr(17));
    if (!(seconds >= 0 && seconds < 61)) return nan;
  }
  return static_cast<double>(days_of(year, month, day) * 86400 + hour * 3600 + minute * 60) +
         seconds;
}

/// The most usual difference of neighbours, as their median.
double usual_step(const std::vector<double>& times) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < times.size(); ++i)
    if (times[i] > times[i - 1]) steps.push_back(times[i] - times[i - 1]);
  if (steps.empty()) return 0;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return *middle;
}

/// Rows per second as far as these times can tell: 50 and not 50.000000000001066, which is what
/// differences of times like 7.02 and 7.04 give. Times have a relative error of `epsilon`, so that
/// their differences have that of the largest time.
double rate_of_steps(double step, const std::vector<double>& times) {
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  const double rate = 1 / step, most = std::max(std::abs(times.front()), std::abs(times.back()));
  const double rounded = number_of(rate_text(rate));
  return std::abs(rounded / rate - 1) <= 4 * epsilon * (1 + most / step) ? rounded : rate;
}

}  // namespace

double seconds_of(std::string_view text, TimeUnit unit, double frequency) {
  if (unit == TimeUnit::date) return date_of(text);
  const double value = number_of(text);
  const double per_second = unit == TimeUnit::samples        ? frequency
                            : unit == TimeUnit::milliseconds ? 1e3
                            : unit == TimeUnit::microseconds ? 1e6
                                                             : 1;
  return std::isfinite(value) ? value / per_second : nan;
}

std::optional<RowClock> read_clock(const SignalFiles& how, const std::filesystem::path& path,
                                   const std::string& where) {
  if (how.time.empty()) return std::nullopt;
  const std::string place = fmt::format("{}: \"{}\"", where, path.string());
  if (how.time_unit == TimeUnit::samples && !(how.frequency > 0))
    throw ArgumentError(fmt::format(
        "{}: the clock \"{}\" counts samples: say how many a second has, frequency = 100.", place,
        how.time));
  CsvOptions options = csv_options(how, where);
  options.columns = {how.time};
  const TextTable table = load_text_table(path, options);
  std::vector<double> times;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const std::string& text = table.rows[row][0];
    times.push_back(seconds_of(text, how.time_unit, how.frequency));
    const auto refuse = [&](std::string_view what) {
      throw DataError(fmt::format("{}, line {}: the clock \"{}\" {}", place,
                                  table.first_line + static_cast<Index>(row), printable(how.time),
                                  what));
    };
    if (std::isnan(times.back()))
      refuse(fmt::format(
          "must be {}, got \"{}\". time_unit says what it counts.",
          how.time_unit == TimeUnit::date ? "a date like 2020-02-08 17:27:19" : "a number",
          printable(text)));
    if (row > 0 && times[row] < times[row - 1])
      refuse(fmt::format("goes back from \"{}\" to \"{}\". Sort the rows, or cut the file there.",
                         printable(table.rows[row - 1][0]), printable(text)));
  }
  RowClock clock;
  const double usual = usual_step(times);
  clock.frequency = how.frequency > 0 ? how.frequency : usual > 0 ? rate_of_steps(usual, times) : 0;
  if (!(clock.frequency > 0))
    throw DataError(fmt::format("{}: the clock \"{}\" stands still. Say frequency = 100.", place,
                                printable(how.time)));
  clock.start = times[0];
  // A clock may jump, but a file of a few rows must not ask for the memory of years.
  const double length = std::floor((times.back() - times[0]) * clock.frequency + 0.5) + 1;
  if (length > 1e6 + 1000 * static_cast<double>(times.size()))
    throw DataError(fmt::format(
        "{}: {} rows on the clock \"{}\" span {:.6g} s, {:.3g} steps at {} Hz. Check time_unit and "
        "frequency.",
        place, times.size(), printable(how.time), times.back() - times[0], length,
        rate_text(clock.frequency)));
  clock.length = static_cast<Index>(length);
  Index last = -1;
  for (const double time : times) {
    const auto step = static_cast<Index>(std::floor((time - times[0]) * clock.frequency + 0.5));
    clock.steps.push_back(step > last ? step : -1);
    last = std::max(last, step);
  }
  const auto on_others = std::count(clock.steps.begin(), clock.steps.end(), Index{-1});
  if (on_others > static_cast<std::ptrdiff_t>(times.size() / 2))
    throw DataError(
        fmt::format("{}: {} of {} rows fall on a step of the clock \"{}\" that has a row already, "
                    "at {} steps per "
                    "second. Check time_unit, now \"{}\", and frequency.",
                    place, on_others, times.size(), printable(how.time), rate_text(clock.frequency),
                    enum_names(how.time_unit)[static_cast<std::size_t>(how.time_unit)]));
  return clock;
}

void fill_gaps(Track& track, double longest) {
  if (!(longest > 0)) return;
  std::vector<float>& values = track.values;
  const double most = longest * track.frequency * (1 + 1e-9);
  std::size_t before = values.size();  // the last value, if there was one
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const std::size_t missing = before < i ? i - before - 1 : 0;
    if (missing > 0 && static_cast<double>(missing) <= most) {
      const auto from = static_cast<double>(values[before]), to = static_cast<double>(values[i]);
      for (std::size_t k = 1; k <= missing; ++k)
        values[before + k] = static_cast<float>(from + (to - from) * static_cast<double>(k) /
                                                           static_cast<double>(missing + 1));
    }
    before = i;
  }
}

}  // namespace sonde::formats
