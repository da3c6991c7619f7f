#include "formats/numbers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace sonde::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are taken as they lie");

/// IEEE half precision, widened exactly.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16;
  const std::uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  // A denormal half is `fraction` units of 2^-24: exact in float32.
  if (exponent == 0) {
    const float size = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -size : size;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class T>
float narrowed(T value) {
  if constexpr (std::is_same_v<T, double>) {
    // Beyond what a float can hold is undefined to convert. Less than half a step above the largest
    // one, numbers are rounded down to it.
    constexpr double most = std::numeric_limits<float>::max(), half_a_step = 0x1p103;
    const double size = std::abs(value);
    if (size > most)
      return (size < most + half_a_step ? static_cast<float>(most)
                                        : std::numeric_limits<float>::infinity()) *
             (value < 0 ? -1.0f : 1.0f);
  }
  return static_cast<float>(value);
}

template <class T>
void widen_all(Bytes bytes, bool is_big_endian, float* out) {
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    std::byte lying[sizeof(T)];
    std::memcpy(lying, bytes.data() + i, sizeof(T));
    if (is_big_endian) std::reverse(lying, lying + sizeof(T));
    T value;
    std::memcpy(&value, lying, sizeof(T));
    *out++ = narrowed(value);
  }
}

void widen_halves(Bytes bytes, bool is_big_endian, float* out) {
  for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    const auto low = std::to_integer<unsigned>(bytes[i + is_big_endian]);
    const auto high = std::to_integer<unsigned>(bytes[i + !is_big_endian]);
    *out++ = half_to_float(static_cast<std::uint16_t>(high << 8 | low));
  }
}

}  // namespace

void widen(Bytes bytes, const NumberForm& form, float* out) {
  const bool big = form.is_big_endian;
  switch (form.kind) {
    case NumberForm::Kind::boolean:
      for (std::size_t i = 0; i < bytes.size(); i += static_cast<std::size_t>(form.width)) {
        const Bytes one = bytes.subspan(i, static_cast<std::size_t>(form.width));
        *out++ = std::any_of(one.begin(), one.end(), [](std::byte b) { return b != std::byte{0}; });
      }
      return;
    case NumberForm::Kind::floating:
      return form.width == 2   ? widen_halves(bytes, big, out)
             : form.width == 4 ? widen_all<float>(bytes, big, out)
                               : widen_all<double>(bytes, big, out);
    case NumberForm::Kind::whole:
      return form.width == 1   ? widen_all<std::int8_t>(bytes, big, out)
             : form.width == 2 ? widen_all<std::int16_t>(bytes, big, out)
             : form.width == 4 ? widen_all<std::int32_t>(bytes, big, out)
                               : widen_all<std::int64_t>(bytes, big, out);
    case NumberForm::Kind::natural:
      return form.width == 1   ? widen_all<std::uint8_t>(bytes, big, out)
             : form.width == 2 ? widen_all<std::uint16_t>(bytes, big, out)
             : form.width == 4 ? widen_all<std::uint32_t>(bytes, big, out)
                               : widen_all<std::uint64_t>(bytes, big, out);
  }
}

Array from_fortran_order(std::span<const float> values, const Shape& shape) {
  Array array(shape);
  std::vector<Index> strides, at(static_cast<std::size_t>(shape.rank()), 0);
  for (Index stride = 1; const Index size : shape) {
    strides.push_back(stride);
    stride *= size;
  }
  Index from = 0;
  for (float& value : array.values()) {
    value = values[static_cast<std::size_t>(from)];
    for (std::size_t axis = at.size(); axis-- > 0;) {
      from += strides[axis];
      if (++at[axis] < shape[static_cast<Index>(axis)]) break;
      from -= strides[axis] * at[axis];
      at[axis] = 0;
    }
  }
  return array;
}

}  // namespace sonde::formats
