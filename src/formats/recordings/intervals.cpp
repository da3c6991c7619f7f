#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.hpp"
#include "formats/json.hpp"
#include "formats/printable.hpp"
#include "formats/recordings/labels.hpp"

namespace sonde::formats {
namespace {

namespace fs = std::filesystem;

/// "01" and "1" are the same experiment.
bool same_word(std::string_view a, std::string_view b) {
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  };
  if (is_number(a) && is_number(b)) {
    const auto bare = [](std::string_view text) {
      return text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
    };
    return bare(a) == bare(b);
  }
  return a == b;
}

/// Times as they are written become an interval in samples or seconds after the signal's zero.
class Times {
 public:
  Times(const LabelFiles& how, const Grid& grid) : how_(how), grid_(grid) {}

  /// `second` is the end, or the duration.
  Interval interval(double onset, double second, bool is_duration, const std::string& place) const {
    Interval interval;
    interval.place = place;
    interval.is_samples = how_.unit == TimeUnit::samples;
    interval.frequency = how_.frequency > 0 ? how_.frequency : grid_.native;
    const auto first = interval.is_samples ? static_cast<double>(how_.first) : 0.0;
    interval.from = onset - first;
    const double end = is_duration ? interval.from + second : second - first;
    // The end belongs to it: up to the next sample, or just behind that moment.
    const double more = !how_.inclusive || is_duration ? 0
                        : interval.is_samples          ? 1
                                                       : 1e-5 / grid_.rate;
    interval.to = end + more;
    if (how_.unit == TimeUnit::date) {
      interval.from -= grid_.zero;
      interval.to -= grid_.zero;
    }
    if (!(interval.to > interval.from))
      throw DataError(
          fmt::format("{}: the interval must end after it begins, got {:.9g} to {:.9g}.", place,
                      onset, is_duration ? onset + second : second));
    return interval;
  }

  double read(std::string_view text, std::string_view what, const std::string& place) const {
    const double value = formats::seconds_of(
        text, how_.unit == TimeUnit::samples ? TimeUnit::seconds : how_.unit, 1);
    if (std::isnan(value))
      throw DataError(
          fmt::format("{}: {} must be {}, got \"{}\". unit says what it counts.", place, what,
                      how_.unit == TimeUnit::date ? "a date like 2020-02-08 17:27:19" : "a number",
                      printable(text)));
    return value;
  }

 private:
  const LabelFiles& how_;
  const Grid& grid_;
};

/// Rows with the columns onset, end or duration, then the label where a column says it, and then
/// those that `match` looks at.
struct IntervalTable : TextTable {
  std::size_t first_match = 0;

  /// Whether a row is for the recording whose captures are `wanted`, in the order of `match`.
  bool belongs(std::size_t row, const std::vector<std::string>& wanted) const {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!same_word(rows[row][first_match + i], wanted[i])) return false;
    return true;
  }
};

IntervalTable load_table_of(const LabelFiles& how, const fs::path& path, const std::string& where) {
  CsvOptions options = csv_options(how, where);
  options.columns = {how.onset, how.end.empty() ? how.duration : how.end};
  if (!how.column.empty()) options.columns.push_back(how.column);
  const std::size_t first_match = options.columns.size();
  for (const auto& [capture, column] : how.match) options.columns.push_back(column);
  return {
      load_rows(path, options,
                [&](const std::vector<std::string>& cells) {
                  return !std::isnan(formats::seconds_of(
                      cells[0], how.unit == TimeUnit::samples ? TimeUnit::seconds : how.unit, 1));
                }),
      first_match};
}

/// What the columns of `match` must hold for the recording with these captures.
std::vector<std::string> wanted_words(const LabelFiles& how,
                                      const std::map<std::string, std::string>& captures,
                                      const std::string& where) {
  std::vector<std::string> wanted;
  for (const auto& [capture, column] : how.match) {
    const auto known = captures.find(capture);
    if (known == captures.end()) {
      std::vector<std::string_view> names;
      for (const auto& each : captures) names.push_back(each.first);
      refuse_name(where + ": match", capture, names);
    }
    wanted.push_back(known->second);
  }
  return wanted;
}

