#include <fmt/format.h>

#include "plan/plan.hpp"

namespace sonde {
namespace {

std::string place_text(const Plan& plan, const Layout::Place& place) {
  const auto& value = plan.values()[static_cast<std::size_t>(place.tensor)];
  std::string text = fmt::format("{}@{}", to_string(value.shape), place.value);
  if (place.gradient >= 0) text += fmt::format(" d@{}", place.gradient);
  return text;
}

}  // namespace

std::string describe(const Plan& plan) {
  std::string text =
      fmt::format("plan: {} rows, arena {} scalars, states {}, packed {}\n", plan.options().rows,
                  plan.arena_size(), plan.state_size(), plan.packed_size());
  for (const Plan::Step& step : plan.steps()) {
    text += fmt::format("  {}:", step.where);
    for (const auto& place : step.layout.inputs) text += " " + place_text(plan, place);
    text += " ->";
    for (const auto& place : step.layout.outputs) text += " " + place_text(plan, place);
    if (step.forward_sums > 0) text += fmt::format(" barrier({})", step.forward_sums);
    if (step.backward) text += " backward";
    text += "\n";
  }
  return text;
}

}  // namespace sonde
