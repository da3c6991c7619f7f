#pragma once
#include <nlohmann/json.hpp>
#include <sonde/value.hpp>

namespace sonde::cli {

using Json = nlohmann::ordered_json;

/// A piece of configuration as JSON.
Json to_json(const Value& value);

}  // namespace sonde::cli
