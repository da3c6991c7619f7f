#include "graph/initialize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"

namespace sonde {
namespace {

/// One weight to fill. The functions below are Keras' initializers/random_initializers.py.
struct Target {
  const Shape& shape;
  RandomKey key;
  std::string_view name;
  std::span<float> out;

  template <class F>
  void fill(F&& value) const {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(value(i));
  }
};

[[noreturn]] void refuse(const Target& t, std::string_view type, const std::string& rest) {
  throw ArgumentError(fmt::format("Weight \"{}\": {} {}", t.name, type, rest));
}

void fill_uniformly(const Target& t, double low, double high) {
  t.fill([&](std::size_t i) { return low + (high - low) * uniform_double(t.key, i); });
}

void scale_variance(const Target& t, double scale, FanMode mode, Distribution distribution,
                    const FanAxes& input_axes, const FanAxes& output_axes) {
  const Fans fan = fans(t.shape, input_axes, output_axes, fmt::format("Weight \"{}\"", t.name));
  const double n = mode == FanMode::fan_in    ? fan.in
                   : mode == FanMode::fan_out ? fan.out
                                              : (fan.in + fan.out) / 2;
  const double variance = scale / std::max(1.0, n);
  if (distribution == Distribution::uniform) {
    const double limit = std::sqrt(3 * variance);
    fill_uniformly(t, -limit, limit);
  } else if (distribution == Distribution::untruncated_normal) {
    const double deviation = std::sqrt(variance);
    t.fill([&](std::size_t i) { return deviation * normal(t.key, i); });
  } else {
    // Cutting a standard normal at ±2 leaves this deviation.
    const double deviation = std::sqrt(variance) / 0.87962566103423978;
    t.fill([&](std::size_t i) { return deviation * truncated_normal(t.key, i); });
  }
}

/// In eight sums, so that it does not wait for each addition.
double dot(const double* a, const double* b, std::size_t n) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Makes the `count` vectors of length n orthonormal, one after the other: the Q of a QR
/// factorization whose R has a positive diagonal, which is what Keras' sign rule makes of its Q.
void orthonormalize(std::vector<double>& vectors, std::size_t count, std::size_t n) {
  for (std::size_t j = 0; j < count; ++j) {
    double* v = vectors.data() + j * n;
    // Twice is enough (Giraud, Langou, Rozložník 2005): the second pass removes rounding errors.
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t k = 0; k < j; ++k) {
        const double* q = vectors.data() + k * n;
        const double share = dot(v, q, n);
        for (std::size_t i = 0; i < n; ++i) v[i] -= share * q[i];
      }
    }
    const double scale = 1 / std::sqrt(dot(v, v, n));
    for (std::size_t i = 0; i < n; ++i) v[i] *= scale;
  }
}

void fill(const Target& t, const Orthogonal& spec) {
  if (t.shape.rank() < 2)
    refuse(t, "Orthogonal",
           fmt::format("needs at least two axes, got shape {}. Use GlorotUniform.",
                       to_string(t.shape)));
  if (t.out.empty()) return;
  const auto columns = static_cast<std::size_t>(t.shape.last());
  const std::size_t rows = t.out.size() / columns;
  const std::size_t count = std::min(rows, columns), n = std::max(rows, columns);
  // The draws fill a tall matrix (n, count) by rows; its columns lie here one after the other.
  std::vector<double> vectors(count * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < count; ++j) vectors[j * n + i] = normal(t.key, i * count + j);
  orthonormalize(vectors, count, n);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      t.out[row * columns + column] = static_cast<float>(
          spec.gain * (rows < columns ? vectors[row * n + column] : vectors[column * n + row]));
}

void fill(const Target& t, const IdentityMatrix& spec) {
  if (t.shape.rank() != 2)
    refuse(t, "Identity", fmt::format("fills matrices only, got shape {}.", to_string(t.shape)));
  const auto columns = static_cast<std::size_t>(t.shape.last());
  t.fill([&](std::size_t i) { return i / columns == i % columns ? spec.gain : 0.0; });
}

