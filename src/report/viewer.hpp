#pragma once
#include <sonde/report.hpp>
#include <string>
#include <vector>

/// The viewer's data: what page/viewer.js draws from.
namespace sonde::report {

/// Bytes in base64, which the page decodes piece by piece when they are looked at.
struct Store {
  std::string id;
  std::string base64;
};

struct Viewer {
  std::string json = "null";       ///< null without recordings
  std::vector<Store> coarse;       ///< what the whole of a recording is drawn from, and its labels
  std::vector<Store> fine;         ///< what a part of it is drawn from
  std::vector<std::string> notes;  ///< what was left out
};

/// DataError where lengths or labels of a recording do not fit.
Viewer viewer_of(const Report& report);

/// Labels as runs: run i has label `values[i]` (none: unlabelled) from step `starts[i]` to the next
/// one's start. Above `most` runs, the label of each `grid` steps is the most frequent one there.
struct Runs {
  static constexpr std::uint8_t none = 255;
  std::vector<std::uint32_t> starts;
  std::vector<std::uint8_t> values;
  Index grid = 1;
};
Runs runs_of(std::span<const Index> labels, std::span<const float> weights = {},
             std::size_t most = std::size_t{1} << 20);

}  // namespace sonde::report
