#pragma once
#include <optional>
#include <sonde/recording_set.hpp>
#include <string>
#include <vector>

namespace sonde::cli {

struct RecordingFiles {
  std::vector<Recording> recordings;
  std::vector<std::string> classes;  ///< names; as many as there are classes
  Remarks remarks = {};
};

/// Throws IoError, and DataError for what cannot be used. `ignored`: steps with this label have
/// weight 0; it need not be a class.
RecordingFiles load_recording_files(RecordingSet set, std::optional<Index> ignored = {});

/// The number of classes: that of the names, or one more than the largest label that counts, at
/// least 2. Throws DataError for labels that are no class number.
Index count_classes(const RecordingFiles& files);

/// Steps whose label counts.
Index labelled_steps(const Recording& recording);

/// SHA-256 of names, groups, signals, labels and weights, as they were loaded.
std::string sha256_of(const std::vector<Recording>& recordings);

}  // namespace sonde::cli
