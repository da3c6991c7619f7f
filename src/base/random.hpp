#pragma once
#include <array>
#include <cstdint>
#include <sonde/shape.hpp>
#include <span>
#include <string_view>
#include <vector>

/// Random numbers from a counter: a number is a pure function of (seed, stream, position), so the
/// order of drawing, threads and resumed runs cannot change it. No libm is involved: the same bits
/// on every machine.
namespace sonde {

/// FNV-1a, 64 bits.
std::uint64_t hash_name(std::string_view name);

/// Which sequence is drawn from. A key serves one kind of draw (uniform, normal, shuffled).
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;

  bool operator==(const RandomKey&) const = default;
};

/// The sequence of something with a name, as of a weight or a dropout layer.
inline RandomKey random_key(std::uint64_t seed, std::string_view name) {
  return {seed, hash_name(name)};
}
/// The `part`-th of many sequences within `key`, as one for each epoch or step.
RandomKey random_part(RandomKey key, std::uint64_t part);

/// Philox4x32-10 of Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

/// The number at `position` of the uniform sequence: a multiple of 2^-24 in [0, 1).
float uniform(RandomKey key, std::uint64_t position);
/// out[i] = uniform(key, first + i), at a quarter of the price.
void fill_uniform(RandomKey key, std::uint64_t first, std::span<float> out);
/// The number at `position` of the same kind of sequence in double: in (0, 1), both ends left out.
double uniform_double(RandomKey key, std::uint64_t position);
/// The number at `position` of the standard normal sequence.
double normal(RandomKey key, std::uint64_t position);
/// The same, of a standard normal cut at ±2.
double truncated_normal(RandomKey key, std::uint64_t position);

/// The quantile of the standard normal at p in (0, 1). Wichura's algorithm AS 241, PPND16 (1988).
double normal_quantile(double p);

/// The numbers 0 … n - 1 in the order of the given epoch. n is at most 2^32.
std::vector<Index> shuffled(Index n, RandomKey key, std::uint64_t epoch);

}  // namespace sonde
