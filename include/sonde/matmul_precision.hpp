#pragma once
#include <array>
#include <string_view>

namespace sonde {

/// The numbers that products multiply while a model trains. Sums, states, weights, gradients and
/// moments are 32-bit floats in both.
enum class MatmulPrecision : unsigned char {
  f32,
  bf16,  ///< factors of LSTM layers are rounded to 8 bits of mantissa where that is faster (AMX, or
         ///< AVX512_BF16 of AMD's; default activations, no dropout); elsewhere the same as f32
};
constexpr auto enum_names(MatmulPrecision) {
  return std::array<std::string_view, 2>{"f32", "bf16"};
}

}  // namespace sonde
