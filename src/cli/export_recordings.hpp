#pragma once
#include <filesystem>
#include <sonde/recording_set.hpp>

namespace sonde::cli {

/// Writes each recording of the set as FOLDER/NAME.npz with the arrays signal (time, channels),
/// labels (time, 1) and weights (time,), and the list of them as FOLDER/recordings.csv. Returns how
/// many there are. Throws IoError, and ArgumentError for a folder that holds something.
Index export_recordings(const RecordingSet& set, const std::filesystem::path& folder,
                        std::optional<Index> ignored = {});

}  // namespace sonde::cli
