#include "training/output_judge.hpp"

#include <algorithm>
#include <cmath>

#include "training/shards.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

OutputJudge::OutputJudge(const JudgedPlan& plan, int workers)
    : jobs_(plan.jobs), training_(plan.batch.training()) {
  for (Index place = 0; place < plan.batch.spaces(workers); ++place) {
    rooms_.emplace_back();
    for (const OutputJob& job : jobs_) rooms_.back().emplace_back(job, plan.batch.rows());
  }
  scales_.assign(static_cast<std::size_t>(workers), std::vector<float>(jobs_.size(), 1.0f));
  for (Index s = 0; s < plan.batch.shards(); ++s) {
    totals_.emplace_back();
    for (const OutputJob& job : jobs_)
      totals_.back().push_back(
          {0, std::vector<double>(at(job.state_size())),
           std::vector<OverlapSums>(
               job.is_of_batch() ? at(job.groups(plan.batch.options.batch_size)) : 0)});
  }
}

std::vector<float> OutputJudge::scales() const {
  std::vector<float> scales;
  for (const OutputRoom& room : rooms_[0]) scales.push_back(room.scale);
  return scales;
}

bool OutputJudge::is_finite() const noexcept {
  return std::all_of(totals().begin(), totals().end(),
                     [](const OutputTotals& each) { return std::isfinite(each.loss); });
}

void OutputJudge::begin(const Batch& batch, int worker, float* changed) noexcept {
  // Each worker counts for itself: it is little, and saves a barrier.
  for (std::size_t o = 0; o < jobs_.size(); ++o)
    scales_[static_cast<std::size_t>(worker)][o] =
        batch_scale(jobs_[o], static_cast<Index>(o), *batch.source, batch.epoch,
                    batch.numbers.data(), batch.size(), changed);
}

void OutputJudge::gather(const Sample& sample, Index row, const ShardView& shard) noexcept {
  for (std::size_t o = 0; o < jobs_.size(); ++o)
    gather_targets(jobs_[o], static_cast<Index>(o), sample, shard.space.memory.rows, row,
                   rooms_[at(shard.place)][o]);
}

void OutputJudge::judge(const ShardView& shard) noexcept {
  Workspace<float>& space = shard.space;
  for (std::size_t o = 0; o < jobs_.size(); ++o) {
    const OutputJob& job = jobs_[o];
    OutputRoom& room = rooms_[at(shard.place)][o];
    room.scale = scales_[static_cast<std::size_t>(shard.worker)][o];
    if (job.mask >= 0) {
      const double valid = space.memory.sums[job.mask_count];
      const double total = static_cast<double>(space.memory.batch_rows * space.steps(job.mask));
      room.scale *= static_cast<float>(job.mask_factor(total, valid));
    }
    judge_shard(job, space.memory.rows, space.value(job.value),
                job.mask >= 0 ? space.value(job.mask) : nullptr,
                training_ ? space.gradient(job.value) : nullptr, room,
                totals_[at(shard.number)][o]);
  }
}

void OutputJudge::judge_batch(const Batch& batch, Index shards) noexcept {
  tree(shards, [&](Index to, Index from) {
    for (std::size_t o = 0; o < jobs_.size(); ++o) totals_[at(to)][o].add(totals_[at(from)][o]);
  });
  for (std::size_t o = 0; o < jobs_.size(); ++o)
    if (jobs_[o].is_of_batch()) sonde::judge_batch(jobs_[o], batch.size(), totals_[0][o]);
}

void OutputJudge::finish_gradient(const ShardView& shard) noexcept {
  Workspace<float>& space = shard.space;
  for (std::size_t o = 0; o < jobs_.size(); ++o) {
    const OutputJob& job = jobs_[o];
    float* dy = space.gradient(job.value);
    if (job.is_of_batch() && dy != nullptr)
      write_overlap_gradient(job, space.memory.rows, space.value(job.value), job.mask >= 0,
                             totals_[0][o], rooms_[at(shard.place)][o], dy);
  }
}

}  // namespace sonde
