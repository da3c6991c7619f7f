#pragma once
#include <sonde/matmul_precision.hpp>
#include <sonde/shape.hpp>

/// How products of bfloat16 are made where MatmulPrecision::bf16 asks for them.
namespace sonde::kernels {

/// none: not at all, the float32 kernels run. avx512: pairs in vectors (AVX512_BF16). amx: tiles of
/// 16 x 16 sums (AMX, and AVX512_BF16 to round).
enum class Bf16 { none, avx512, amx };

/// The best that this processor, the system, the level in use (AVX3) and SONDE_BF16 (none, AVX512
/// or AMX) allow; read at first use, when the system is asked for AMX's registers as well. Vectors
/// are not chosen, unless by SONDE_BF16, where they are no faster than those of floats: on Intel's
/// processors, as measured (docs/lstm_kernel.md).
Bf16 bf16_in_use();

/// For tests and benchmarks: from now on this; what was planned or packed before must be planned
/// and packed again. False, and nothing changes, where the processor lacks it. Not for use beside
/// kernels.
bool set_bf16(Bf16);

const char* bf16_name(Bf16);

/// Rows that kernels want together at least. A tile of AMX takes as long for 16 rows as for one;
/// 8 of them leave a batch of 32 to four threads.
inline Index least_rows(MatmulPrecision precision) {
  return precision == MatmulPrecision::bf16 && bf16_in_use() == Bf16::amx ? 8 : 4;
}

}  // namespace sonde::kernels
