#pragma once
#include <sonde/shape.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Long signals at several resolutions, so that any stretch of them can be drawn from few numbers.
namespace sonde::report {

/// Least and largest value of each block of `block` steps, the last block perhaps shorter. NaN is
/// left out; a block of NaN alone is (NaN, NaN).
struct Level {
  Index block = 1;
  std::vector<float> low = {}, high = {};
};

/// Levels of blocks of 16, 128, 1024, … steps, until one has at most 2048 blocks. Infinite values
/// count as NaN. None for signals of at most 2048 steps: they are drawn as they are.
std::vector<Level> pyramid(std::span<const float> values);

/// How numbers become bytes: value = offset + scale · stored.
struct Packing {
  enum class Type {
    uint8,    ///< 0 … 254; 255 is NaN
    int16,    ///< -32767 … 32767; -32768 is NaN
    float32,  ///< as it is, where so few digits would flatten the signal
  };
  Type type = Type::int16;
  double offset = 0;
  double scale = 1;

  std::string_view name() const;
  std::size_t size() const;
};

/// 16 bits over the range of the values, or float32 where outliers would leave the usual values too
/// few steps.
Packing packing_for(std::span<const float> values);
/// Of probabilities: 8 bits.
Packing packing_of_probabilities();

/// The stored bytes, little-endian, in base64.
std::string packed(std::span<const float> values, const Packing& packing);
/// low, high, low, high, …
std::string packed(const Level& level, const Packing& packing);

}  // namespace sonde::report
