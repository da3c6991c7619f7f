#pragma once
#include <algorithm>
#include <optional>
#include <sonde/view.hpp>
#include <span>

#include "base/random.hpp"

namespace sonde {

/// What the masks of one layer and one training step are drawn from. A seed given to the layer
/// stands for the model's.
template <class T>
RandomKey mask_key(const View<T>& v, std::optional<Index> seed) {
  const RandomKey key{seed ? static_cast<std::uint64_t>(*seed) : v.seed(), v.name()};
  return random_part(key, v.draw());
}

/// Inverted dropout: mask[i] = 0 with probability `rate`, else 1 / (1 - rate), drawn at the
/// positions first, first + 1, … of `key`.
template <class T>
void draw_mask(RandomKey key, Index first, Index count, double rate, T* mask) {
  const T kept = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T(0);
  float drawn[64];
  for (Index done = 0; done < count;) {
    const Index n = std::min<Index>(count - done, 64);
    fill_uniform(key, static_cast<std::uint64_t>(first + done),
                 std::span<float>(drawn, static_cast<std::size_t>(n)));
    for (Index i = 0; i < n; ++i)
      mask[done + i] = static_cast<double>(drawn[i]) < rate ? T(0) : kept;
    done += n;
  }
}

/// drawn[i] = mean + stddev * a standard normal number, at the positions first, first + 1, … of
/// `key`.
template <class T>
void draw_normal(RandomKey key, Index first, Index count, double mean, double stddev, T* drawn) {
  for (Index i = 0; i < count; ++i)
    drawn[i] = static_cast<T>(mean + stddev * normal(key, static_cast<std::uint64_t>(first + i)));
}

}  // namespace sonde
