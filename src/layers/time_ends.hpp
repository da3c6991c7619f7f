#pragma once
#include <fmt/format.h>

#include <sonde/one_or_many.hpp>
#include <sonde/planner.hpp>

namespace sonde {

/// Steps at the two ends of the signal.
struct TimeEnds {
  Index before = 0;
  Index after = 0;

  /// Of an argument called `name`: one number for both ends, or one for each.
  static TimeEnds of(const Planner& planner, std::string_view name, const OneOrMany<Index>& given) {
    if (given.size() != 1 && given.size() != 2)
      planner.refuse(
          fmt::format("{} must be one number, or two for before and after, got {} numbers.", name,
                      given.size()));
    for (const Index each : given) planner.at_least(name, each, 0);
    return {given[0], given[given.size() - 1]};
  }
};

}  // namespace sonde
