#pragma once
#include <sonde/array.hpp>
#include <string>
#include <string_view>
#include "base/file.hpp"

/// NumPy's array files, versions 1 to 3.
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
namespace sonde::formats {

/// What the literal of a header says.
struct NpyHeader {
  char kind = 'f';  ///< NumPy's: b boolean, i and u whole numbers, f floats
  int width = 4;    ///< bytes per number
  bool is_big_endian = false;
  bool is_fortran_order = false;
  Shape shape;
};

/// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. DataError for everything that
/// is no array of numbers.
NpyHeader read_npy_literal(std::string_view text, const std::string& where);

/// The array in `bytes`, which must hold nothing else; `where` names them in messages.
Array read_npy(Bytes bytes, const std::string& where);

/// What stands before the numbers of a float32 array in C order.
std::string npy_header(const Shape& shape);

}  // namespace sonde::formats
