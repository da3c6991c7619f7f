#pragma once
#include <sonde/report.hpp>
#include <string>
#include <vector>

#include "cli/judged.hpp"
#include "cli/run_report.hpp"

namespace sonde::cli {

/// Keeps what a model says of recordings, beside the signals as their files hold them: what the
/// page of a run shows.
class Shown {
 public:
  /// `raw`: what will be shown before it is scaled, found by name; channels of one recording, which
  /// may be shown together, stand next to each other.
  explicit Shown(std::vector<Recording> raw) : raw_(std::move(raw)) {}

  /// To be given to Judged::add.
  Judged::Show show();
  std::vector<ShownRecording> take() { return std::move(recordings_); }

 private:
  /// The signal of a recording, or of all the channels that it was joined of.
  Array raw_signal(const Recording& scaled);

  std::vector<Recording> raw_;
  std::vector<ShownRecording> recordings_;
};

/// Who is in the parts of a split, those without recordings left out.
std::vector<DataPart> parts_of(const sonde::Parts& parts);

/// The page of recordings that were judged: scores, events, boundaries, groups, and the viewer.
/// Learning and model are not on it yet. `which`: "the test part".
Report recording_report(const Judged& judged, std::vector<ShownRecording> shown,
                        const std::vector<std::string>& classes, const std::string& which);

}  // namespace sonde::cli
