#include "cli/steps_in.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <sonde/error.hpp>

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
std::string shown(std::string_view cell) {
  std::string text(cell.substr(0, 40));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
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

/// Adds the numbers of a line, or nothing of a first line that holds names, or says what is wrong.
void StepsIn::add_numbers(std::string_view line) {
  const std::size_t before = taken_.size();
  const std::vector<std::string_view> found = cells(line);
  for (const std::string_view& cell : found) {
    float number = 0;
    if (is_number(cell, number)) {
      taken_.push_back(number);
      continue;
    }
    taken_.resize(before);
    if (lines_ == 1 && steps_ == 0) return;
    refusal_ = fmt::format("stdin: line {}, column {}: \"{}\" is no number.", lines_,
                           &cell - found.data() + 1, shown(cell));
    return;
  }
  if (static_cast<Index>(found.size()) == channels_) return;
  taken_.resize(before);
  refusal_ = fmt::format("stdin: line {} holds {} numbers, expected one for each of {} channels.",
                         lines_, found.size(), channels_);
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
