#include <algorithm>
#include <array>
#include <cassert>

#include "kernels/kernels.hpp"
#include "plan/plan.hpp"

namespace sonde {
namespace {
std::size_t at(Index i) { return static_cast<std::size_t>(i); }
}  // namespace

template <class T>
Workspace<T>::Workspace(const Plan& plan)
    : plan_(&plan),
      arena_(plan.arena_size()),
      states_(plan.state_size()),
      sums_(plan.sums_size()),
      counters_(at(plan.counter_size())),
      steps_(plan.values().size(), 1),
      folds_(plan.values().size(), 1) {
  memory.arena = arena_.data();
  memory.states = states_.data();
  memory.sums = sums_.data();
  memory.counters = counters_.data();
  memory.steps = steps_.data();
  memory.folds = folds_.data();
  memory.rows = plan.options().rows;
  memory.batch_rows = plan.options().rows;
  memory.training = plan.options().mode == Mode::train;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (plan.values()[i].timed) steps_[i] = plan.values()[i].shape[0];
  for (std::size_t i = 0; i < folds_.size(); ++i) folds_[i] = plan.values()[i].fold;
}

template <class T>
void Workspace<T>::reset() {
  std::fill(states_.data(), states_.data() + states_.size(), T(0));
  std::fill(counters_.begin(), counters_.end(), 0);
}

template <class T>
void pack_step(const Plan& plan, Index step, Memory<T>& memory) noexcept {
  plan.steps()[at(step)].op.pack(View<T>(plan.steps()[at(step)].layout, memory));
}

template <class T>
void pack(const Plan& plan, Memory<T>& memory) noexcept {
  for (Index s = 0; s < static_cast<Index>(plan.steps().size()); ++s) pack_step(plan, s, memory);
}

namespace {

/// Chunks of a stream differ in length, and so do the rows that a fold makes of them.
template <class T>
void refold(const Plan::Step& step, Memory<T>& memory) {
  using Folding = Planner::Folding;
  const Index first = step.inputs[0];
  Index fold = memory.folds[first];
  if (step.folding == Folding::fold) fold *= memory.steps[first];
  if (step.folding == Folding::unfold) fold = memory.folds[step.inputs[1]];
  for (const Index o : step.outputs) memory.folds[o] = fold;
  if (step.made_mask >= 0) memory.folds[step.made_mask] = fold;
}

}  // namespace

template <class T>
void run(const Plan& plan, const Plan::Segment& segment, std::span<Memory<T>* const> shards,
         const Share& share) noexcept {
  using Action = Plan::Action;
  assert(shards.size() <= most_abreast);
  std::array<View<T>, most_abreast> views;
  for (const Action& action : segment) {
    const Plan::Step& step = plan.steps()[at(action.step)];
    for (std::size_t i = 0; i < shards.size(); ++i) views[i] = {step.layout, *shards[i]};
    const std::span<const View<T>> all(views.data(), shards.size());
    switch (action.kind) {
      case Action::forward:
        if (plan.has_folds()) share.deal(shards, [&](Memory<T>* memory) { refold(step, *memory); });
        step.op.forward(all, share);
        break;
      case Action::forward_sums:
        for (const View<T>& view : all) step.op.forward_sums(view);
        break;
      case Action::backward:
        step.op.backward(all, share);
        break;
      case Action::backward_sums:
        for (const View<T>& view : all) step.op.backward_sums(view);
        break;
      case Action::add:
        for (Memory<T>* memory : shards) {
          kernels::add(action.per_row * memory->rows, memory->arena + action.from,
                       memory->arena + action.to);
        }
        break;
      case Action::clear:
        for (Memory<T>* memory : shards)
          std::fill_n(memory->arena + action.to, action.per_row * memory->rows, T(0));
        break;
    }
  }
}

template <class T>
void run(const Plan& plan, const Plan::Segment& segment, Memory<T>& memory) noexcept {
  Memory<T>* const one = &memory;
  run(plan, segment, std::span(&one, 1));
}

template <class T>
void after_batch(const Plan& plan, Memory<T>& memory) noexcept {
  for (const Plan::Step& step : plan.steps()) step.op.after_batch(View<T>(step.layout, memory));
}

template class Workspace<float>;
template class Workspace<double>;
template void pack_step(const Plan&, Index, Memory<float>&) noexcept;
template void pack_step(const Plan&, Index, Memory<double>&) noexcept;
template void pack(const Plan&, Memory<float>&) noexcept;
template void pack(const Plan&, Memory<double>&) noexcept;
template void run(const Plan&, const Plan::Segment&, Memory<float>&) noexcept;
template void run(const Plan&, const Plan::Segment&, Memory<double>&) noexcept;
template void run(const Plan&, const Plan::Segment&, std::span<Memory<float>* const>,
                  const Share&) noexcept;
template void run(const Plan&, const Plan::Segment&, std::span<Memory<double>* const>,
                  const Share&) noexcept;
template void after_batch(const Plan&, Memory<float>&) noexcept;
template void after_batch(const Plan&, Memory<double>&) noexcept;

}  // namespace sonde
