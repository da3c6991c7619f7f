#include "base/random.hpp"

#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

namespace sonde {
namespace {

constexpr std::uint32_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
constexpr std::uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;

/// Key = seed, counter = (block, stream): distinct arguments never meet in one counter.
std::array<std::uint32_t, 4> block(RandomKey key, std::uint64_t number) {
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
  return philox({low(number), high(number), low(key.stream), high(key.stream)},
                {low(key.seed), high(key.seed)});
}

float to_unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

constexpr std::size_t lanes = 8;

/// The numbers of `lanes` blocks from `number` on: philox() once more, in loops over lanes that a
/// compiler turns into vector code.
void many_blocks(RandomKey key, std::uint64_t number, float* out) {
  std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
  for (std::size_t l = 0; l < lanes; ++l) {
    c0[l] = static_cast<std::uint32_t>(number + l);
    c1[l] = static_cast<std::uint32_t>((number + l) >> 32);
    c2[l] = static_cast<std::uint32_t>(key.stream);
    c3[l] = static_cast<std::uint32_t>(key.stream >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t l = 0; l < lanes; ++l) {
      const std::uint64_t p0 = std::uint64_t{multiplier0} * c0[l];
      const std::uint64_t p1 = std::uint64_t{multiplier1} * c2[l];
      c0[l] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[l] ^ k0;
      c1[l] = static_cast<std::uint32_t>(p1);
      c2[l] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[l] ^ k1;
      c3[l] = static_cast<std::uint32_t>(p0);
    }
    k0 += weyl0;
    k1 += weyl1;
  }
  for (std::size_t l = 0; l < lanes; ++l) {
    out[4 * l] = to_unit(c0[l]);
    out[4 * l + 1] = to_unit(c1[l]);
    out[4 * l + 2] = to_unit(c2[l]);
    out[4 * l + 3] = to_unit(c3[l]);
  }
}

std::uint64_t wide_word(RandomKey key, std::uint64_t position) {
  const auto words = block(key, position / 2);
  const std::size_t at = 2 * (position % 2);
  return words[at] | std::uint64_t{words[at + 1]} << 32;
}

/// log of x in (0, 1), to a few units in the last place.
double natural_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  // log m = 2 atanh s with |s| < 0.1716: the 13th term of the series is below 2^-66 of the sum.
  const double s = (m - 1) / (m + 1), s2 = s * s;
  double sum = 0;
  for (int k = 25; k >= 3; k -= 2) sum = (sum + 1.0 / k) * s2;
  return exponent * 0.69314718055994531 + 2 * s * (1 + sum);
}

double polynomial(std::span<const double> c, double x) {
  double sum = 0;
  for (std::size_t i = c.size(); i-- > 0;) sum = sum * x + c[i];
  return sum;
}

}  // namespace

std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

RandomKey random_part(RandomKey key, std::uint64_t part) {
  // The finalizer of splitmix64: a bijection, so that parts of one key never meet.
  std::uint64_t z = key.stream + (part + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return {key.seed, z ^ (z >> 31)};
}

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c,
                                    std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{multiplier0} * c[0];
    const std::uint64_t p1 = std::uint64_t{multiplier1} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k = {k[0] + weyl0, k[1] + weyl1};
  }
  return c;
}

float uniform(RandomKey key, std::uint64_t position) {
  return to_unit(block(key, position / 4)[position % 4]);
}

void fill_uniform(RandomKey key, std::uint64_t first, std::span<float> out) {
  std::size_t i = 0;
  const auto one_block = [&] {
    const auto words = block(key, (first + i) / 4);
    for (std::size_t at = (first + i) % 4; at < 4 && i < out.size(); ++at, ++i)
      out[i] = to_unit(words[at]);
  };
  if (first % 4 != 0) one_block();
  for (; i + 4 * lanes <= out.size(); i += 4 * lanes)
    many_blocks(key, (first + i) / 4, out.data() + i);
  while (i < out.size()) one_block();
}

double uniform_double(RandomKey key, std::uint64_t position) {
  // 52 bits and a half: the largest is 1 - 2^-53, which is a double.
  return (static_cast<double>(wide_word(key, position) >> 12) + 0.5) * 0x1p-52;
}

double normal(RandomKey key, std::uint64_t position) {
  return normal_quantile(uniform_double(key, position));
}

double truncated_normal(RandomKey key, std::uint64_t position) {
  constexpr double below = 0.022750131948179207;  // P(X < -2)
  return normal_quantile(below + (1 - 2 * below) * uniform_double(key, position));
}

double normal_quantile(double p) {
  static constexpr double a[] = {
      3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
      45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727};
  static constexpr double b[] = {1.0,
                                 42.313330701600911252,
                                 687.18700749205790830,
                                 5394.1960214247511077,
                                 21213.794301586595867,
                                 39307.895800092710610,
                                 28729.085735721942674,
                                 5226.4952788528545610};
  static constexpr double c[] = {1.42343711074968357734,   4.63033784615654529590,
                                 5.76949722146069140550,   3.64784832476320460504,
                                 1.27045825245236838258,   0.241780725177450611770,
                                 0.0227238449892691845833, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187,
                                 1.67638483018380384940,
                                 0.689767334985100004550,
                                 0.148103976427480074590,
                                 0.0151986665636164571966,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  static constexpr double e[] = {6.65790464350110377720,    5.46378491116411436990,
                                 1.78482653991729133580,    0.296560571828504891230,
                                 0.0265321895265761230930,  1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 0.599832206555887937690,
                                 0.136929880922735805310,
                                 0.0148753612908506148525,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-natural_log(q < 0 ? p : 1 - p));
  const double x = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                          : polynomial(e, r - 5) / polynomial(f, r - 5);
  return q < 0 ? -x : x;
}

std::vector<Index> shuffled(Index n, RandomKey key, std::uint64_t epoch) {
  const RandomKey of_epoch = random_part(key, epoch);
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    // The high half of word * i: a place below i, uneven by less than one part in 2^32.
    const auto word = wide_word(of_epoch, i);
    const std::uint64_t high = (word >> 32) * i, low = (word & 0xffffffff) * i;
    std::swap(order[i - 1], order[(high + (low >> 32)) >> 32]);
  }
  return order;
}

}  // namespace sonde
