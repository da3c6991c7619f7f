#pragma once
#include <vector>

#include "training/batch_plan.hpp"
#include "training/output_job.hpp"

namespace sonde {

/// Throws DataError where `source` has targets for more or fewer outputs than `jobs` judge.
void check_target_count(const std::vector<OutputJob>& jobs, const SampleSource& source);

/// A plan of batches whose outputs are judged, and what is asked of each.
struct JudgedPlan {
  /// `jobs`: one for each output. Throws DataError: check_target_count().
  JudgedPlan(const Graph& graph, const WeightBlock& weights, std::vector<OutputJob> jobs,
             const SampleSource& source, BatchRunnerOptions options);

  BatchPlan batch;
  std::vector<OutputJob> jobs;
};

}  // namespace sonde
