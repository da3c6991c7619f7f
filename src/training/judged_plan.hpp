#pragma once
#include <vector>

#include "training/batch_plan.hpp"
#include "training/output_job.hpp"

namespace sonde {

/// A plan of batches whose outputs are judged, and what is asked of each.
struct JudgedPlan {
  /// `jobs`: one for each output. Throws DataError where `source` has targets for more or fewer.
  JudgedPlan(const Graph& graph, const WeightBlock& weights, std::vector<OutputJob> jobs,
             const SampleSource& source, BatchRunnerOptions options);

  BatchPlan batch;
  std::vector<OutputJob> jobs;
};

}  // namespace sonde
