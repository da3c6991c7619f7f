#pragma once
#include <string_view>

namespace sonde {

inline constexpr std::string_view version = "0.1.0";

/// The instruction set that the float kernels use on this machine: "AVX3", "AVX2", "NEON" or
/// "reference". The same bits are promised on the same level; the variable SONDE_KERNELS caps it.
std::string_view kernel_level();

}  // namespace sonde
