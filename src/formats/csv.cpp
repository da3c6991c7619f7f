#include "formats/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <sonde/error.hpp>
#include <sonde/words.hpp>

#include "base/file.hpp"
#include "formats/csv_cells.hpp"
#include "formats/printable.hpp"

namespace sonde {
namespace formats {
namespace {

using Header = CsvOptions::Header;

/// How the lines of one table are to be read.
struct Form {
  char delimiter = ',';
  DecimalSign sign = DecimalSign::point;
  std::size_t width = 0;              ///< cells in each line
  std::size_t first_line = 1;         ///< that holds names or the first row
  std::vector<std::string> names;     ///< of all columns; empty without a header
  std::vector<std::size_t> selected;  ///< columns that are read, in the order asked for
  bool has_header() const { return !names.empty(); }
  std::string_view name(std::size_t column) const {
    return column < names.size() ? std::string_view(names[column]) : std::string_view();
  }
};

/// A column's number, counted from 0, if `text` is a number counted from 1.
std::optional<std::size_t> counted(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number - 1;
}

bool are_counted(const std::vector<std::string>& columns, std::size_t width) {
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& each) {
    const auto number = counted(each);
    return number && *number < width;
  });
}

/// The columns that are wanted, by name or counted; all of them where none is.
std::vector<std::size_t> select(const CsvOptions& options, const Form& form,
                                const CsvLines& lines) {
  std::vector<std::size_t> selected;
  const bool only_names = options.by_name && !are_counted(options.columns, form.width);
  if (options.columns.empty() || (only_names && !form.has_header())) {
    for (std::size_t i = 0; i < form.width; ++i) selected.push_back(i);
    return selected;
  }
  for (const std::string& each : options.columns) {
    const auto found = std::find(form.names.begin(), form.names.end(), each);
    if (found != form.names.end()) {
      if (std::find(found + 1, form.names.end(), each) != form.names.end())
        lines.refuse(fmt::format("two columns are called \"{}\". Select them by number, from 1.",
                                 printable(each)));
      selected.push_back(static_cast<std::size_t>(found - form.names.begin()));
    } else if (const auto number = counted(each);
               number && *number < form.width && !(options.by_name && form.has_header())) {
      selected.push_back(*number);
    } else if (form.has_header()) {
      std::string names;
      for (const std::string& name : form.names)
        names += (names.empty() ? "" : ", ") + printable(name);
      const std::string near = did_you_mean(each, {form.names.begin(), form.names.end()});
      lines.refuse(fmt::format("there is no column \"{}\".{} There are: {}.", printable(each),
                               printable(near), names));
    } else {
      lines.refuse(fmt::format(
          "there is no column \"{}\": the table has {} columns without names, which are "
          "counted from 1.",
          printable(each), form.width));
    }
  }
  return selected;
}

/// Whether a line holds one of the names. Those that are numbers could be a row: they count
/// together.
bool holds_names(const std::vector<std::string_view>& cells, const std::vector<std::string>& names,
                 DecimalSign sign) {
  bool all = !names.empty();
  for (const std::string& name : names) {
    const bool stands = std::any_of(cells.begin(), cells.end(), [&](std::string_view cell) {
      return trimmed_cell(cell) == name;
    });
    if (stands && !number_of_cell(name, sign)) return true;
    all &= stands;
  }
  return all;
}

/// Whether the first line holds names. A line of numbers and other words could be either.
bool is_header(const std::vector<std::string_view>& cells, const CsvLines& lines, const Form& form,
               const CsvOptions& options) {
  if (options.by_name && holds_names(cells, options.columns, form.sign)) return true;
  std::vector<std::size_t> judged;
  const std::vector<std::string> none;
  const bool any = options.by_name && !are_counted(options.columns, cells.size());
  for (const std::string& each : any ? none : options.columns) {
    const auto number = counted(each);
    if (!number) return true;  // only a header can know it
    if (*number < cells.size()) judged.push_back(*number);
  }
  if (judged.empty())
    for (std::size_t i = 0; i < cells.size(); ++i) judged.push_back(i);
  // A first row without any value must not be taken for names.
  if (std::all_of(judged.begin(), judged.end(),
                  [&](std::size_t i) { return is_missing_cell(cells[i]); }))
    return false;
  std::size_t numbers = 0, other = 0;
  for (const std::size_t i : judged)
    if (number_of_cell(cells[i], form.sign)) ++numbers;
    else other = i;
  if (numbers > 0 && numbers < judged.size())
    lines.refuse(other, "",
                 fmt::format("\"{}\" is no number, but others in this line are. If the line "
                             "is a header, say so.",
                             printable(trimmed_cell(cells[other]))));
  return numbers == 0;
}

/// Takes what stands before the first row; false when nothing follows. Then `lines` stands at
/// the first row, and `cells` are those of it.
template <class IsHeader>
bool read_form(CsvLines& lines, const CsvOptions& options, std::vector<std::string_view>& cells,
               Form& form, IsHeader is_named) {
  for (Index i = 0; i < options.skip_lines; ++i)
    if (!lines.next()) return false;
  if (!lines.next()) return false;
  form.first_line = lines.number();
  form.delimiter =
      options.delimiter != 0 ? options.delimiter : lines.delimiter(options.decimal != ',');
  form.sign = options.decimal == '.' || form.delimiter == ',' ? DecimalSign::point
              : options.decimal == ','                        ? DecimalSign::comma
                                                              : DecimalSign::either;
  lines.cells(form.delimiter, cells);
  form.width = cells.size();
  const bool named = options.header == Header::present ||
                     (options.header == Header::automatic && is_named(cells, form));
  if (named)
    for (const std::string_view cell : cells) form.names.emplace_back(trimmed_cell(cell));
  form.selected = select(options, form, lines);
  if (!named) return true;
  if (!lines.next()) return false;
  lines.cells(form.delimiter, cells);
  return true;
}

void check(const CsvOptions& options) {
  if (options.decimal != 0 && options.decimal != '.' && options.decimal != ',')
    throw ArgumentError(
        fmt::format("csv: the decimal sign must be '.' or ',', got '{}'.", options.decimal));
  if (options.decimal == ',' && options.delimiter == ',')
    throw ArgumentError("csv: ',' cannot be both the delimiter and the decimal sign.");
  if (options.skip_lines < 0)
    throw ArgumentError(
        fmt::format("csv: skip_lines must not be negative, got {}.", options.skip_lines));
}

/// Walks over all rows; `take` gets the cells of each.
template <class Take>
void for_each_row(CsvLines& lines, const Form& form, std::vector<std::string_view>& cells,
                  Take take) {
  for (;;) {
    if (cells.size() != form.width)
      lines.refuse(fmt::format("expected {} cells as in line {}, got {}.", form.width,
                               form.first_line, cells.size()));
    take();
    if (!lines.next()) return;
    lines.cells(form.delimiter, cells);
  }
}

std::vector<std::string> selected_names(const Form& form) {
  std::vector<std::string> names;
  if (form.has_header())
    for (const std::size_t column : form.selected) names.push_back(form.names[column]);
  return names;
}

std::string quoted_if_needed(const std::string& name) {
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 32)
      throw ArgumentError(
          fmt::format("csv: the column name \"{}\" holds a control character.", printable(name)));
  if (name.find_first_of(",\";") == name.npos) return name;
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

}  // namespace

