#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sonde::cli {

/// This machine's, as Linux calls it; "unknown" elsewhere.
std::string processor();

/// What a run was made from and on: version, seed, processor, kernel level, and the length and
/// SHA-256 of each file, given as (role, path); empty paths are left out.
nlohmann::ordered_json provenance(long seed,
                                  const std::vector<std::pair<std::string, std::string>>& files);

/// Throws DataError where a file is not the one that the run in `path`, a provenance.json, began
/// with. `who` asks, and `mend` says what to do without the file.
void check_same_files(const std::filesystem::path& path, const nlohmann::ordered_json& now,
                      const std::string& who = "--resume",
                      const std::string& mend = "start another run");

}  // namespace sonde::cli
