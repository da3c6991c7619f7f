#pragma once
#include <sonde/recipe.hpp>
#include <sonde/tuning.hpp>
#include <span>
#include <string>
#include <vector>

#include "cli/data.hpp"
#include "cli/task.hpp"

namespace sonde::cli {

/// What `train --post-process auto` finds on the validation part, of recordings or of samples with
/// labels for each step. `validation`: probabilities as the network gives them. Sets temperature
/// and post-processing of the recipe; returns a line for people. A temperature that does not lower
/// the log loss, and settings that do not better the criterion, are left alone.
std::string tune_recipe(Recipe& recipe, std::span<const LabelledProbabilities> validation,
                        const Criterion& criterion = {});

/// The same for samples (samples, steps, …): each is taken for a recording of its own. Throws
/// ArgumentError where the labels are not classes of each step.
std::string tune_recipe(Recipe& recipe, const Task& task, const Array& predictions,
                        const Data& validation, const Criterion& criterion = {});

}  // namespace sonde::cli
