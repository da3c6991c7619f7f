#pragma once
#include <sonde/model.hpp>
#include <string>
#include <vector>

#include "cli/run_directory.hpp"
#include "cli/task.hpp"
#include "cli/train_options.hpp"

namespace sonde::cli {

/// Gives the model its loss and optimizer. One from a file goes on with the optimizer that it was
/// trained with, step count and moments included, unless the options name one. Metrics of the file
/// are kept beside the task's own. `steps`: of the optimizer in the whole run, over which --decay
/// brings the learning rate down. Returns what must be said: why metrics are left out; or nothing.
std::string compile(Model& model, const TrainOptions& o, const Task& task, Index steps);

/// What the logs of one output call the metrics, first those without weights.
std::vector<std::string> metric_names(const CompileOptions& compiled);

/// The options with every choice that was left to the program. `best`: the value that is monitored
/// unless the options name one.
TrainOptions effective(TrainOptions o, const Task& task, const Model& model, std::string_view best);

/// The folder of the run, with what --resume, --force, --quiet and --progress say.
RunDirectory run_directory(const TrainOptions& o);

/// What the options say of fitting, checkpoints in the run's folder included.
FitOptions fit_options(const RunDirectory& run, const TrainOptions& o, bool resumes);

/// Looks for the monitored value before training rather than after its first epoch.
void check_monitor(const TrainOptions& o, const std::vector<std::string>& names);

}  // namespace sonde::cli
