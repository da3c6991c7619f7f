#pragma once
#include <optional>
#include <sonde/splits.hpp>
#include <string>

#include "cli/fold_data.hpp"
#include "cli/judged.hpp"
#include "cli/run_directory.hpp"
#include "cli/run_report.hpp"
#include "cli/train_options.hpp"

namespace sonde::cli {

/// How one training ended.
struct RecordingRun {
  std::string judged_part;       ///< "test", "validation" or "training"
  std::optional<Judged> judged;  ///< of that part
  bool whole = false;            ///< recordings were predicted whole
  nlohmann::ordered_json metrics;
  std::vector<ShownRecording> shown = {};  ///< what the page of several folds shows
};

/// Trains on fold number `fold` of `task` into the folder given.out.
RecordingRun train_fold(const RecordingTask& task, Index fold, const TrainOptions& given);

}  // namespace sonde::cli
