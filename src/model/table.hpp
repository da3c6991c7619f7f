#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sonde {

/// A box of columns, drawn as Keras' summary draws it (with Python's rich).
struct BoxTable {
  struct Column {
    std::string title;
    double end = 1;  ///< where the column ends, as a part of the line
    bool right_aligned = false;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

/// `width` columns of text, one line feed after each line. Long cells wrap between words; a word
/// that is too long is cut with "…".
std::string draw(const BoxTable& table, int width);

/// How many columns `text` takes on a terminal, one for each UTF-8 character.
std::size_t display_width(std::string_view text);

}  // namespace sonde
