#include "training/batch_runner.hpp"

#include <fmt/format.h>

#include <sonde/error.hpp>

#include <algorithm>
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

BatchRunner::BatchRunner(BatchPlan planned, WeightBlock& weights, int workers, StateBank& states)
    : planned_(std::move(planned)),
      rows_(planned_.rows()),
      shards_(planned_.shards()),
      packed_(planned_.plan.packed_size()),
      states_(states) {
  const Plan& plan = planned_.plan;
  const Index batch_size = planned_.options.batch_size;
  if (plan.state_size() > 0 && !states_.shards.empty() && states_.batch_size != batch_size)
    throw ArgumentError(
        fmt::format("a stateful layer holds the states of a batch of {} samples, and cannot go on "
                    "with one of {}. Call reset_states() first.",
                    states_.batch_size, batch_size));
  states_.batch_size = batch_size;
  const Index spaces = planned_.spaces(workers);
  for (Index w = 0; w < spaces; ++w) {
    workspaces_.emplace_back(plan);
    Memory<float>& memory = workspaces_.back().memory;
    memory.weights = weights.data();
    memory.packed = packed_.data();
    memory.seed = planned_.options.seed;
  }
  for (Index w = 0; w < spaces; ++w) {
    rooms_.emplace_back();
    for (const OutputJob& job : jobs()) rooms_.back().emplace_back(job, rows_);
  }
  scales_.assign(static_cast<std::size_t>(workers), std::vector<float>(jobs().size(), 1.0f));
  if (planned_.room > 0)
    for (int w = 0; w < workers; ++w) changed_.emplace_back(planned_.room);
  penalties_.assign(at(shards_), 0.0);
  for (Index s = 0; s < shards_; ++s) {
    totals_.emplace_back();
    for (const OutputJob& job : jobs())
      totals_.back().push_back(
          {0, std::vector<double>(at(job.state_size())),
           std::vector<OverlapSums>(job.is_of_batch() ? at(job.groups(batch_size)) : 0)});
    if (planned_.training()) gradients_.emplace_back(plan.weights_size());
    if (plan.state_size() > 0 && static_cast<Index>(states_.shards.size()) <= s)
      states_.shards.emplace_back(plan.state_size());
  }
}

std::vector<float> BatchRunner::scales() const {
  std::vector<float> scales;
  for (const OutputRoom& room : rooms_[0]) scales.push_back(room.scale);
  return scales;
}

bool BatchRunner::is_finite() const noexcept {
  return std::isfinite(activity_penalty_) &&
         std::all_of(totals().begin(), totals().end(),
                     [](const OutputTotals& each) { return std::isfinite(each.loss); });
}

OutputRoom& BatchRunner::room(Index shard, int worker, std::size_t output) {
  return rooms_[planned_.has_barriers() ? at(shard) : static_cast<std::size_t>(worker)][output];
}

Workspace<float>& BatchRunner::workspace(Index shard, int worker) {
  return workspaces_[planned_.has_barriers() ? at(shard) : static_cast<std::size_t>(worker)];
}

Index BatchRunner::rows_of(const Batch& batch, Index shard) const {
  return std::min(rows_, static_cast<Index>(batch.numbers.size()) - shard * rows_);
}

void BatchRunner::pack(int worker, int workers) noexcept {
  for (Index s = worker; s < static_cast<Index>(plan().steps().size()); s += workers)
    pack_step(plan(), s, workspaces_[0].memory);
}

void BatchRunner::begin(const Batch& batch, Index shard, int worker) noexcept {
  Workspace<float>& space = workspace(shard, worker);
  Memory<float>& memory = space.memory;
  memory.rows = rows_of(batch, shard);
  memory.first_row = shard * rows_;
  memory.batch_rows = static_cast<Index>(batch.numbers.size());
  memory.draw = batch.draw;
  penalties_[at(shard)] = 0;
  memory.penalty = jobs().empty() ? nullptr : &penalties_[at(shard)];
  if (plan().state_size() > 0) memory.states = states_.shards[at(shard)].data();
  if (!gradients_.empty()) {
    memory.gradients = gradients(shard);
    std::memset(memory.gradients, 0, at(plan().weights_size()) * sizeof(float));
  }
  std::fill_n(memory.sums, plan().sums_size(), 0.0);
  for (Index r = 0; r < memory.rows; ++r) {
    const Index number = batch.numbers[at(memory.first_row + r)];
    const Sample sample = changed_.empty()
                              ? batch.source->sample(batch.epoch, number)
                              : batch.source->training_sample(batch.epoch, number, changed(worker));
    for (std::size_t i = 0; i < plan().inputs().size(); ++i) {
      const Index value = plan().inputs()[i];
      gather(sample.x[i], space.steps(value), plan().values()[at(value)].width, memory.rows, r,
             space.value(value));
    }
    for (std::size_t o = 0; o < jobs().size(); ++o)
      gather_targets(jobs()[o], static_cast<Index>(o), sample, memory.rows, r,
                     room(shard, worker, o));
  }
}

