#include <sonde/stream.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "model/state.hpp"

namespace sonde {
namespace {

Index latency_of(const Plan& plan) {
  // Walk back from the output: a step's look-ahead counts in the steps of its own input.
  return plan.values()[static_cast<std::size_t>(plan.outputs()[0])].delay;
}

}  // namespace

struct Stream::State {
  State(const Model& model, Index most_steps)
      : plan(model.graph(), model.weights(),
             {.mode = Mode::stream, .rows = 1, .steps = most_steps}),
        space(plan),
        packed(plan.packed_size()),
        copy(model.weights().size()),
        most(most_steps) {
    // A copy of the weights, so that the model may train on or go away.
    std::copy_n(model.weights().data(), copy.size(), copy.data());
    space.memory.weights = copy.data();
    space.memory.packed = packed.data();
    space.memory.seed = model.seed();
    pack(plan, space.memory);
  }

  Plan plan;
  Workspace<float> space;
  Buffer<float> packed;
  Buffer<float> copy;
  Index most;
  bool begun = false;
};

Stream::Stream(const Model& model, Index most_steps) {
  if (most_steps < 1)
    throw ArgumentError(fmt::format("Stream: most_steps must be at least 1, got {}.", most_steps));
  if (model.graph().inputs().size() != 1 || model.graph().outputs().size() != 1)
    throw ArgumentError("Stream: needs a model with one input and one output.");
  state_ = std::make_unique<State>(model, most_steps);
}

Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Index Stream::channels() const {
  return state_->plan.values()[static_cast<std::size_t>(state_->plan.inputs()[0])].width;
}
Index Stream::width() const {
  return state_->plan.values()[static_cast<std::size_t>(state_->plan.outputs()[0])].width;
}
Index Stream::latency() const { return latency_of(state_->plan); }

std::span<const float> Stream::push(std::span<const float> steps) noexcept {
  return run(steps, false);
}
std::span<const float> Stream::flush() noexcept { return run({}, true); }

void Stream::reset() noexcept { state_->begun = false; }

std::span<const float> Stream::run(std::span<const float> steps, bool last) noexcept {
  State& s = *state_;
  const Index input = s.plan.inputs()[0], output = s.plan.outputs()[0];
  const Index count = std::min(static_cast<Index>(steps.size()) / channels(), s.most);
  assert(static_cast<Index>(steps.size()) == count * channels());
  if (!s.begun) s.space.reset();
  s.space.memory.first = !s.begun;
  s.space.memory.last = last;
  s.begun = !last;
  s.space.steps(input) = count;
  std::copy_n(steps.data(), count * channels(), s.space.value(input));
  for (const auto& segment : s.plan.forward()) sonde::run(s.plan, segment, s.space.memory);
  return {s.space.value(output), static_cast<std::size_t>(s.space.steps(output) * width())};
}

}  // namespace sonde
