#pragma once
#include <nlohmann/json.hpp>
#include <sonde/cost.hpp>
#include <string>
#include <vector>

#include "cli/problem.hpp"

namespace sonde::cli {

/// What `bench` measured of one problem, and what was counted of it.
struct Timed {
  Problem problem;
  std::vector<double> seconds = {};  ///< of each round: an epoch, or all samples once
  Peak peak = {};                    ///< before the rounds and after them, the better one
  Cost cost = {};

  /// The median round.
  double round() const;
  double operations() const;  ///< of a round
  double steps() const;       ///< of signal, in a round
  double samples_per_second() const { return static_cast<double>(problem.samples) / round(); }
  double speed() const { return operations() / round(); }     ///< operations per second
  double share() const { return speed() / peak.operations; }  ///< of the peak
  double step_seconds() const { return round() / steps(); }
};

/// A problem that is counted and not timed yet. Throws ArgumentError where the network does not
/// allow the mode.
Timed counted(const Problem& problem);
/// Runs `rounds` of it, after one that is not counted.
void time(Timed& timed, Index rounds);

/// A few lines for people.
std::string to_text(const Timed& timed);
nlohmann::ordered_json to_json(const Timed& timed);

}  // namespace sonde::cli
