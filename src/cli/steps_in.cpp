#include "cli/steps_in.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <sonde/error.hpp>
#include <sonde/words.hpp>

#include "cli/interrupt.hpp"

namespace sonde::cli {
namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;
constexpr std::size_t read_at_once = std::size_t{1} << 16;

constexpr std::string_view blanks = " \r";
constexpr std::string_view separators = ",;\t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The cells of a line, whichever way they are separated.
std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> found;
  const bool by_blanks = line.find_first_of(separators) == std::string_view::npos;
  const std::string_view ends = by_blanks ? blanks : separators;
  while (true) {
    const std::size_t end = line.find_first_of(ends);
    found.push_back(trimmed(line.substr(0, end)));
    if (end == std::string_view::npos) return found;
    line = line.substr(end + 1);
    if (by_blanks) line = trimmed(line);
  }
}

/// As much of a cell as fits into a message; what is no letter of ASCII shows as '?'.
std::string shown(std::string_view cell, std::size_t most) {
  std::string text(cell.substr(0, most));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

std::string_view without_quotes(std::string_view cell) {
  if (cell.size() < 2 || cell.front() != '"' || cell.back() != '"') return cell;
  return cell.substr(1, cell.size() - 2);
}

bool is_number(std::string_view cell, float& number) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  return error == std::errc() && end == cell.data() + cell.size();
}

}  // namespace

std::span<float> StepsIn::next(Index most) {
  taken_.clear();
  if (!refusal_.empty()) throw DataError(refusal_);
  for (Index steps = 0; steps < most;) {
    if (take()) {
      ++steps;
      continue;
    }
    if (steps > 0) break;
    if (!refusal_.empty()) throw DataError(refusal_);
    if (ended_ || signal_seen()) break;
    wait();
  }
  return taken_;
}

bool StepsIn::take() {
  if (!refusal_.empty()) return false;
  const std::size_t before = taken_.size();
  if (!(raw_ ? take_raw() : take_line())) return false;
  for (std::size_t c = before; c < taken_.size(); ++c)
    if (!std::isfinite(taken_[c])) {
      refusal_ = fmt::format(
          "stdin: step {}, channel {} is {}. Give a number for every step: fill gaps before.",
          steps_, c - before, taken_[c]);
      taken_.resize(before);
      return false;
    }
  ++steps_;
  return true;
}

bool StepsIn::take_raw() {
  const std::size_t size = static_cast<std::size_t>(channels_) * sizeof(float);
  const std::size_t left = bytes_.size() - at_;
  if (left < size) {
    if (ended_ && left > 0)
      refusal_ = fmt::format(
          "stdin ends within step {}: expected {} bytes, one float32 for each of {} channels, got "
          "{}.",
          steps_, size, channels_, left);
    return false;
  }
  taken_.resize(taken_.size() + static_cast<std::size_t>(channels_));
  std::memcpy(taken_.data() + taken_.size() - channels_, bytes_.data() + at_, size);
  at_ += size;
  return true;
}

bool StepsIn::take_line() {
  while (true) {
    std::size_t end = bytes_.find('\n', at_);
    if (end == std::string::npos) {
      if (bytes_.size() - at_ > longest_line)
        refusal_ = fmt::format("stdin: line {} is longer than {} bytes.", lines_ + 1, longest_line);
      if (!ended_ || at_ == bytes_.size()) return false;
      end = bytes_.size();
    }
    const std::string_view line = trimmed(std::string_view(bytes_).substr(at_, end - at_));
    at_ = std::min(end + 1, bytes_.size());
    ++lines_;
    if (line.empty()) continue;
    const std::size_t before = taken_.size();
    add_numbers(line);
    if (taken_.size() > before) return true;
    if (!refusal_.empty()) return false;
  }
}

