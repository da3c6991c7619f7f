#pragma once
#include <string_view>

namespace sonde {

inline constexpr std::string_view version = "0.1.0";

/// The instruction set that the float kernels use on this machine: "AVX3", "AVX2", "NEON" or
/// "reference". The same bits are promised on the same level; the variable SONDE_KERNELS caps it.
std::string_view kernel_level();
/// The instructions for products of bfloat16 that training with them uses: "AMX", "AVX512" or,
/// where the processor has none that are worth it, "none". The variable SONDE_BF16 chooses others.
std::string_view bfloat16_level();

}  // namespace sonde
