#pragma once
#include <string>
#include <vector>

#include "cli/judged.hpp"
#include "cli/model_file.hpp"
#include "cli/run_report.hpp"
#include "cli/train_options.hpp"

namespace sonde::cli {

struct EvaluateRecordings {
  std::string part;  ///< of the split: "train", "validation", "test"; "all": every recording;
                     ///< "auto": test where there is one, else validation, else train
  Index batch_size = 32;
  int threads = 0;
  bool show = false;  ///< keep signals and labels, for a page
};

/// Recordings that a model labelled, judged by the rules of a configuration.
struct EvaluatedRecordings {
  std::string part;
  Judged judged;
  std::vector<std::string> classes;
  bool whole = true;                       ///< recordings were predicted whole
  std::vector<ShownRecording> shown = {};  ///< where they are to be shown
  std::vector<DataPart> parts = {};
  nlohmann::ordered_json split = {};  ///< described(), before anything was changed
};

/// Reads the recordings that `options` name and judges those of a part. Throws IoError, and
/// DataError and ArgumentError for what does not fit.
EvaluatedRecordings evaluate_recordings(LabellingModel& opened, const TrainOptions& options,
                                        const EvaluateRecordings& how);

/// The options in a file that has a table [recordings]; ArgumentError for others.
TrainOptions recording_options(const std::string& file);

}  // namespace sonde::cli
