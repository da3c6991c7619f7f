#include "training/judged_plan.hpp"

#include <fmt/format.h>

#include <sonde/error.hpp>

namespace sonde {
namespace {

BatchRunnerOptions judged(BatchRunnerOptions options, const std::vector<OutputJob>& jobs) {
  options.logits.clear();
  for (const OutputJob& job : jobs) options.logits.push_back(job.head != Head::values);
  return options;
}

}  // namespace

void check_target_count(const std::vector<OutputJob>& jobs, const SampleSource& source) {
  if (const std::size_t targets = source.targets().size(); targets != jobs.size())
    throw DataError(fmt::format("The model has {} output{}, got targets for {}.", jobs.size(),
                                jobs.size() == 1 ? "" : "s", targets));
}

JudgedPlan::JudgedPlan(const Graph& graph, const WeightBlock& weights, std::vector<OutputJob> given,
                       const SampleSource& source, BatchRunnerOptions options)
    : batch(graph, weights, source, judged(std::move(options), given)), jobs(std::move(given)) {
  check_target_count(jobs, source);
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    jobs[o].bind(batch.plan, static_cast<Index>(o), source);
    batch.of_batch = batch.of_batch || jobs[o].is_of_batch();
    batch.judging += jobs[o].room_size(batch.rows());
  }
}

}  // namespace sonde
