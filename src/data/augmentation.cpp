#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/augmentation.hpp>

#include "base/random.hpp"

namespace sonde {
namespace {

/// sin(2 pi x), to the last bits of a float: the same on every machine.
double sine_of_turns(double x) {
  x -= std::floor(x + 0.5);  // [-0.5, 0.5)
  if (x > 0.25) x = 0.5 - x;
  if (x < -0.25) x = -0.5 - x;
  const double a = 6.283185307179586476925 * x, s = a * a;
  // Taylor's series: at a quarter turn the first term left out is below 1e-9.
  return a *
         (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110 * (1 - s / 156))))));
}

/// The uniform numbers of one sample, by what they are for.
class Draws {
 public:
  Draws(Index seed, Index epoch, Index number)
      : key_(random_part(random_part(random_key(static_cast<std::uint64_t>(seed), "augmentation"),
                                     static_cast<std::uint64_t>(epoch)),
                         static_cast<std::uint64_t>(number))) {}

  /// In (0, 1).
  double part(std::uint64_t purpose, Index i = 0) const {
    return uniform_double(random_part(key_, purpose), static_cast<std::uint64_t>(i));
  }
  /// In (-1, 1).
  double swing(std::uint64_t purpose, Index i = 0) const { return 2 * part(purpose, i) - 1; }
  RandomKey key(std::uint64_t purpose) const { return random_part(key_, purpose); }

 private:
  RandomKey key_;
};

enum Purpose : std::uint64_t {
  warp_size,
  warp_cycles,
  permuted,
  places,
  flipped,
  factors,
  offsets,
  wave_sizes,
  wave_cycles,
  wave_phases,
  noises,
  drops,
  kept,
  stretch_size,
  stretch_place
};

/// The place in the signal that step t shows: time runs at 1 + a cos(...), between 1 - |a| and
/// 1 + |a|, and both ends stay.
struct Warp {
  double size, half_cycles, last;
  double operator()(Index t) const {
    const double at = static_cast<double>(t);
    if (last == 0) return at;
    const double turns = half_cycles * at / (2 * last);
    constexpr double pi = 3.14159265358979323846;
    return std::clamp(at + size * last / (pi * half_cycles) * sine_of_turns(turns), 0.0, last);
  }
};

void expect(bool fine, std::string_view name, std::string_view range, double got) {
  if (!fine)
    throw ArgumentError(fmt::format("augmentation: {} must be {}, got {}.", name, range, got));
}

double deviation(const float* x, Index steps, Index channels) {
  double sum = 0, squares = 0;
  for (Index t = 0; t < steps; ++t) sum += static_cast<double>(x[t * channels]);
  const double mean = sum / static_cast<double>(steps);
  for (Index t = 0; t < steps; ++t) {
    const double off = static_cast<double>(x[t * channels]) - mean;
    squares += off * off;
  }
  return std::sqrt(squares / static_cast<double>(steps));
}

/// Adds bell-shaped noise: the sum of four uniform numbers, whose deviation is the root of 1 / 3.
void add_noise(RandomKey key, double deviation, Index steps, Index channels, float* x) {
  constexpr Index together = 64;
  const float size = static_cast<float>(deviation * 1.7320508075688772);
  float uniforms[4 * together];
  for (Index begin = 0; begin < steps; begin += together) {
    const Index n = std::min(together, steps - begin);
    fill_uniform(key, static_cast<std::uint64_t>(4 * begin),
                 std::span(uniforms).first(static_cast<std::size_t>(4 * n)));
    for (Index i = 0; i < n; ++i) {
      const float* u = uniforms + 4 * i;
      x[(begin + i) * channels] += size * ((u[0] + u[1]) + (u[2] + u[3]) - 2.0f);
    }
  }
}

}  // namespace

void check(const Augmentation& how) {
  for (const auto& [name, value] : {std::pair{"stretch", how.stretch}, std::pair{"warp", how.warp}})
    expect(value >= 0 && value < 1, name, "at least 0 and below 1", value);
  for (const auto& [name, value] : {std::pair{"permute", how.permute}, std::pair{"flip", how.flip},
                                    std::pair{"drop", how.drop}})
    expect(value >= 0 && value <= 1, name, "a probability in [0, 1]", value);
  for (const auto& [name, value] : {std::pair{"scale", how.scale}, std::pair{"offset", how.offset},
                                    std::pair{"wander", how.wander}, std::pair{"noise", how.noise}})
    expect(value >= 0 && std::isfinite(value), name, "finite and at least 0", value);
  expect(how.cycles > 0 && std::isfinite(how.cycles), "cycles", "positive", how.cycles);
}

Augmented::Augmented(const SampleSource& samples, Augmentation how) : samples_(samples), how_(how) {
  const std::vector<Shape> inputs = samples.inputs();
  if (inputs.empty() || inputs[0].rank() != 2)
    throw ArgumentError(fmt::format(
        "augmentation: expected signals (time, channels), got {}. Reshape them, or leave it out.",
        inputs.empty() ? "none" : to_string(inputs[0])));
  given_ = steps_ = inputs[0][0];
  channels_ = inputs[0][1];
  check(how);
  if (how == Augmentation{.seed = how.seed} || given_ == 0) return;

  while (steps_ > 1 && steps_needed(steps_, how) > given_) --steps_;
  room_ = steps_ * channels_;
  if (how.warp == 0 && how.stretch == 0) return;
  const std::vector<Shape> targets = samples.targets();
  for (std::size_t o = 0; o < targets.size(); ++o) {
    const Index weights = samples.weights(static_cast<Index>(o));
    if (targets[o].rank() == 0 || targets[o][0] != given_)
      throw ArgumentError(fmt::format(
          "augmentation: {} moves labels with the steps of the signal {}, and target {} is {}. "
          "Leave it out.",
          how.warp > 0 ? "warp" : "stretch", to_string(inputs[0]), o, to_string(targets[o])));
    moving_.push_back({o, false, targets[o].elements() / given_});
    if (weights > 1) moving_.push_back({o, true, weights / given_});
  }
  for (const Moving& each : moving_) room_ += steps_ * each.width;
}

