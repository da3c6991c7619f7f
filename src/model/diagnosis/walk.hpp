#pragma once
#include "model/diagnosis/draft.hpp"

namespace sonde::diagnosis {

/// One line for each layer on the way to output `o` that changes the number of time steps:
/// `max_pooling1d "pool": 393 → 98 (pool_size 4)`.
std::vector<std::string> walk_of_time(const Draft& draft, const Planned& planned, std::size_t o);

}  // namespace sonde::diagnosis
