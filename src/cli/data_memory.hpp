#pragma once
#include <sonde/shape.hpp>
#include <string>

namespace sonde::cli {

/// Bytes that data may take in memory: SONDE_DATA_MEMORY, written like 16G, or a quarter of what
/// this process can have: what judges the labels takes as much again. 0: no limit, also where the
/// system does not say. Throws ArgumentError for a word that is no size.
Index data_memory();

/// What lies on a disk for want of memory, as a line for people; empty when nothing does.
std::string data_on_disk_text();

}  // namespace sonde::cli
