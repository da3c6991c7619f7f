#pragma once
#include <cstddef>
#include <sonde/shape.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::cli {

/// The steps of a signal as they come in on stdin: lines of numbers between commas, semicolons,
/// tabs or blanks, the first line perhaps names; or, raw, float32 numbers without anything between.
/// Where the model and the first line name channels, the model's are taken, in its order; other
/// columns may hold anything. Without names on one side, columns are the channels as they come.
class StepsIn {
 public:
  /// `names`: of the model's channels; empty where it knows none.
  StepsIn(Index channels, bool raw, std::vector<std::string> names = {})
      : channels_(channels), raw_(raw), names_(std::move(names)) {}

  /// The steps that are there, `most` of them at most, (steps, channels); waits for one. Empty when
  /// the input has ended, or a signal came. The view is good until the next call, and may be
  /// written to. Throws DataError, naming the step, for what is no step of so many finite numbers:
  /// after the steps before it have been given.
  std::span<float> next(Index most);

 private:
  bool take();
  bool take_raw();
  bool take_line();
  void add_numbers(std::string_view line);
  bool take_header(const std::vector<std::string_view>& cells);
  void count_channels(std::size_t width);
  void wait();

  Index channels_;
  bool raw_;
  std::vector<std::string> names_;
  std::vector<std::size_t> columns_;  ///< that are taken, by name; empty: all
  std::size_t width_ = 0;             ///< cells of the header that named them
  std::string bytes_;                 ///< what came and was not taken yet begins at at_
  std::size_t at_ = 0;
  bool ended_ = false;
  bool is_first_ = true;  ///< no line was looked at yet
  Index lines_ = 0;
  Index steps_ = 0;
  std::vector<float> taken_;
  std::string refusal_;  ///< of the step behind those that were given
};

}  // namespace sonde::cli
