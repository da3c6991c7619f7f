#include <fmt/format.h>

#include <algorithm>
#include <sonde/array.hpp>
#include <sonde/error.hpp>

#include "base/read_ahead.hpp"

namespace sonde {

Array::Array(Shape shape)
    : shape_(std::move(shape)), buffer_(Buffer<float>::for_data(shape_.elements())) {}

Array::Array(Shape shape, std::span<const float> values) : Array(std::move(shape)) {
  if (static_cast<Index>(values.size()) != size())
    throw DataError(fmt::format("Array: shape {} holds {} numbers, got {}.", to_string(shape_),
                                size(), values.size()));
  std::copy(values.begin(), values.end(), data());
}

Array::Array(const Array& other)
    : shape_(other.shape_), buffer_(Buffer<float>::for_data(other.size())) {
  std::copy(other.values().begin(), other.values().end(), data());
}

Array& Array::operator=(const Array& other) {
  if (this != &other) *this = Array(other);
  return *this;
}

void Array::will_need(Index begin, Index end) const noexcept {
  if (is_on_disk()) read_ahead(data() + begin, data() + end);
}

Array Array::reshaped(Shape shape) const { return Array(std::move(shape), values()); }

Array Array::slice(Index begin, Index end) const {
  const Index row = shape_.without_front().elements();
  Array part(shape_.without_front().with_front(end - begin));
  std::copy(data() + begin * row, data() + end * row, part.data());
  return part;
}

}  // namespace sonde
