#pragma once

/// To be included before Highway: which instruction sets the vector code is compiled for.
///
/// Only sets with fused multiply-add are in the guarantee of equal bits; elsewhere the reference
/// runs. Each kernel's .cpp is compiled once per set (foreach_target), and on a set without vectors
/// (SONDE_HAS_VECTORS is 0) it compiles to nothing.
#define HWY_DISABLED_TARGETS (~(HWY_AVX2 | HWY_AVX3 | HWY_NEON | HWY_SCALAR | HWY_EMU128))
#define HWY_COMPILE_ALL_ATTAINABLE
#define SONDE_HAS_VECTORS (HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128)

#include <hwy/detect_targets.h>

#include "kernels/level.hpp"

#if HWY_TARGETS & HWY_AVX3
#define SONDE_AVX3(name, otherwise) &N_AVX3::name
#else
#define SONDE_AVX3(name, otherwise) otherwise
#endif
#if HWY_TARGETS & HWY_AVX2
#define SONDE_AVX2(name, otherwise) &N_AVX2::name
#else
#define SONDE_AVX2(name, otherwise) otherwise
#endif
#if HWY_TARGETS & HWY_NEON
#define SONDE_NEON(name, otherwise) &N_NEON::name
#else
#define SONDE_NEON(name, otherwise) otherwise
#endif

/// The kernel `name` as compiled for the level in use, or `otherwise` at the reference level. Own
/// instead of Highway's, whose choice is global to the process and lives in a shared library.
#define SONDE_CHOOSE(name, otherwise)                            \
  (level_in_use() == Level::avx3   ? SONDE_AVX3(name, otherwise) \
   : level_in_use() == Level::avx2 ? SONDE_AVX2(name, otherwise) \
   : level_in_use() == Level::neon ? SONDE_NEON(name, otherwise) \
                                   : otherwise)
