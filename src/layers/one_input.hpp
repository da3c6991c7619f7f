#pragma once
#include <fmt/format.h>

#include <sonde/planner.hpp>

namespace sonde {

/// Refuses anything but one input.
inline void expect_one_input(const Planner& planner) {
  if (planner.inputs() != 1)
    planner.refuse(fmt::format("takes one input, got {}.", planner.inputs()));
}

}  // namespace sonde
