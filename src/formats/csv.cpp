#include "formats/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sonde/error.hpp>

#include "base/file.hpp"
#include "formats/printable.hpp"

namespace sonde {
namespace formats {
namespace {

using Header = CsvOptions::Header;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t");
  return text.substr(begin, end == text.npos ? 0 : end + 1 - begin);
}

/// The number that a cell holds, if it is one and nothing else.
std::optional<float> number_of(std::string_view cell, bool has_decimal_comma) {
  std::string text(trimmed(cell));
  if (text == "True" || text == "true" || text == "TRUE") return 1.0f;
  if (text == "False" || text == "false" || text == "FALSE") return 0.0f;
  if (has_decimal_comma && text.find('.') == text.npos)
    if (const std::size_t comma = text.find(','); comma != text.npos) text[comma] = '.';
  const char* begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-');
  double value = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<float>(value);
}

/// Cuts a text into lines and lines into cells. Quoted cells may hold the delimiter and "" for a
/// quote, but no line break: no number has one.
class Lines {
 public:
  Lines(std::string_view text, const std::string& where) : rest_(text), where_(where) {
    if (rest_.starts_with("\xFF\xFE") || rest_.starts_with("\xFE\xFF"))
      throw DataError(fmt::format("{}: the text is UTF-16. Save it as UTF-8.", where));
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    // Empty lines at the end belong to no row; anywhere else they are a missing one.
    rest_ = rest_.substr(0, rest_.find_last_not_of("\r\n") + 1);
  }

  bool next() {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }

  std::string_view line() const { return line_; }
  int number() const { return number_; }

  void cells(char delimiter, std::vector<std::string>& cells) const {
    cells.clear();
    std::string_view rest = line_;
    if (delimiter == ' ') rest = trimmed(rest);  // there, any number of blanks stand between cells
    for (;;) {
      std::string& cell = cells.emplace_back();
      if (const std::string_view text = trimmed_front(rest, delimiter); text.starts_with('"'))
        rest = quoted(text.substr(1), cell);
      const std::size_t end = std::min(rest.find(delimiter), rest.size());
      cell += rest.substr(0, end);
      if (end == rest.size()) return;
      rest.remove_prefix(end + 1);
      if (delimiter == ' ') rest = trimmed(rest);
    }
  }

  [[noreturn]] void refuse(std::size_t column, const Table& table, std::string_view what) const {
    const std::string name = column < table.columns.size()
                                 ? fmt::format(" (\"{}\")", printable(table.columns[column]))
                                 : "";
    throw DataError(
        fmt::format("{}, line {}, column {}{}: {}", where_, number_, column + 1, name, what));
  }
  [[noreturn]] void refuse(std::string_view what) const {
    throw DataError(fmt::format("{}, line {}: {}", where_, number_, what));
  }

 private:
  static std::string_view trimmed_front(std::string_view text, char delimiter) {
    const std::size_t at = text.find_first_not_of(' ');
    return delimiter == ' ' || at == text.npos ? text : text.substr(at);
  }
  /// Takes a quoted cell; returns what follows its closing quote.
  std::string_view quoted(std::string_view rest, std::string& cell) const {
    for (;;) {
      const std::size_t end = rest.find('"');
      if (end == rest.npos) refuse("a quoted cell does not end on its line.");
      cell += rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (!rest.starts_with('"')) return rest;
      cell += '"';
      rest.remove_prefix(1);
    }
  }

  std::string_view rest_, line_;
  const std::string& where_;
  int number_ = 0;
};

/// The first of tab, ';' and ',' outside quotes. Without any, blanks between numbers.
char delimiter_of(std::string_view line) {
  std::string bare;
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') is_quoted = !is_quoted;
    else if (!is_quoted) bare += c;
  }
  for (const char c : {'\t', ';', ','})
    if (bare.find(c) != bare.npos) return c;
  const std::string_view first = trimmed(bare).substr(0, trimmed(bare).find(' '));
  return trimmed(bare).find(' ') != bare.npos && number_of(first, false) ? ' ' : ',';
}

/// Whether the first line holds names. A line of numbers and other words could be either.
bool is_header(const std::vector<std::string>& cells, const Lines& lines, bool has_decimal_comma) {
  // A first row without any value must not be taken for names.
  static constexpr std::string_view missing[] = {"",    "-",    "na",   "NA",  "n/a",
                                                 "N/A", "null", "NULL", "None"};
  const bool has_names = std::any_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return std::find(std::begin(missing), std::end(missing), trimmed(cell)) == std::end(missing);
  });
  if (!has_names) return false;
  std::size_t numbers = 0, other = 0;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (number_of(cells[i], has_decimal_comma)) ++numbers;
    else other = i;
  if (numbers > 0 && numbers < cells.size())
    lines.refuse(other, {},
                 fmt::format("\"{}\" is no number, but others in this line are. If the line "
                             "is a header, say so.",
                             printable(trimmed(cells[other]))));
  return numbers == 0;
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

Table read_csv(std::string_view text, const std::string& where, CsvOptions options) {
  Lines lines(text, where);
  Table table;
  std::vector<float> values;
  std::vector<std::string> cells;
  std::size_t width = 0;
  Index rows = 0;
  char delimiter = options.delimiter;
  while (lines.next()) {
    if (lines.number() == 1) {
      if (delimiter == 0) delimiter = delimiter_of(lines.line());
      lines.cells(delimiter, cells);
      width = cells.size();
      const bool named =
          options.header == Header::present ||
          (options.header == Header::automatic && is_header(cells, lines, delimiter != ','));
      if (named) {
        for (const std::string& cell : cells) table.columns.emplace_back(trimmed(cell));
        continue;
      }
    } else {
      lines.cells(delimiter, cells);
    }
    if (cells.size() != width)
      lines.refuse(fmt::format("expected {} cells as in line 1, got {}.", width, cells.size()));
    for (std::size_t i = 0; i < width; ++i) {
      const auto value = number_of(cells[i], delimiter != ',');
      if (!value && trimmed(cells[i]).empty())
        lines.refuse(i, table, "the cell is empty. Fill in a number, or nan for a missing value.");
      if (!value)
        lines.refuse(i, table,
                     fmt::format("expected a number, got \"{}\".", printable(trimmed(cells[i]))));
      values.push_back(*value);
    }
    ++rows;
  }
  if (rows == 0) throw DataError(fmt::format("{}: the table has no rows.", where));
  table.values = Array({rows, static_cast<Index>(width)}, values);
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

Table load_table(const std::filesystem::path& path, CsvOptions options) {
  const auto bytes = read_file(path);
  return formats::read_csv(text_of(bytes), fmt::format("\"{}\"", path.string()), options);
}

Array load_csv(const std::filesystem::path& path, CsvOptions options) {
  return std::move(load_table(path, options).values);
}

void save_csv(const std::filesystem::path& path, const Array& array,
              const std::vector<std::string>& columns) {
  write_file_atomically(path, formats::write_csv(array, columns));
}

}  // namespace sonde