void fill(const Target& t, const VarianceScaling& spec) {
  if (!(spec.scale > 0) || std::isinf(spec.scale))
    refuse(t, "VarianceScaling", fmt::format("needs a positive scale, got {}.", spec.scale));
  scale_variance(t, spec.scale, spec.mode, spec.distribution, spec.input_axes, spec.output_axes);
}

void fill(const Target& t, const GlorotUniform& s) {
  scale_variance(t, 1, FanMode::fan_avg, Distribution::uniform, s.input_axes, s.output_axes);
}
void fill(const Target& t, const GlorotNormal& s) {
  scale_variance(t, 1, FanMode::fan_avg, Distribution::truncated_normal, s.input_axes,
                 s.output_axes);
}
void fill(const Target& t, const HeUniform& s) {
  scale_variance(t, 2, FanMode::fan_in, Distribution::uniform, s.input_axes, s.output_axes);
}
void fill(const Target& t, const HeNormal& s) {
  scale_variance(t, 2, FanMode::fan_in, Distribution::truncated_normal, s.input_axes,
                 s.output_axes);
}
void fill(const Target& t, const LecunUniform& s) {
  scale_variance(t, 1, FanMode::fan_in, Distribution::uniform, s.input_axes, s.output_axes);
}
void fill(const Target& t, const LecunNormal& s) {
  scale_variance(t, 1, FanMode::fan_in, Distribution::truncated_normal, s.input_axes,
                 s.output_axes);
}

void check_deviation(const Target& t, std::string_view type, double mean, double deviation) {
  if (!(deviation >= 0) || !std::isfinite(mean + deviation))
    refuse(t, type,
           fmt::format("needs a finite mean and a stddev of at least 0, got {} and {}.", mean,
                       deviation));
}

void fill(const Target& t, const RandomNormal& s) {
  check_deviation(t, "RandomNormal", s.mean, s.stddev);
  t.fill([&](std::size_t i) { return s.mean + s.stddev * normal(t.key, i); });
}
void fill(const Target& t, const TruncatedNormal& s) {
  check_deviation(t, "TruncatedNormal", s.mean, s.stddev);
  t.fill([&](std::size_t i) { return s.mean + s.stddev * truncated_normal(t.key, i); });
}
void fill(const Target& t, const RandomUniform& s) {
  if (!(s.minval <= s.maxval) || !std::isfinite(s.maxval - s.minval))
    refuse(t, "RandomUniform",
           fmt::format("needs minval <= maxval, got {} and {}.", s.minval, s.maxval));
  fill_uniformly(t, s.minval, s.maxval);
}
void fill(const Target& t, const Zeros&) {
  t.fill([](std::size_t) { return 0.0; });
}
void fill(const Target& t, const Ones&) {
  t.fill([](std::size_t) { return 1.0; });
}
void fill(const Target& t, const Constant& s) {
  t.fill([&](std::size_t) { return s.value; });
}

}  // namespace

Fans fans(const Shape& shape, const FanAxes& input_axes, const FanAxes& output_axes,
          std::string_view where) {
  if (input_axes && output_axes) {
    const auto product = [&](const std::vector<Index>& axes) {
      double size = 1;
      for (const Index axis : axes) {
        if (axis < -shape.rank() || axis >= shape.rank())
          throw ArgumentError(fmt::format("{}: fan axis {} is outside its shape {}.", where, axis,
                                          to_string(shape)));
        size *= static_cast<double>(shape[axis]);
      }
      return size;
    };
    return {product(*input_axes), product(*output_axes)};
  }
  if (shape.rank() == 0) return {};
  const auto size = [&](Index axis) { return static_cast<double>(shape[axis]); };
  if (shape.rank() == 1) return {size(0), size(0)};
  double taps = 1;
  for (Index axis = 0; axis < shape.rank() - 2; ++axis) taps *= size(axis);
  return {taps * size(-2), taps * size(-1)};
}

void initialize(const Initializer& initializer, const Shape& shape, std::uint64_t seed,
                std::string_view weight_name, std::span<float> out) {
  const Target target{shape, random_key(seed, weight_name), weight_name, out};
  std::visit([&](const auto& spec) { fill(target, spec); }, initializer);
}

}  // namespace sonde
