#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What stands in a text table, before anything is known of its columns.
namespace sonde::formats {

/// Without blanks and tabs at both ends.
std::string_view trimmed_cell(std::string_view text);

/// Which sign stands before the fraction of a number.
enum class DecimalSign { point, comma, either };

/// The number that a cell holds, if it is one and nothing else. True and False are 1 and 0.
std::optional<float> number_of_cell(std::string_view cell, DecimalSign sign);

/// Whether the cell is empty or a word for that: NA, n/a, null, None, -.
bool is_missing_cell(std::string_view cell);

/// Cuts a text into lines and lines into cells. Quoted cells may hold the delimiter and "" for a
/// quote, but no line break: no number has one. Keeps views of `text` and `where`.
class CsvLines {
 public:
  CsvLines(std::string_view text, const std::string& where);

  bool next();
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }

  /// The first of tab, ';' and ',' outside quotes in this line, ',' only where it is no decimal
  /// sign. Without any, blanks if this line or the next one begins with a number and has some.
  char delimiter(bool may_be_comma) const;
  /// The cells of this line; valid until the next call. Blanks stand between cells in any number.
  void cells(char delimiter, std::vector<std::string_view>& cells);

  [[noreturn]] void refuse(std::string_view what) const;
  [[noreturn]] void refuse(std::size_t column, std::string_view name, std::string_view what) const;

 private:
  std::string_view quoted(std::string_view rest, std::string& cell) const;

  std::string_view rest_, line_;
  std::deque<std::string> unquoted_;  ///< of this line: cells that are not in the text as such
  const std::string& where_;
  std::size_t number_ = 0;
};

}  // namespace sonde::formats
