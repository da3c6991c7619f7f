#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <sonde/recording_set.hpp>
#include <string>

namespace sonde::cli {

/// The table [recordings] of a configuration file; its folder is seen from that file. Other tables
/// are not looked at. `ignored`: becomes what the file says of --ignore-label, if anything.
/// ArgumentError without such a table, and for whatever in it is unknown.
RecordingSet read_recording_set(const std::string& config_file,
                                std::optional<Index>* ignored = nullptr);

/// What `sonde inspect recording.toml` says: recordings, groups, steps, hours, channels, classes,
/// what is masked, and SHA-256 of the files. `text` is for people.
nlohmann::ordered_json inspect_recordings(const std::string& config_file, std::string& text);

}  // namespace sonde::cli