Table read_csv(std::string_view text, const std::string& where, const CsvOptions& options) {
  check(options);
  CsvLines lines(text, where);
  std::vector<std::string_view> cells;
  Form form;
  const auto is_named = [&](const std::vector<std::string_view>& first, const Form& known) {
    return is_header(first, lines, known, options);
  };
  if (!read_form(lines, options, cells, form, is_named))
    throw DataError(fmt::format("{}: the table has no rows.", where));

  std::vector<float> values;
  Index rows = 0;
  for_each_row(lines, form, cells, [&] {
    for (const std::size_t column : form.selected) {
      const std::string_view cell = cells[column];
      auto value = number_of_cell(cell, form.sign);
      if (!value && options.missing_as_nan && is_missing_cell(cell))
        value = std::numeric_limits<float>::quiet_NaN();
      if (!value && trimmed_cell(cell).empty())
        lines.refuse(
            column, form.name(column),
            "the cell is empty. Fill in a number, or nan for a missing value; missing_as_nan = "
            "true of [[recordings.signals]] takes it for one.");
      if (!value)
        lines.refuse(column, form.name(column),
                     fmt::format("expected a number, got \"{}\".", printable(trimmed_cell(cell))));
      values.push_back(*value);
    }
    ++rows;
  });
  return {selected_names(form), Array({rows, static_cast<Index>(form.selected.size())}, values)};
}

TextTable read_text_table(std::string_view text, const std::string& where,
                          const CsvOptions& options) {
  check(options);
  CsvLines lines(text, where);
  std::vector<std::string_view> cells;
  Form form;
  TextTable table;
  const auto is_named = [](const std::vector<std::string_view>& first, const Form& known) {
    return std::none_of(first.begin(), first.end(), [&](std::string_view cell) {
      return number_of_cell(cell, known.sign).has_value();
    });
  };
  const bool has_rows = read_form(lines, options, cells, form, is_named);
  table.columns = selected_names(form);
  if (!has_rows) return table;
  table.first_line = static_cast<Index>(lines.number());
  for_each_row(lines, form, cells, [&] {
    std::vector<std::string>& row = table.rows.emplace_back();
    for (const std::size_t column : form.selected) row.emplace_back(trimmed_cell(cells[column]));
  });
  return table;
}

std::string write_csv(const Array& array, const std::vector<std::string>& columns) {
  const Shape& shape = array.shape();
  if (shape.rank() != 1 && shape.rank() != 2)
    throw ArgumentError(fmt::format(
        "csv: a table has one or two axes, got shape {}. Save more as .npy.", to_string(shape)));
  const Index width = shape.rank() == 2 ? shape[1] : 1;
  if (!columns.empty() && static_cast<Index>(columns.size()) != width)
    throw ArgumentError(
        fmt::format("csv: expected {} column names, got {}.", width, columns.size()));
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i)
    text += (i > 0 ? "," : "") + quoted_if_needed(columns[i]);
  if (!columns.empty()) text += '\n';
  for (Index row = 0; row < shape[0]; ++row)
    for (Index column = 0; column < width; ++column)
      fmt::format_to(std::back_inserter(text), "{}{}", array.data()[row * width + column],
                     column + 1 < width ? ',' : '\n');
  return text;
}

}  // namespace formats

Table load_table(const std::filesystem::path& path, const CsvOptions& options) {
  const auto bytes = read_file(path);
  return formats::read_csv(text_of(bytes), fmt::format("\"{}\"", path.string()), options);
}

TextTable load_text_table(const std::filesystem::path& path, const CsvOptions& options) {
  const auto bytes = read_file(path);
  return formats::read_text_table(text_of(bytes), fmt::format("\"{}\"", path.string()), options);
}

Array load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  return std::move(load_table(path, options).values);
}

void save_csv(const std::filesystem::path& path, const Array& array,
              const std::vector<std::string>& columns) {
  write_file_atomically(path, formats::write_csv(array, columns));
}

}  // namespace sonde
