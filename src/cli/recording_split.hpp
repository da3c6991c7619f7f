#pragma once
#include <nlohmann/json.hpp>
#include <sonde/splits.hpp>
#include <string>
#include <vector>

namespace sonde::cli {

/// Who is in each part, and the hash of what is there: metrics.json, "split".
nlohmann::ordered_json described(const sonde::Parts& parts);

/// The hashes of it, as provenance.json lists files.
nlohmann::ordered_json sources_of(const nlohmann::ordered_json& split);

/// The same for people: a line for each part, and a warning where a group stands in several.
std::vector<std::string> told(const nlohmann::ordered_json& split);

}  // namespace sonde::cli
