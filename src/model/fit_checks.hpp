#pragma once
#include <string_view>
#include <vector>

#include "model/state.hpp"
#include "plan/plan.hpp"
#include "training/output_job.hpp"

/// What fit and evaluate look at before any computing. All throw DataError or ArgumentError.
namespace sonde {

/// Where targets, weights or class weights do not fit the outputs.
void check_targets(const Model::State& state, const SampleSource& samples,
                   std::vector<OutputJob>& jobs, const Plan& plan);
/// Class weights need labels that have a class: one number, or one-hot.
void check_class_weight(const Model::State& state, const std::vector<OutputJob>& jobs);
/// Looks at the labels of every sample, one by one. `kind`: "sample", or "validation sample".
void check_all_labels(const Model::State& state, const SampleSource& samples,
                      const std::vector<OutputJob>& jobs, std::string_view kind = "sample");

}  // namespace sonde