std::vector<Interval> of_table(const LabelFiles& how, const FoundRecording& found,
                               const fs::path& path, const Grid& grid, ClassReader& classes,
                               const std::string& where) {
  if (how.onset.empty() || how.end.empty() == how.duration.empty())
    throw ArgumentError(
        where +
        ": intervals need the columns onset, and end or duration: onset = \"start\", "
        "end = \"stop\".");
  if (how.column.empty() == how.label.empty())
    throw ArgumentError(where +
                        ": say the column with the labels, column = \"…\", or one label for all "
                        "intervals, label = \"…\".");
  const std::vector<std::string> wanted = wanted_words(how, found.captures, where);
  const IntervalTable table = load_table_of(how, path, where);
  const Times times(how, grid);
  std::vector<Interval> intervals;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const std::vector<std::string>& cells = table.rows[row];
    if (!table.belongs(row, wanted)) continue;
    std::string place =
        fmt::format("\"{}\", line {}", path.string(), table.first_line + static_cast<Index>(row));
    const bool is_duration = how.end.empty();
    const double onset = times.read(cells[0], "the onset", place);
    double second = 0;
    if (is_duration && how.unit == TimeUnit::date) {
      second = formats::seconds_of(cells[1], TimeUnit::seconds, 1);
      if (std::isnan(second))
        throw DataError(fmt::format("{}: the duration must be a number of seconds, got \"{}\".",
                                    place, printable(cells[1])));
    } else {
      second = times.read(cells[1], is_duration ? "the duration" : "the end", place);
    }
    Interval interval = times.interval(onset, second, is_duration, place);
    interval.meaning =
        classes.read(how.column.empty() ? how.label : cells[2], [&] { return place; });
    intervals.push_back(std::move(interval));
  }
  return intervals;
}

double number_in(const Value& value, const std::string& place) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  const auto* real = value.as<double>();
  if (!real || !std::isfinite(*real))
    throw DataError(
        fmt::format("{}: expected a number, got {}.", place, printable(to_string(value))));
  return *real;
}

std::string text_in(const Value& value) {
  const auto* text = value.as<std::string>();
  return text ? *text : to_string(value);
}

std::vector<Interval> of_events(const LabelFiles& how, const fs::path& path, const Grid& grid,
                                ClassReader& classes, const std::string& where) {
  const std::string file = fmt::format("\"{}\"", path.string());
  const auto bytes = read_file(path, std::uint64_t{64} << 20);
  const Value root = parse_json(text_of(bytes), file);
  const Value* at = &root;
  std::string_view rest = how.key;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('.'));
    const Value* next = at->find(word);
    if (!next) {
      std::vector<std::string_view> names;
      if (const auto* dict = at->as<Value::Dict>())
        for (const auto& entry : *dict) names.push_back(entry.first);
      refuse_name(fmt::format("{}: {}: key", where, file), word, names);
    }
    at = next;
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  const auto* list = at->as<Value::List>();
  if (!list)
    throw DataError(
        fmt::format("{}: \"{}\" must be a list of [start, end], got {}. key says where "
                    "the list is.",
                    file, printable(how.key), kind_of(*at)));
  const Times times(how, grid);
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Value& each = (*list)[i];
    std::string place = fmt::format("{}: {}[{}]", file, printable(how.key), i);
    const auto* parts = each.as<Value::List>();
    const auto field = [&](const std::string& given, const char* usual) {
      const Value* found = each.find(given.empty() ? usual : given);
      return found ? *found : Value();
    };
    Value onset, end, label;
    bool is_duration = false;
    if (parts && (parts->size() == 2 || parts->size() == 3)) {
      onset = (*parts)[0], end = (*parts)[1];
      is_duration = !how.duration.empty();
      if (parts->size() == 3) label = (*parts)[2];
    } else if (each.as<Value::Dict>()) {
      onset = field(how.onset, "onset"), end = field(how.end, "end");
      is_duration = end.is_null();
      if (is_duration) end = field(how.duration, "duration");
      label = field(how.column, "label");
    } else {
      throw DataError(
          fmt::format("{}: expected [start, end], got {}.", place, printable(to_string(each))));
    }
    Interval interval =
        times.interval(number_in(onset, place), number_in(end, place), is_duration, place);
    const std::string text = !how.label.empty() || label.is_null() ? how.label : text_in(label);
    if (text.empty())
      throw ArgumentError(fmt::format("{}: {} has no label. Say it: label = \"…\".", where, place));
    interval.meaning = classes.read(text, [&] { return place; });
    intervals.push_back(std::move(interval));
  }
  return intervals;
}

struct Mark {
  double onset, duration;  ///< seconds
  std::string text;
};

