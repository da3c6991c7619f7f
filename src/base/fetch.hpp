#pragma once

namespace sonde {

/// Tells the system to fetch what it has mapped at [begin, end) from the disk; returns at once.
void fetch(const void* begin, const void* end) noexcept;

}  // namespace sonde
