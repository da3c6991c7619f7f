#pragma once

/// Which instruction set the float kernels use.
namespace sonde::kernels {

enum class Level { reference, neon, avx2, avx3 };

/// The best that this processor and SONDE_KERNELS (reference, NEON, AVX2 or AVX3) allow; read at
/// first use.
Level level_in_use();

/// For tests and benchmarks: caps the level from now on; what was packed before must be packed
/// again. False, and nothing changes, where the processor or the build lacks it. Not for use beside
/// kernels.
bool set_level(Level);

const char* level_name(Level);

}  // namespace sonde::kernels