std::vector<Mark> marks_of(const LabelFiles& how, const fs::path& path, const Grid& grid) {
  std::vector<Mark> marks;
  const std::string ending = path.extension().string();
  if (how.format == FileFormat::edf || ending == ".edf" || ending == ".bdf" || ending == ".EDF") {
    for (const EdfAnnotation& each : load_edf(path).annotations)
      marks.push_back({each.onset, each.duration, each.text});
    return marks;
  }
  const double frequency = how.frequency > 0 ? how.frequency : grid.native;
  const fs::path record = fs::path(path).replace_extension();
  for (const Annotation& each :
       load_wfdb_annotations(record, ending.empty() ? "" : ending.substr(1)))
    // Rhythms and segments say what they are in their note.
    marks.push_back({static_cast<double>(each.step) / frequency, 0,
                     each.symbol == "+" && !each.note.empty() ? each.note : each.symbol});
  return marks;
}

std::vector<Interval> of_marks(const LabelFiles& how, const fs::path& path, const Grid& grid,
                               ClassReader& classes) {
  const auto marks = marks_of(how, path, grid);
  const double end = grid.start - grid.zero + static_cast<double>(grid.steps) / grid.rate;
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const Mark& mark = marks[i];
    std::string place = fmt::format("\"{}\": the mark \"{}\" at {:.9g} s", path.string(),
                                    printable(mark.text), mark.onset);
    Interval interval;
    interval.place = place;
    interval.meaning = classes.read(mark.text, [&] { return place; });
    if (interval.meaning.kind == ClassReader::Kind::ignored) continue;
    interval.from = mark.onset;
    interval.to = mark.onset + (mark.duration > 0 ? mark.duration : how.length);
    if (how.until_next) {
      interval.to = end;
      for (std::size_t next = i + 1; next < marks.size() && interval.to == end; ++next)
        if (marks[next].onset > mark.onset &&
            classes.read(marks[next].text, [&] { return place; }).kind !=
                ClassReader::Kind::ignored)
          interval.to = std::min(end, marks[next].onset);
    }
    if (!(interval.to > interval.from))
      throw DataError(place +
                      " has no duration. Say how long it holds: until_next = true, or "
                      "length = SECONDS.");
    intervals.push_back(std::move(interval));
  }
  return intervals;
}

}  // namespace

std::string RowsOfNobody::text(const LabelFiles& how, std::size_t recordings,
                               const std::string& where) const {
  if (rows == 0) return {};
  return fmt::format(
      "{}: {} of {} rows of \"{}\" are for none of the {} recordings and are left out, as "
      "unmatched = "
      "\"ignored\" says; they tell of {} other{}.",
      where, rows, all, how.files, recordings, whose.size(), whose.size() == 1 ? "" : "s");
}

void find_rows_of_nobody(const LabelFiles& how, const fs::path& path,
                         const std::vector<std::map<std::string, std::string>>& recordings,
                         const std::string& where, RowsOfNobody& found) {
  if (how.kind != LabelKind::intervals || how.match.empty() || how.onset.empty() ||
      (how.end.empty() && how.duration.empty()))
    return;  // or of_table says what is missing
  std::vector<std::vector<std::string>> wanted;
  for (const auto& each : recordings) wanted.push_back(wanted_words(how, each, where));
  const IntervalTable table = load_table_of(how, path, where);
  found.all += static_cast<Index>(table.rows.size());
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (std::any_of(wanted.begin(), wanted.end(),
                    [&](const auto& words) { return table.belongs(row, words); }))
      continue;
    if (how.unmatched == Unmatched::ignored) {
      const auto& cells = table.rows[row];
      found.whose.emplace(cells.begin() + static_cast<std::ptrdiff_t>(table.first_match),
                          cells.end());
      ++found.rows;
      continue;
    }
    std::string words;
    std::size_t cell = table.first_match;
    for (const auto& [capture, column] : how.match)
      words += fmt::format("{}{} = \"{}\"", words.empty() ? "" : ", ", column,
                           printable(table.rows[row][cell++]));
    throw DataError(fmt::format(
        "{}: \"{}\", line {}: no recording is the one of this row ({}). Compare it with the "
        "captures in the names of the files, or leave such rows out: unmatched = \"ignored\".",
        where, path.string(), table.first_line + static_cast<Index>(row), words));
  }
}

std::vector<Interval> read_intervals(const LabelFiles& how, const FoundRecording& found,
                                     const fs::path& path, const Grid& grid, ClassReader& classes,
                                     const std::string& where) {
  if (how.kind == LabelKind::intervals) return of_table(how, found, path, grid, classes, where);
  if (how.kind == LabelKind::events) return of_events(how, path, grid, classes, where);
  return of_marks(how, path, grid, classes);
}

}  // namespace sonde::formats
