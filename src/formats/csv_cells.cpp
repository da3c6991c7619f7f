#include "formats/csv_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <sonde/error.hpp>

#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

constexpr std::string_view blanks = " \t";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::optional<float> parsed(const char* begin, const char* end) {
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return static_cast<float>(value);
}

std::string_view without_quoted(std::string_view line, std::string& bare) {
  if (line.find('"') == line.npos) return line;
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') is_quoted = !is_quoted;
    else if (!is_quoted) bare += c;
  }
  return bare;
}

bool is_numbers_between_blanks(std::string_view line) {
  line = trimmed_cell(line);
  const std::size_t end = line.find(' ');
  return end != line.npos && number_of_cell(line.substr(0, end), DecimalSign::either).has_value();
}

}  // namespace

std::string_view trimmed_cell(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<float> number_of_cell(std::string_view cell, DecimalSign sign) {
  std::string_view text = trimmed_cell(cell);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  if (sign != DecimalSign::comma || text.find('.') == text.npos)
    if (const auto value = parsed(text.data(), end)) return value;
  if (sign != DecimalSign::point && text.find('.') == text.npos) {
    // No number needs more digits than this.
    constexpr std::size_t most = 128;
    char digits[most];
    const std::size_t comma = text.find(',');
    if (comma != text.npos && text.size() <= most) {
      std::memcpy(digits, text.data(), text.size());
      digits[comma] = '.';
      return parsed(digits, digits + text.size());
    }
  }
  if (text == "True" || text == "true" || text == "TRUE") return 1.0f;
  if (text == "False" || text == "false" || text == "FALSE") return 0.0f;
  return std::nullopt;
}

bool is_missing_cell(std::string_view cell) {
  static constexpr std::string_view words[] = {"",    "-",    "na",   "NA",  "n/a",
                                               "N/A", "null", "NULL", "None"};
  return std::find(std::begin(words), std::end(words), trimmed_cell(cell)) != std::end(words);
}

CsvLines::CsvLines(std::string_view text, const std::string& where) : rest_(text), where_(where) {
  if (rest_.starts_with("\xFF\xFE") || rest_.starts_with("\xFE\xFF"))
    throw DataError(fmt::format("{}: the text is UTF-16. Save it as UTF-8.", where));
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  // Empty lines at the end belong to no row; anywhere else they are a missing one.
  rest_ = rest_.substr(0, rest_.find_last_not_of("\r\n") + 1);
}

bool CsvLines::next() {
  if (rest_.empty()) return false;
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  line_ = rest_.substr(0, end);
  if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  ++number_;
  return true;
}

char CsvLines::delimiter(bool may_be_comma) const {
  std::string bare;
  const std::string_view line = without_quoted(line_, bare);
  for (const char c : {'\t', ';', ','})
    if ((c != ',' || may_be_comma) && line.find(c) != line.npos) return c;
  if (is_numbers_between_blanks(line)) return ' ';
  // Names between blanks: the line below tells.
  const bool has_names = trimmed_cell(line).find(' ') != line.npos;
  if (has_names && is_numbers_between_blanks(rest_.substr(0, rest_.find_first_of("\r\n"))))
    return ' ';
  return may_be_comma ? ',' : ';';
}

void CsvLines::cells(char delimiter, std::vector<std::string_view>& cells) {
  cells.clear();
  unquoted_.clear();
  std::string_view rest = line_;
  if (delimiter == ' ') rest = trimmed_cell(rest);
  for (;;) {
    std::string_view front = rest;
    if (delimiter != ' ') front.remove_prefix(std::min(front.find_first_not_of(' '), front.size()));
    if (front.starts_with('"')) {
      std::string& cell = unquoted_.emplace_back();
      rest = quoted(front.substr(1), cell);
      const std::size_t end = std::min(rest.find(delimiter), rest.size());
      cell += rest.substr(0, end);
      cells.push_back(cell);
      if (end == rest.size()) return;
      rest.remove_prefix(end + 1);
    } else {
      const std::size_t end = delimiter == ' ' ? rest.find_first_of(blanks) : rest.find(delimiter);
      cells.push_back(rest.substr(0, end));
      if (end == rest.npos) return;
      rest.remove_prefix(end + 1);
    }
    if (delimiter == ' ') rest = trimmed_cell(rest);
  }
}

/// Takes a quoted cell; returns what follows its closing quote.
std::string_view CsvLines::quoted(std::string_view rest, std::string& cell) const {
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

void CsvLines::refuse(std::string_view what) const {
  throw DataError(fmt::format("{}, line {}: {}", where_, number_, what));
}

void CsvLines::refuse(std::size_t column, std::string_view name, std::string_view what) const {
  const std::string called = name.empty() ? "" : fmt::format(" (\"{}\")", printable(name));
  throw DataError(
      fmt::format("{}, line {}, column {}{}: {}", where_, number_, column + 1, called, what));
}

}  // namespace sonde::formats