float* BatchRunner::changed(int worker) {
  return changed_.empty() ? nullptr : changed_[static_cast<std::size_t>(worker)].data();
}

void BatchRunner::judge(Index shard, int worker) noexcept {
  Workspace<float>& space = workspace(shard, worker);
  const Index rows = space.memory.rows;
  const bool training = planned_.training();
  for (std::size_t o = 0; o < jobs().size(); ++o) {
    const OutputJob& job = jobs()[o];
    OutputRoom& room = this->room(shard, worker, o);
    const Index mask = plan().output_mask(static_cast<Index>(o));
    room.scale = scales_[static_cast<std::size_t>(worker)][o];
    if (mask >= 0) {
      const double valid = space.memory.sums[plan().mask_count(static_cast<Index>(o))];
      const double total = static_cast<double>(space.memory.batch_rows * space.steps(mask));
      room.scale *= static_cast<float>(job.mask_factor(total, valid));
    }
    judge_shard(job, rows, space.value(job.value), mask >= 0 ? space.value(mask) : nullptr,
                training ? space.gradient(job.value) : nullptr, room, totals_[at(shard)][o]);
  }
  if (take_) take_(space, space.memory.first_row, rows);
}

void BatchRunner::judge_batch(const Batch& batch) noexcept {
  const auto rows = static_cast<Index>(batch.numbers.size());
  tree(shard_count(rows, rows_), [&](Index to, Index from) {
    for (std::size_t o = 0; o < jobs().size(); ++o) totals_[at(to)][o].add(totals_[at(from)][o]);
    penalties_[at(to)] += penalties_[at(from)];
  });
  activity_penalty_ = penalties_[0] / static_cast<double>(rows);
  for (std::size_t o = 0; o < jobs().size(); ++o)
    if (jobs()[o].is_of_batch()) sonde::judge_batch(jobs()[o], rows, totals_[0][o]);
}

void BatchRunner::finish_gradient(Index shard, int worker) noexcept {
  Workspace<float>& space = workspace(shard, worker);
  for (std::size_t o = 0; o < jobs().size(); ++o) {
    const OutputJob& job = jobs()[o];
    float* dy = space.gradient(job.value);
    if (job.is_of_batch() && dy != nullptr)
      write_overlap_gradient(job, space.memory.rows, space.value(job.value),
                             plan().output_mask(static_cast<Index>(o)) >= 0, totals_[0][o],
                             room(shard, worker, o), dy);
  }
}

void BatchRunner::combine_sums(const Plan::Segment& segment) noexcept {
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

void BatchRunner::run(const Batch& batch, int worker, Team& team) noexcept {
  const Index shards = shard_count(static_cast<Index>(batch.numbers.size()), rows_);
  const bool training = planned_.training();
  if (worker == 0) shards_ = shards;
  // Each worker counts for itself: it is little, and saves a barrier.
  for (std::size_t o = 0; o < jobs().size(); ++o)
    scales_[static_cast<std::size_t>(worker)][o] = batch_scale(
        jobs()[o], static_cast<Index>(o), *batch.source, batch.epoch, batch.numbers.data(),
        static_cast<Index>(batch.numbers.size()), changed(worker));
  if (!planned_.has_barriers()) {
    for (Index s = worker; s < shards; s += team.size()) {
      begin(batch, s, worker);
      sonde::run(plan(), plan().forward()[0], workspace(s, worker).memory);
      judge(s, worker);
      if (training) sonde::run(plan(), plan().backward()[0], workspace(s, worker).memory);
    }
    team.barrier();
    if (worker == 0) judge_batch(batch);
  } else {
    const auto walk = [&](const std::vector<Plan::Segment>& segments, auto&& before, auto&& after) {
      for (std::size_t k = 0; k < segments.size(); ++k) {
        for (Index s = worker; s < shards; s += team.size()) {
          if (k == 0) before(s);
          sonde::run(plan(), segments[k], workspace(s, worker).memory);
          if (k + 1 == segments.size()) after(s);
        }
        team.barrier();
        if (k + 1 == segments.size()) break;
        if (worker == 0) combine_sums(segments[k]);
        team.barrier();
      }
    };
    walk(
        plan().forward(), [&](Index s) { begin(batch, s, worker); },
        [&](Index s) { judge(s, worker); });
    if (worker == 0) judge_batch(batch);
    if (planned_.of_batch) team.barrier();
    if (training)
      walk(
          plan().backward(), [&](Index s) { finish_gradient(s, worker); }, [](Index) {});
  }
  if (worker == 0 && training && is_finite()) after_batch(plan(), workspaces_[0].memory);
  team.barrier();
}

}  // namespace sonde
