#pragma once
#include <sonde/array.hpp>
#include "base/file.hpp"

/// Numbers as files hold them, made float32.
namespace sonde::formats {

/// How one number lies in a file. Widths: 1, 2, 4 or 8 bytes, floats from 2 on.
struct NumberForm {
  enum class Kind { boolean, whole, natural, floating };
  Kind kind = Kind::floating;
  int width = 4;
  bool is_big_endian = false;
};

/// Writes bytes.size() / form.width numbers to `out`. Large whole numbers are rounded, floats
/// beyond the largest float32 become infinite, and any boolean but 0 is 1.
void widen(Bytes bytes, const NumberForm& form, float* out);

/// `values`, whose first axis runs fastest, as an array, whose last axis does: as Fortran and
/// MATLAB keep theirs.
Array from_fortran_order(std::span<const float> values, const Shape& shape);

}  // namespace sonde::formats
