#include "cli/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sonde/fields.hpp>
#include <sonde/formats.hpp>
#include <sonde/recording_set.hpp>
#include <sonde/words.hpp>

namespace sonde::cli {
namespace {

std::optional<Index> whole(const std::string& text) {
  Index number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Index width_of(const TextTable& table) {
  return table.rows.empty() ? 0 : static_cast<Index>(table.rows[0].size());
}

/// "rest = 0, walk = 1": a number for each word that stands in a column; empty where none does.
std::string numbered_words(const TextTable& table, std::size_t column) {
  std::set<std::string> words;
  for (const auto& row : table.rows) {
    if (column >= row.size() || row[column].empty()) continue;
    char* end = nullptr;
    static_cast<void>(std::strtod(row[column].c_str(), &end));
    if (*end != '\0') words.insert(row[column]);
  }
  std::string text;
  constexpr std::size_t shown = 8;
  std::size_t number = 0;
  for (const std::string& word : words) {
    if (number == shown) return text + ", …";
    text += fmt::format("{}{} = {}", number > 0 ? ", " : "", word, number);
    ++number;
  }
  return text;
}

/// What is read of a table: the model's channels and the labels, or all of it.
CsvOptions wanted_columns(const DataFiles& files, bool labels, bool missing_as_nan) {
  CsvOptions options{.columns = files.channels, .by_name = true, .missing_as_nan = missing_as_nan};
  if (options.columns.empty() || !labels) return options;
  if (whole(files.label_column))
    return {.missing_as_nan = missing_as_nan};  // it is counted among all
  options.columns.push_back(files.label_column);
  return options;
}

/// Whether channels without names, which are called by their numbers from 1, stand in a table.
bool are_counted(const std::vector<std::string>& channels, Index width) {
  return !channels.empty() &&
         std::all_of(channels.begin(), channels.end(), [&](const std::string& each) {
           const auto number = whole(each);
           return number && *number >= 1 && *number <= width;
         });
}

/// The places of the model's channels in a table, by name, or by number in a whole table without
/// names; else those of all columns but the labels'.
std::vector<Index> signal_columns(const Table& table, const DataFiles& files, Index label,
                                  bool is_whole) {
  std::vector<Index> columns;
  const Index width = table.values.shape()[1];
  if (table.columns.empty() && is_whole && are_counted(files.channels, width)) {
    for (const std::string& name : files.channels) columns.push_back(*whole(name) - 1);
    return columns;
  }
  if (files.channels.empty() || table.columns.empty()) {
    for (Index c = 0; c < width; ++c)
      if (c != label) columns.push_back(c);
    return columns;
  }
  for (const std::string& name : files.channels) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), name);
    if (found == table.columns.end())
      throw DataError(fmt::format(
          "{}: there is no column \"{}\", which the model needs.{} There are: {}.", files.x, name,
          did_you_mean(name, {table.columns.begin(), table.columns.end()}),
          fmt::join(table.columns, ", ")));
    columns.push_back(found - table.columns.begin());
  }
  return columns;
}

/// Says so where one of the columns of a whole table looks like a clock.
void remark_on_clock(Data& data, const std::string& file, const Table& table,
                     const std::vector<Index>& columns) {
  std::map<Index, std::string> named;
  for (const Index c : columns) named[c + 1] = table.columns[static_cast<std::size_t>(c)];
  const auto clock = find_clock(file, named);
  if (!clock) return;
  data.remarks.push_back(fmt::format(
      "warning: {}: {} Train without it: leave the column out of the table, or write a "
      "recording.toml that says time = \"{}\" in [[recordings.signals]]: see docs/recordings.md.",
      file, clock->text(), clock->name.empty() ? fmt::format("{}", clock->number) : clock->name));
}

/// A table without the column that --label-column names, which may hold anything.
Table load_without(const std::string& file, const std::string& column, bool missing_as_nan) {
  const TextTable text = load_text_table(file);
  const Index width = width_of(text), out = find_column(text.columns, width, column, file);
  CsvOptions options{.missing_as_nan = missing_as_nan};
  for (Index c = 0; c < width; ++c)
    if (c != out) options.columns.push_back(fmt::format("{}", c + 1));
  return load_table(file, options);
}

}  // namespace

bool is_table(const std::string& file) {
  const std::string ending = std::filesystem::path(file).extension().string();
  return ending == ".csv" || ending == ".tsv" || ending == ".txt";
}

