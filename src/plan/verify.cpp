#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "plan/plan.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

void check_overlaps(const Plan& plan) {
  const auto& buffers = plan.buffers();
  for (std::size_t a = 0; a < buffers.size(); ++a)
    for (std::size_t b = a + 1; b < buffers.size(); ++b) {
      const bool apart = buffers[a].offset + buffers[a].size <= buffers[b].offset ||
                         buffers[b].offset + buffers[b].size <= buffers[a].offset;
      if (apart) continue;
      for (const auto& x : buffers[a].live)
        for (const auto& y : buffers[b].live)
          if (x.from <= y.to && y.from <= x.to)
            throw std::logic_error(fmt::format("plan: {} and {} overlap while both live",
                                               buffers[a].name, buffers[b].name));
    }
}

/// Walks the actions and keeps the set of offsets that hold a gradient.
void check_reads(const Plan& plan) {
  std::set<Index> values, gradients;
  for (const Index i : plan.inputs()) values.insert(i);
  using Action = Plan::Action;
  for (const auto& segment : plan.forward())
    for (const Action& action : segment) {
      const auto& step = plan.steps()[at(action.step)];
      for (const Index i : step.inputs)
        if (!values.count(i))
          throw std::logic_error(
              fmt::format("plan: {} reads value {} before it is written", step.where, i));
      for (const Index m : step.masks)
        if (m >= 0 && !values.count(m))
          throw std::logic_error(
              fmt::format("plan: {} reads mask {} before it is written", step.where, m));
      for (const Index o : step.outputs) values.insert(o);
      if (step.made_mask >= 0) values.insert(step.made_mask);
    }
  for (const Index o : plan.outputs()) {
    if (!values.count(o)) throw std::logic_error("plan: an output is never written");
    gradients.insert(plan.gradient_offset(o));
  }
  for (const auto& segment : plan.backward())
    for (const Action& action : segment) {
      if (action.kind == Action::add) {
        if (!gradients.count(action.from) || !gradients.count(action.to))
          throw std::logic_error("plan: a gradient is added before it is written");
        continue;
      }
      if (action.kind == Action::clear) {
        gradients.insert(action.to);
        continue;
      }
      const auto& step = plan.steps()[at(action.step)];
      for (const auto& place : step.layout.outputs)
        if (place.gradient >= 0 && !gradients.count(place.gradient))
          throw std::logic_error(
              fmt::format("plan: {} reads a gradient before it is written", step.where));
      if (action.kind == Action::backward)
        for (const auto& place : step.layout.inputs) gradients.insert(place.gradient);
    }
}

}  // namespace

void verify(const Plan& plan) {
  check_overlaps(plan);
  check_reads(plan);
}

}  // namespace sonde