std::vector<Shape> Augmented::inputs() const {
  std::vector<Shape> shapes = samples_.inputs();
  if (given_ != steps_) shapes[0][0] = steps_;
  return shapes;
}

std::vector<Shape> Augmented::targets() const {
  std::vector<Shape> shapes = samples_.targets();
  if (given_ != steps_)
    for (Shape& each : shapes) each[0] = steps_;
  return shapes;
}

Index Augmented::weights(Index output) const {
  const Index weights = samples_.weights(output);
  return given_ != steps_ && weights > 1 ? weights / given_ * steps_ : weights;
}

Index steps_needed(Index steps, const Augmentation& how) {
  if (how.stretch == 0 || steps < 1) return steps;
  return static_cast<Index>(std::ceil(static_cast<double>(steps - 1) * (1 + how.stretch))) + 1;
}

Sample Augmented::training_sample(Index epoch, Index number, float* room) const noexcept {
  Sample sample = samples_.room() > 0 ? samples_.training_sample(epoch, number, room)
                                      : samples_.sample(epoch, number);
  if (room_ == 0) return sample;
  const Draws draws(how_.seed, epoch, number);
  float* x = room + samples_.room();
  const float* from = sample.x[0];

  if (how_.warp > 0 || how_.stretch > 0) {
    const Warp warp{how_.warp * draws.swing(warp_size), 1 + std::floor(3 * draws.part(warp_cycles)),
                    static_cast<double>(steps_ - 1)};
    const double end = static_cast<double>(given_ - 1);
    const double speed = 1 + how_.stretch * draws.swing(stretch_size);
    // What is shown lies anywhere in what is given.
    const double begin = how_.stretch > 0
                             ? std::max(end - speed * static_cast<double>(steps_ - 1), 0.0) *
                                   draws.part(stretch_place)
                             : 0;
    const auto place = [&](Index t) { return std::min(begin + speed * warp(t), end); };
    for (Index t = 0; t < steps_; ++t) {
      const double at = place(t);
      const Index below = static_cast<Index>(at), above = std::min(below + 1, given_ - 1);
      const float part = static_cast<float>(at - static_cast<double>(below));
      for (Index c = 0; c < channels_; ++c) {
        const float a = from[below * channels_ + c], b = from[above * channels_ + c];
        x[t * channels_ + c] = a + part * (b - a);
      }
    }
    float* to = x + steps_ * channels_;
    for (const Moving& each : moving_) {
      const float*& moved = each.weights ? sample.weights[each.output] : sample.y[each.output];
      for (Index t = 0; t < steps_; ++t)
        std::copy_n(moved + static_cast<Index>(std::floor(place(t) + 0.5)) * each.width, each.width,
                    to + t * each.width);
      moved = to;
      to += steps_ * each.width;
    }
  } else {
    std::copy_n(from, steps_ * channels_, x);
  }
  sample.x[0] = x;

  if (how_.permute > 0 && draws.part(permuted) < how_.permute)
    for (Index c = channels_ - 1; c > 0; --c) {
      const Index other =
          std::min(static_cast<Index>(draws.part(places, c) * static_cast<double>(c + 1)), c);
      for (Index t = 0; t < steps_; ++t) std::swap(x[t * channels_ + c], x[t * channels_ + other]);
    }
  const bool flip = how_.flip > 0 && draws.part(flipped) < how_.flip;
  const Index stays = std::min(
      static_cast<Index>(draws.part(kept) * static_cast<double>(channels_)), channels_ - 1);
  for (Index c = 0; c < channels_; ++c) {
    if (how_.drop > 0 && c != stays && draws.part(drops, c) < how_.drop) {
      for (Index t = 0; t < steps_; ++t) x[t * channels_ + c] = 0;
      continue;
    }
    const double scale = how_.scale > 0 ? 1 + how_.scale * draws.swing(factors, c) : 1;
    const float factor = static_cast<float>(flip ? -scale : scale);
    if (factor != 1)
      for (Index t = 0; t < steps_; ++t) x[t * channels_ + c] *= factor;
    if (how_.offset == 0 && how_.wander == 0 && how_.noise == 0) continue;
    const double spread = deviation(x + c, steps_, channels_);
    const float offset =
        how_.offset > 0 ? static_cast<float>(how_.offset * spread * draws.swing(offsets, c)) : 0;
    if (offset != 0)
      for (Index t = 0; t < steps_; ++t) x[t * channels_ + c] += offset;
    if (how_.wander > 0) {
      const double size = how_.wander * spread * draws.part(wave_sizes, c);
      const double speed = how_.cycles * draws.part(wave_cycles, c) / static_cast<double>(steps_);
      const double phase = draws.part(wave_phases, c);
      for (Index t = 0; t < steps_; ++t)
        x[t * channels_ + c] +=
            static_cast<float>(size * sine_of_turns(phase + speed * static_cast<double>(t)));
    }
    if (how_.noise > 0)
      add_noise(random_part(draws.key(noises), static_cast<std::uint64_t>(c)), how_.noise * spread,
                steps_, channels_, x + c);
  }
  return sample;
}

}  // namespace sonde
