#include "model/table.hpp"

#include <algorithm>
#include <cmath>

namespace sonde {
namespace {

/// The inner widths with one blank on both sides: what rich makes of Keras' widths, which are too
/// wide by the blanks and rules (rich.table.Table._collapse_widths and rich._ratio.ratio_reduce).
std::vector<int> cell_widths(const BoxTable& table, int width) {
  std::vector<int> widths;
  int used = 0, excess = static_cast<int>(table.columns.size()) + 1 - width;
  for (const auto& column : table.columns) {
    const int inner = static_cast<int>(column.end * width) - used;
    used += inner;
    widths.push_back(inner + 2);
    excess += inner + 2;
  }
  auto left = static_cast<int>(widths.size());
  for (int& each : widths) {
    // Python rounds halves to even, as nearbyint does.
    const int less = std::min(each, static_cast<int>(std::nearbyint(double(excess) / left)));
    each = std::max(each - less, 3);
    excess -= less;
    --left;
  }
  return widths;
}

std::string cut(std::string_view word, std::size_t width) {
  if (display_width(word) <= width) return std::string(word);
  std::string text;
  std::size_t used = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(word[i]) & 0xC0) != 0x80;
    if (starts && ++used == width) break;
    text += word[i];
  }
  return text + "…";
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string word = cut(text.substr(0, end), width);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t used = display_width(lines.back());
    if (used > 0 && used + 1 + display_width(word) > width) lines.emplace_back(word);
    else lines.back() += (used > 0 ? " " : "") + word;
  }
  return lines;
}

struct Rule {
  std::string_view left, line, cross, right;
};

std::string draw_rule(const Rule& rule, const std::vector<int>& widths) {
  std::string text(rule.left);
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (c > 0) text += rule.cross;
    for (int i = 0; i < widths[c]; ++i) text += rule.line;
  }
  return text.append(rule.right) + "\n";
}

std::string draw_row(const BoxTable& table, const std::vector<std::string>& cells,
                     std::string_view bar, const std::vector<int>& widths) {
  std::vector<std::vector<std::string>> wrapped;
  std::size_t lines = 1;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    wrapped.push_back(wrap(cells[c], static_cast<std::size_t>(widths[c] - 2)));
    lines = std::max(lines, wrapped.back().size());
  }
  std::string text;
  for (std::size_t line = 0; line < lines; ++line) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = line < wrapped[c].size() ? wrapped[c][line] : "";
      const std::string blanks(static_cast<std::size_t>(widths[c] - 2) - display_width(cell), ' ');
      const bool right = table.columns[c].right_aligned;
      text.append(bar).append(" ");
      text += right ? blanks + cell : cell + blanks;
      text += " ";
    }
    text.append(bar).append("\n");
  }
  return text;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string draw(const BoxTable& table, int width) {
  const std::vector<int> widths = cell_widths(table, width);
  std::vector<std::string> titles;
  for (const auto& column : table.columns) titles.push_back(column.title);

  std::string text = draw_rule({"┏", "━", "┳", "┓"}, widths);
  text += draw_row(table, titles, "┃", widths);
  text += draw_rule({"┡", "━", "╇", "┩"}, widths);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    if (r > 0) text += draw_rule({"├", "─", "┼", "┤"}, widths);
    text += draw_row(table, table.rows[r], "│", widths);
  }
  return text + draw_rule({"└", "─", "┴", "┘"}, widths);
}

}  // namespace sonde
