#pragma once
#include <string>

#include "cli/train_options.hpp"

namespace sonde::cli {

/// `sonde train` over whole recordings: windows at random places train, whole recordings of other
/// groups choose the epoch and test; all folds and seeds, judged together. Returns the exit code.
int train_recordings(const TrainOptions& given);

/// Paths in the tables of a configuration file are seen from that file; makes them absolute.
void find_files(TrainOptions& o, const std::string& config_file);

}  // namespace sonde::cli