Index find_column(const std::vector<std::string>& names, Index width, const std::string& wanted,
                  const std::string& file) {
  for (std::size_t c = 0; c < names.size(); ++c)
    if (names[c] == wanted) return static_cast<Index>(c);
  const std::optional<Index> number = whole(wanted);
  if (number && *number >= -width && *number < width)
    return *number < 0 ? *number + width : *number;
  if (names.empty())
    throw ArgumentError(fmt::format(
        "--label-column: {} has no line of names, so columns are counted: 0 to {}, got \"{}\".",
        file, width - 1, wanted));
  if (number)
    throw ArgumentError(fmt::format(
        "{}: --label-column: there is no column {}. Columns are counted from 0 here, 0 to {}, or "
        "called by their names: {}.",
        file, *number, width - 1, fmt::join(names, ", ")));
  refuse_name(file + ": --label-column", wanted, {names.begin(), names.end()});
}

void check_columns(const std::string& file, Index columns, const std::vector<std::string>& names,
                   Index channels) {
  if (!is_table(file) || columns != channels + 1) return;
  throw DataError(
      fmt::format("{}: {} columns{}, but the model takes {} channels. If one of them holds labels, "
                  "leave it out with --label-column {}.",
                  file, columns, names.empty() ? "" : fmt::format(" ({})", fmt::join(names, ", ")),
                  channels, names.empty() ? "N, counted from 0" : "NAME"));
}

void explain_words(const DataError& error, const std::string& file,
                   const std::string& label_column) {
  const std::string what = error.what();
  std::string words;
  try {
    const TextTable table = load_text_table(file);
    Index column = 0;
    if (!label_column.empty())
      column = find_column(table.columns, width_of(table), label_column, file);
    const std::string place = fmt::format(", column {}", column + 1);
    const std::size_t at = what.find(place);
    if (at != std::string::npos &&
        !std::isdigit(static_cast<unsigned char>(what[at + place.size()])))
      words = numbered_words(table, static_cast<std::size_t>(column));
  } catch (const ArgumentError&) {
    throw;                  // there is no such column, which is wrong before its cells are
  } catch (const Error&) {  // what is wrong first is said already
  }
  if (words.empty()) throw error;
  throw DataError(fmt::format(
      "{} Labels are numbers here: write the number of its class for each, for example {}. A table "
      "[recordings] takes their names: see docs/recordings.md.",
      what, words));
}

void load_table_into(Data& data, const DataFiles& files, bool missing_as_nan) {
  const bool has_labels = !files.label_column.empty() && files.labels;
  bool is_out = files.label_column.empty();  // the column of labels
  const CsvOptions wanted = wanted_columns(files, has_labels, missing_as_nan);
  const Table table = [&] {
    try {
      return load_table(files.x, wanted);
    } catch (const DataError& error) {
      if (has_labels) explain_words(error, files.x, files.label_column);
      if (is_out || !files.channels.empty()) throw;
      is_out = true;
      return load_without(files.x, files.label_column, missing_as_nan);
    }
  }();
  const Index steps = table.values.shape()[0], width = table.values.shape()[1];
  const bool is_chosen =
      !wanted.columns.empty() &&
      (!table.columns.empty() ||
       (whole(wanted.columns.front()) && width == static_cast<Index>(wanted.columns.size())));
  Index label = -1;
  if (has_labels || !(is_out || is_chosen))
    label = find_column(table.columns, width, files.label_column, files.x);
  const std::vector<Index> columns = signal_columns(table, files, label, wanted.columns.empty());
  if (columns.empty())
    throw DataError(fmt::format("{}: has only the column of labels, and no signal.", files.x));
  if (files.labels && !table.columns.empty()) remark_on_clock(data, files.x, table, columns);
  data.x = Array({steps, static_cast<Index>(columns.size())});
  float* to = data.x.data();
  for (Index t = 0; t < steps; ++t)
    for (const Index c : columns) *to++ = table.values(t, c);
  if (!table.columns.empty())
    for (const Index c : columns)
      data.columns.push_back(table.columns[static_cast<std::size_t>(c)]);
  if (!has_labels) return;
  data.y = Array({steps, 1});
  for (Index t = 0; t < steps; ++t) data.y(t, 0) = table.values(t, label);
}

}  // namespace sonde::cli
