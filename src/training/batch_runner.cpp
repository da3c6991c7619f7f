#include "training/batch_runner.hpp"

#include <fmt/format.h>

#include <sonde/error.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>

#include "training/shards.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Copies samples, each (steps, width), into (steps, rows, width).
void gather(const float* sample, Index steps, Index width, Index rows, Index row, float* value) {
  for (Index t = 0; t < steps; ++t)
    std::copy_n(sample + t * width, width, value + (t * rows + row) * width);
}

}  // namespace

BatchRunner::BatchRunner(BatchPlan planned, WeightBlock& weights, int workers, StateBank& states,
                         BatchJudge* judge, ReadAhead* ahead)
    : planned_(std::move(planned)),
      rows_(planned_.rows()),
      abreast_(planned_.abreast(workers)),
      shares_units_(planned_.shares_units(workers)),
      shards_(planned_.shards()),
      packed_(planned_.plan.packed_size()),
      states_(states),
      judge_(judge),
      ahead_(ahead) {
  assert(judge_ != nullptr || !planned_.training());
  const Plan& plan = planned_.plan;
  const Index batch_size = planned_.options.batch_size;
  if (plan.state_size() > 0 && !states_.shards.empty() && states_.batch_size != batch_size)
    throw ArgumentError(
        fmt::format("a stateful layer holds the states of a batch of {} samples, and cannot go on "
                    "with one of {}. Call reset_states() first.",
                    states_.batch_size, batch_size));
  // A fold turns steps into rows, and each row has states.
  if (plan.state_size() > 0 && !states_.shards.empty() &&
      states_.shards[0].size() != plan.state_size())
    throw ArgumentError(
        "a stateful layer inside TimeDistributed holds the states of signals of another length. "
        "Call reset_states() first, and take signals of one length.");
  states_.batch_size = batch_size;
  const Index spaces = planned_.spaces(workers);
  for (Index w = 0; w < spaces; ++w) {
    workspaces_.emplace_back(plan);
    Memory<float>& memory = workspaces_.back().memory;
    memory.weights = weights.data();
    memory.packed = packed_.data();
    memory.seed = planned_.options.seed;
  }
  if (planned_.room > 0)
    for (int w = 0; w < workers; ++w) changed_.emplace_back(planned_.room);
  penalties_.assign(at(shards_), 0.0);
  for (Index s = 0; s < shards_; ++s) {
    if (planned_.training()) gradients_.emplace_back(plan.weights_size());
    if (plan.state_size() > 0 && static_cast<Index>(states_.shards.size()) <= s)
      states_.shards.emplace_back(plan.state_size());
  }
}

bool BatchRunner::is_finite() const noexcept {
  return std::isfinite(activity_penalty_) && (judge_ == nullptr || judge_->is_finite());
}

ShardView BatchRunner::view(Index shard, const Round& round, int worker) {
  const Index place = planned_.has_barriers() ? shard : shard - round.first;
  return {shard, place, worker, workspaces_[at(place)]};
}

Index BatchRunner::rows_of(const Batch& batch, Index shard) const {
  return std::min(rows_, batch.size() - shard * rows_);
}

void BatchRunner::pack(int worker, int workers) noexcept {
  for (Index s = worker; s < static_cast<Index>(plan().steps().size()); s += workers)
    pack_step(plan(), s, workspaces_[0].memory);
}

void BatchRunner::begin(const Batch& batch, const ShardView& shard) noexcept {
  Workspace<float>& space = shard.space;
  Memory<float>& memory = space.memory;
  memory.rows = rows_of(batch, shard.number);
  memory.first_row = shard.number * rows_;
  memory.batch_rows = batch.size();
  memory.draw = batch.draw;
  double& penalty = penalties_[at(shard.number)];
  penalty = 0;
  memory.penalty = judge_ == nullptr ? nullptr : &penalty;
  if (plan().state_size() > 0) memory.states = states_.shards[at(shard.number)].data();
  if (!gradients_.empty()) {
    memory.gradients = gradients(shard.number);
    std::memset(memory.gradients, 0, at(plan().weights_size()) * sizeof(float));
  }
  std::fill_n(memory.sums, plan().sums_size(), 0.0);
  for (Index r = 0; r < memory.rows; ++r) {
    const Index number = batch.numbers[at(memory.first_row + r)];
    const Sample sample = changed_.empty() ? batch.source->sample(batch.epoch, number)
                                           : batch.source->training_sample(batch.epoch, number,
                                                                           changed(shard.worker));
    for (std::size_t i = 0; i < plan().inputs().size(); ++i) {
      const Index value = plan().inputs()[i];
      gather(sample.x[i], space.steps(value), plan().values()[at(value)].width, memory.rows, r,
             space.value(value));
    }
    if (judge_ != nullptr) judge_->gather(sample, r, shard);
  }
}

float* BatchRunner::changed(int worker) {
  return changed_.empty() ? nullptr : changed_[static_cast<std::size_t>(worker)].data();
}

void BatchRunner::end(const ShardView& shard) noexcept {
  if (judge_ != nullptr) judge_->judge(shard);
  if (take_) take_(shard.space, shard.space.memory.first_row, shard.space.memory.rows);
}

