#include "report/pyramid.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "report/text.hpp"

namespace sonde::report {
namespace {

constexpr Index first_block = 16;
constexpr Index growth = 8;
constexpr std::size_t enough = 2048;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// One level from the next finer one, which may be the signal itself (low = high = values).
Level coarser(std::span<const float> low, std::span<const float> high, Index times, Index block) {
  Level level{.block = block};
  const auto step = static_cast<std::size_t>(times);
  const std::size_t blocks = (low.size() + step - 1) / step;
  level.low.resize(blocks);
  level.high.resize(blocks);
  for (std::size_t b = 0; b < blocks; ++b) {
    float least = std::numeric_limits<float>::infinity(), largest = -least;
    for (std::size_t i = b * step; i < std::min(low.size(), (b + 1) * step); ++i) {
      if (!std::isfinite(low[i])) continue;
      least = std::min(least, low[i]);
      largest = std::max(largest, high[i]);
    }
    const bool any = least <= largest;
    level.low[b] = any ? least : nan;
    level.high[b] = any ? largest : nan;
  }
  return level;
}

void put(std::vector<std::byte>& bytes, std::uint32_t value, std::size_t size) {
  for (std::size_t k = 0; k < size; ++k)
    bytes.push_back(static_cast<std::byte>(value >> (8 * k) & 255));
}

void put(std::vector<std::byte>& bytes, float value, const Packing& packing) {
  if (packing.type == Packing::Type::float32) {
    put(bytes, std::bit_cast<std::uint32_t>(std::isfinite(value) ? value : nan), 4);
    return;
  }
  const bool small = packing.type == Packing::Type::uint8;
  const double least = small ? 0 : -32767, largest = small ? 254 : 32767;
  const double stored = (static_cast<double>(value) - packing.offset) / packing.scale;
  const std::int32_t whole =
      std::isfinite(value)
          ? static_cast<std::int32_t>(std::lround(std::clamp(stored, least, largest)))
          : (small ? 255 : -32768);
  put(bytes, static_cast<std::uint32_t>(whole), packing.size());
}

}  // namespace

std::vector<Level> pyramid(std::span<const float> values) {
  std::vector<Level> levels;
  if (values.size() <= enough) return levels;
  levels.push_back(coarser(values, values, first_block, first_block));
  while (levels.back().low.size() > enough) {
    const Level& fine = levels.back();
    levels.push_back(coarser(fine.low, fine.high, growth, fine.block * growth));
  }
  return levels;
}

std::string_view Packing::name() const {
  return type == Type::uint8 ? "u8" : type == Type::int16 ? "i16" : "f32";
}

std::size_t Packing::size() const { return type == Type::uint8 ? 1 : type == Type::int16 ? 2 : 4; }

Packing packing_for(std::span<const float> values) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    least = std::min(least, static_cast<double>(v));
    largest = std::max(largest, static_cast<double>(v));
  }
  if (!(least <= largest)) return {};
  const double scale = (largest - least) / 65534;
  // The usual spread: between the quartiles of some ten thousand values.
  std::vector<float> some;
  for (std::size_t i = 0; i < values.size(); i += values.size() / 10'000 + 1)
    if (std::isfinite(values[i])) some.push_back(values[i]);
  std::sort(some.begin(), some.end());
  const double spread = some.empty() ? 0
                                     : static_cast<double>(some[some.size() * 3 / 4]) -
                                           static_cast<double>(some[some.size() / 4]);
  if (spread > 0 && scale > spread / 100) return {.type = Packing::Type::float32};
  return {.type = Packing::Type::int16,
          .offset = (least + largest) / 2,
          .scale = scale > 0 ? scale : 1};
}

Packing packing_of_probabilities() {
  return {.type = Packing::Type::uint8, .offset = 0, .scale = 1.0 / 254};
}

std::string packed(std::span<const float> values, const Packing& packing) {
  std::vector<std::byte> bytes;
  bytes.reserve(values.size() * packing.size());
  for (const float v : values) put(bytes, v, packing);
  return base64(bytes);
}

std::string packed(const Level& level, const Packing& packing) {
  std::vector<std::byte> bytes;
  bytes.reserve(level.low.size() * 2 * packing.size());
  for (std::size_t b = 0; b < level.low.size(); ++b) {
    put(bytes, level.low[b], packing);
    put(bytes, level.high[b], packing);
  }
  return base64(bytes);
}

}  // namespace sonde::report
