#include <fmt/format.h>

#include <sonde/mapped_samples.hpp>

#include "base/read_ahead.hpp"

namespace sonde {

MappedSamples::MappedSamples(MappedArray x, const Array& y, const Array* weights)
    : x_(std::move(x)),
      row_(x_.shape().rank() > 0 ? x_.shape().without_front().elements() : 0),
      labels_({&y}, {&y}, {weights}) {
  const Index samples = x_.shape().rank() > 0 ? x_.shape()[0] : 0;
  if (samples != labels_.size())
    throw DataError(fmt::format(
        "samples: X {} holds {} samples, but y {} holds {}. Both must have one entry for each "
        "sample.",
        to_string(x_.shape()), samples, to_string(y.shape()), labels_.size()));
}

Sample MappedSamples::sample(Index epoch, Index number) const noexcept {
  Sample sample = labels_.sample(epoch, number);
  const float* begin = x_.data() + number * row_;
  sample.x[0] = at_hand(begin, begin + row_);
  return sample;
}

void MappedSamples::will_need(Index epoch, std::span<const Index> numbers) const noexcept {
  for (const Index number : numbers) x_.will_need(number * row_, (number + 1) * row_);
  labels_.will_need(epoch, numbers);
}

}  // namespace sonde
