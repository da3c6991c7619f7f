#pragma once
#include <optional>
#include <sonde/augmentation.hpp>

#include "cli/train_options.hpp"

namespace sonde::cli {

/// The samples that train, changed as the table [augmentation] says; none without one. Its seed is
/// added to that of the run, so that repeated runs see other changes. `samples` must outlive it.
std::optional<Augmented> augmented(const SampleSource& samples, const TrainOptions& o);

}  // namespace sonde::cli