void BatchRunner::judge_batch(const Batch& batch) noexcept {
  const Index shards = shard_count(batch.size(), rows_);
  tree(shards, [&](Index to, Index from) { penalties_[at(to)] += penalties_[at(from)]; });
  activity_penalty_ = penalties_[0] / static_cast<double>(batch.size());
  if (judge_ != nullptr) judge_->judge_batch(batch, shards);
}

void BatchRunner::combine_sums(const Plan::Segment& segment, int worker, Team& team) noexcept {
  team.barrier();
  if (worker == 0) {
    const Plan::Action& last = segment.back();
    const Plan::Step& step = plan().steps()[at(last.step)];
    const bool forward = last.kind == Plan::Action::forward_sums;
    const Index offset = forward ? step.layout.forward_sums : step.layout.backward_sums;
    const Index count = forward ? step.forward_sums : step.backward_sums;
    const auto sums = [&](Index s) { return workspaces_[at(s)].memory.sums + offset; };
    tree(shards_, [&](Index to, Index from) {
      for (Index i = 0; i < count; ++i) sums(to)[i] += sums(from)[i];
    });
    for (Index s = 1; s < shards_; ++s) std::copy_n(sums(0), count, sums(s));
  }
  team.barrier();
}

template <class Use>
void BatchRunner::for_rounds(Index shards, int worker, int workers, Use use) {
  // The last batch may have fewer shards than the others.
  const Index size = group_size(shards, workers, abreast_);
  for (Index first = 0; first < shards; first += workers * size) {
    const Index own = first + worker * size;
    use(Round{first, std::min(shards, first + workers * size), std::min(shards, own),
              std::min(shards, own + size)});
  }
}

void BatchRunner::run_round(const Plan::Segment& segment, const Round& round, int worker,
                            Team& team) noexcept {
  if (!shares_units_ || !plan().shares_units(segment))
    return run_abreast(segment, round, round.own, round.own_end, worker, {});
  const Share share = team.share(worker);
  share.meet();  // all shards of the round have come this far
  run_abreast(segment, round, round.first, round.end, worker, share);
  share.meet();
}

void BatchRunner::run_abreast(const Plan::Segment& segment, const Round& round, Index first,
                              Index end, int worker, const Share& share) noexcept {
  std::array<Memory<float>*, most_abreast> alike;
  std::size_t count = 0;
  const auto run_alike = [&] {
    sonde::run(plan(), segment, std::span<Memory<float>* const>(alike.data(), count), share);
    count = 0;
  };
  for (Index s = first; s < end; ++s) {
    Memory<float>& memory = view(s, round, worker).space.memory;
    const bool is_like = count == 0 || memory.rows == alike[0]->rows;  // not the last of a batch
    if (!is_like || count == alike.size()) run_alike();
    alike[count++] = &memory;
  }
  if (count > 0) run_alike();
}

void BatchRunner::run(const Batch& batch, int worker, Team& team) noexcept {
  const Index shards = shard_count(batch.size(), rows_);
  const bool training = planned_.training();
  if (worker == 0) shards_ = shards;
  const auto own = [&](std::span<const Index> numbers) { return team.share(worker).own(numbers); };
  if (!was_asked_for_) batch.source->will_need(batch.epoch, own(batch.numbers));
  const ReadAhead::Use reading(ahead_);
  batch.source->will_need(batch.epoch, own(batch.next));
  if (judge_ != nullptr) judge_->begin(batch, worker, changed(worker));
  const auto rounds = [&](auto use) { for_rounds(shards, worker, team.size(), use); };
  const auto for_own = [&](const Round& round, auto use) {
    for (Index s = round.own; s < round.own_end; ++s) use(view(s, round, worker));
  };
  const auto begin_own = [&](const ShardView& shard) { begin(batch, shard); };
  const auto end_own = [&](const ShardView& shard) { end(shard); };
  if (!planned_.has_barriers()) {
    rounds([&](const Round& round) {
      for_own(round, begin_own);
      for (const auto& segment : plan().forward()) run_round(segment, round, worker, team);
      for_own(round, end_own);
      if (!training) return;
      for (const auto& segment : plan().backward()) run_round(segment, round, worker, team);
    });
    team.barrier();
    if (worker == 0) judge_batch(batch);
  } else {
    const auto walk = [&](const std::vector<Plan::Segment>& segments) {
      for (const Plan::Segment& segment : segments) {
        rounds([&](const Round& round) { run_round(segment, round, worker, team); });
        if (plan().ends_in_sums(segment)) combine_sums(segment, worker, team);
      }
    };
    rounds([&](const Round& round) { for_own(round, begin_own); });
    walk(plan().forward());
    rounds([&](const Round& round) { for_own(round, end_own); });
    team.barrier();
    if (worker == 0) judge_batch(batch);
    if (planned_.of_batch) team.barrier();
    if (training) {
      const auto finish = [&](const ShardView& shard) { judge_->finish_gradient(shard); };
      rounds([&](const Round& round) { for_own(round, finish); });
      walk(plan().backward());
    }
    team.barrier();
  }
  if (worker == 0) {
    was_asked_for_ = !batch.next.empty();
    if (ahead_ != nullptr) ahead_->turn();
  }
  if (worker == 0 && training && is_finite()) after_batch(plan(), workspaces_[0].memory);
  team.barrier();
}

}  // namespace sonde
