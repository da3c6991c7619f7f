#pragma once
#include <string>

#include "model/fit_data.hpp"
#include "model/state.hpp"
#include "training/judged_plan.hpp"

namespace sonde {

/// 1268776960 → "1.18 GB", in powers of 1024 as Keras' summary has it.
std::string bytes_text(Index bytes);

/// The plan of training on `train`. Throws DataError where the samples do not fit the inputs.
JudgedPlan fit_plan(const Model::State& state, const SampleSource& train,
                    const FitOptions& options);

/// Says what training by `plan` takes. Where `memory` is less (0: no limit), makes it a plan that
/// takes shards one by one, or one that recomputes; throws LimitError where that takes more still.
TrainingMemory fit_memory(const Model::State& state, const FitData& data, JudgedPlan& plan,
                          int workers, Index memory);

}  // namespace sonde
