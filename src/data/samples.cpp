#include <fmt/format.h>

#include <sonde/samples.hpp>

#include "base/read_ahead.hpp"

namespace sonde {
namespace {

const float* row(const std::vector<const Array*>& arrays, std::size_t i, Index number) {
  if (i >= arrays.size() || arrays[i] == nullptr) return nullptr;
  const Array& array = *arrays[i];
  const Index size = array.size() / array.shape()[0];
  const float* begin = array.data() + number * size;
  return array.is_on_disk() ? at_hand(begin, begin + size) : begin;
}

std::vector<Shape> shapes(const std::vector<const Array*>& arrays) {
  std::vector<Shape> found;
  for (const Array* array : arrays) found.push_back(array->shape().without_front());
  return found;
}

}  // namespace

ArraySamples::ArraySamples(Arrays x, Arrays y, Arrays weights)
    : x_(std::move(x)), y_(std::move(y)), weights_(std::move(weights)) {
  if (x_.empty()) throw DataError("samples: needs at least one input array, got none.");
  size_ = x_[0]->shape().rank() > 0 ? x_[0]->shape()[0] : 0;
  if (size_ == 0) throw DataError("samples: X has no samples. Check how it was written.");
  const auto check = [&](const Arrays& arrays, const char* what) {
    if (arrays.size() > Sample::most)
      throw DataError(fmt::format("samples: at most {} arrays of {}, got {}.", Sample::most, what,
                                  arrays.size()));
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      if (arrays[i] == nullptr) continue;
      const Index size = arrays[i]->shape().rank() > 0 ? arrays[i]->shape()[0] : 0;
      if (size != size_)
        throw DataError(fmt::format(
            "samples: X {} holds {} samples, but {} {} holds {}. Both must have one entry for each "
            "sample.",
            to_string(x_[0]->shape()), size_, what, to_string(arrays[i]->shape()), size));
    }
  };
  check(x_, "X");
  check(y_, "y");
  check(weights_, "weights");
}

std::vector<Shape> ArraySamples::inputs() const { return shapes(x_); }
std::vector<Shape> ArraySamples::targets() const { return shapes(y_); }

Index ArraySamples::weights(Index output) const {
  const auto i = static_cast<std::size_t>(output);
  if (i >= weights_.size() || weights_[i] == nullptr) return 0;
  return weights_[i]->size() / weights_[i]->shape()[0];
}

void SamplePart::will_need(Index epoch, std::span<const Index> numbers) const noexcept {
  for (const Index number : numbers) {
    const Index moved = begin_ + number;
    whole_.will_need(epoch, {&moved, 1});
  }
}

void ArraySamples::will_need(Index, std::span<const Index> numbers) const noexcept {
  for (const Arrays* arrays : {&x_, &y_, &weights_})
    for (const Array* array : *arrays) {
      if (array == nullptr || !array->is_on_disk()) continue;
      const Index row = array->size() / array->shape()[0];
      for (const Index number : numbers) array->will_need(number * row, (number + 1) * row);
    }
}

Sample ArraySamples::sample(Index, Index number) const noexcept {
  Sample sample;
  for (std::size_t i = 0; i < Sample::most; ++i) {
    sample.x[i] = row(x_, i, number);
    sample.y[i] = row(y_, i, number);
    sample.weights[i] = row(weights_, i, number);
  }
  return sample;
}

}  // namespace sonde
