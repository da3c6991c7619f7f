#include <algorithm>
#include <cmath>
#include <sonde/optimizers.hpp>

namespace sonde {
namespace {

constexpr double pi = 3.14159265358979323846;

double value(const ExponentialDecay& s, double n) {
  double p = n / static_cast<double>(*s.decay_steps);
  if (s.staircase) p = std::floor(p);
  return s.initial_learning_rate * std::pow(*s.decay_rate, p);
}

double value(const InverseTimeDecay& s, double n) {
  double p = n / static_cast<double>(*s.decay_steps);
  if (s.staircase) p = std::floor(p);
  return s.initial_learning_rate / (1.0 + s.decay_rate * p);
}

double value(const PolynomialDecay& s, double n) {
  double steps = static_cast<double>(*s.decay_steps);
  if (s.cycle) steps *= n == 0 ? 1.0 : std::ceil(n / steps);
  else n = std::min(n, steps);
  return (s.initial_learning_rate - s.end_learning_rate) * std::pow(1.0 - n / steps, s.power) +
         s.end_learning_rate;
}

double value(const PiecewiseConstantDecay& s, double n) {
  std::size_t i = 0;
  const auto& boundaries = *s.boundaries;
  while (i < boundaries.size() && n > static_cast<double>(boundaries[i])) ++i;
  return (*s.values)[i];
}

double value(const CosineDecay& s, double n) {
  double from = s.initial_learning_rate;
  if (s.warmup_target) {
    const double warmup = static_cast<double>(s.warmup_steps);
    if (n < warmup) return from + (*s.warmup_target - from) * n / warmup;
    from = *s.warmup_target;
    n -= warmup;
  }
  const double steps = static_cast<double>(*s.decay_steps);
  const double cosine = 0.5 * (1.0 + std::cos(pi * std::min(n, steps) / steps));
  return from * ((1.0 - s.alpha) * cosine + s.alpha);
}

double value(const CosineDecayRestarts& s, double n) {
  // Keras takes the number of restarts from a quotient of logarithms; counting them puts a restart
  // exactly where it belongs.
  double left = n / static_cast<double>(*s.first_decay_steps), length = 1, height = 1;
  if (s.t_mul == 1) {
    height = std::pow(s.m_mul, std::floor(left));
    left -= std::floor(left);
  }
  for (; left >= length; length *= s.t_mul, height *= s.m_mul) left -= length;
  const double cosine = 0.5 * height * (1.0 + std::cos(pi * left / length));
  return s.initial_learning_rate * ((1.0 - s.alpha) * cosine + s.alpha);
}

}  // namespace

double LearningRate::at(std::int64_t iteration) const {
  if (!schedule_) return rate_;
  return std::visit([&](const auto& s) { return value(s, static_cast<double>(iteration)); },
                    *schedule_);
}

Value to_value(const LearningRate& rate) {
  return rate.schedule() ? to_value(*rate.schedule()) : to_value(rate.rate());
}

void from_value(const Value& value, const Where& where, LearningRate& out) {
  if (value.as<double>()) return void(out = LearningRate(*value.as<double>()));
  if (value.as<std::int64_t>())
    return void(out = LearningRate(static_cast<double>(*value.as<std::int64_t>())));
  Schedule schedule = ExponentialDecay{1.0, 1, 1.0};
  from_value(value, where, schedule);
  out = LearningRate(std::move(schedule));
}

}  // namespace sonde