/// Whether the first line holds names, and then which columns are the model's channels; or says
/// what is wrong with them. A line with a number in it is one where a name of the model stands too.
bool StepsIn::take_header(const std::vector<std::string_view>& cells) {
  std::vector<std::string> header;
  bool has_name = false, has_text = false, has_number = false;
  for (const std::string_view cell : cells) {
    header.emplace_back(without_quotes(cell));
    float ignored = 0;
    const bool number = is_number(cell, ignored);
    has_number |= number;
    has_text |= !number && !cell.empty();
    has_name |= !number && std::find(names_.begin(), names_.end(), header.back()) != names_.end();
  }
  // Names that look like numbers could be a step: they count together.
  const bool has_all =
      !names_.empty() && std::all_of(names_.begin(), names_.end(), [&](const auto& name) {
        return std::find(header.begin(), header.end(), name) != header.end();
      });
  if (!has_all && !has_name && (!has_text || has_number)) return false;
  if (names_.empty()) {
    if (static_cast<Index>(cells.size()) != channels_)
      refusal_ =
          fmt::format("stdin: line {} names {} columns, expected one for each of {} channels.",
                      lines_, cells.size(), channels_);
    return true;
  }
  width_ = cells.size();
  for (const std::string& name : names_) {
    const auto at = std::find(header.begin(), header.end(), name);
    if (at == header.end()) {
      refusal_ = fmt::format(
          "stdin: line {}: there is no column \"{}\", which the model needs.{} There are: {}.",
          lines_, name, shown(did_you_mean(name, {header.begin(), header.end()}), 80),
          shown(fmt::format("{}", fmt::join(header, ", ")), 200));
      return true;
    }
    columns_.push_back(static_cast<std::size_t>(at - header.begin()));
  }
  return true;
}

/// In lines without names, channels that are called by numbers are counted from 1.
void StepsIn::count_channels(std::size_t width) {
  std::vector<std::size_t> columns;
  for (const std::string& name : names_) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || number < 1 || number > width)
      return;
    columns.push_back(number - 1);
  }
  columns_ = std::move(columns);
  width_ = width;
}

/// Adds the numbers of a line, or nothing of a first line that holds names, or says what is wrong.
void StepsIn::add_numbers(std::string_view line) {
  if (lines_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  const std::size_t before = taken_.size();
  const std::vector<std::string_view> found = cells(line);
  if (is_first_) {
    is_first_ = false;
    if (take_header(found)) return;
    count_channels(found.size());
  }
  const auto count = static_cast<Index>(found.size()),
             expected = columns_.empty() ? channels_ : static_cast<Index>(width_);
  if (count != expected) {
    refusal_ = fmt::format("stdin: line {} holds {} numbers, expected one for each of {} {}.",
                           lines_, count, expected, columns_.empty() ? "channels" : "columns");
    return;
  }
  for (Index i = 0; i < channels_; ++i) {
    const auto c =
        columns_.empty() ? static_cast<std::size_t>(i) : columns_[static_cast<std::size_t>(i)];
    float number = 0;
    if (is_number(found[c], number)) {
      taken_.push_back(number);
      continue;
    }
    taken_.resize(before);
    refusal_ = fmt::format("stdin: line {}, column {}: \"{}\" is no number.", lines_, c + 1,
                           shown(found[c], 40));
    return;
  }
}

/// Until more bytes came, the input ended or a signal came.
void StepsIn::wait() {
  bytes_.erase(0, at_);
  at_ = 0;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  constexpr int milliseconds = 200;  // a signal just before is seen then
  if (poll(&input, 1, milliseconds) <= 0) return;
  const std::size_t before = bytes_.size();
  bytes_.resize(before + read_at_once);
  const ssize_t count = read(STDIN_FILENO, bytes_.data() + before, read_at_once);
  bytes_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0 && errno != EINTR && errno != EAGAIN)
    throw IoError(fmt::format("stdin cannot be read: {}.", std::strerror(errno)));
  ended_ = count == 0;
}

}  // namespace sonde::cli
