#include <fmt/format.h>

#include <cmath>

#include "training/optimizer.hpp"

namespace sonde {
namespace {

[[noreturn]] void refuse(std::string_view type, const std::string& message) {
  throw ArgumentError(fmt::format("{}: {}", type, message));
}

void check_schedule(std::string_view type, const PiecewiseConstantDecay& s) {
  const auto& boundaries = *s.boundaries;
  if ((*s.values).size() != boundaries.size() + 1)
    refuse(type, fmt::format("PiecewiseConstantDecay needs one value more than boundaries, got {} "
                             "and {}.",
                             (*s.values).size(), boundaries.size()));
  for (std::size_t i = 1; i < boundaries.size(); ++i)
    if (boundaries[i] <= boundaries[i - 1])
      refuse(type, "PiecewiseConstantDecay needs boundaries in rising order.");
}

void check_schedule(std::string_view type, const CosineDecayRestarts& s) {
  if (*s.first_decay_steps < 1)
    refuse(type,
           fmt::format("first_decay_steps must be at least 1, got {}.", *s.first_decay_steps));
  if (!(s.t_mul >= 1) || std::isinf(s.t_mul))
    refuse(type, fmt::format("t_mul must be at least 1, so that restarts end, got {}.", s.t_mul));
}

template <class S>
void check_schedule(std::string_view type, const S& s) {
  if (*s.decay_steps < 1)
    refuse(type, fmt::format("decay_steps must be at least 1, got {}.", *s.decay_steps));
  if constexpr (requires { s.warmup_steps; })
    if (s.warmup_steps < 0)
      refuse(type, fmt::format("warmup_steps must be at least 0, got {}.", s.warmup_steps));
}

void in_unit(std::string_view type, std::string_view name, double value) {
  if (!(value >= 0 && value <= 1))
    refuse(type, fmt::format("{} must be between 0 and 1, got {}.", name, value));
}

void below_one(std::string_view type, std::string_view name, double value) {
  if (!(value >= 0 && value < 1))
    refuse(type, fmt::format("{} must be at least 0 and below 1, got {}.", name, value));
}

void not_negative(std::string_view type, std::string_view name, double value) {
  if (!(value >= 0) || std::isinf(value))
    refuse(type, fmt::format("{} must be a number of at least 0, got {}.", name, value));
}

/// The arguments that all optimizers have.
template <class S>
void check_shared(const S& s) {
  const LearningRate& rate = s.learning_rate;
  if (rate.schedule() != nullptr)
    std::visit([](const auto& one) { check_schedule(one.type, one); }, *rate.schedule());
  else not_negative(s.type, "learning_rate", rate.rate());
  if (s.weight_decay) not_negative(s.type, "weight_decay", *s.weight_decay);
  if (s.clipnorm.has_value() + s.clipvalue.has_value() + s.global_clipnorm.has_value() > 1)
    refuse(s.type, "only one of clipnorm, clipvalue and global_clipnorm may be given.");
  for (const auto& limit : {s.clipnorm, s.clipvalue, s.global_clipnorm})
    if (limit && !(*limit > 0))
      refuse(s.type, fmt::format("a clipping limit must be above 0, got {}.", *limit));
  if (s.use_ema) in_unit(s.type, "ema_momentum", s.ema_momentum);
  if (s.use_ema && s.ema_overwrite_frequency && *s.ema_overwrite_frequency < 1)
    refuse(s.type, fmt::format("ema_overwrite_frequency must be at least 1, got {}.",
                               *s.ema_overwrite_frequency));
  if (s.loss_scale_factor)
    refuse(s.type,
           "loss_scale_factor is not supported: everything is computed in float32, where it "
           "changes nothing. Leave it out.");
  if (s.gradient_accumulation_steps)
    refuse(s.type, fmt::format("gradient_accumulation_steps is not supported. Use a batch {} times "
                               "as large.",
                               *s.gradient_accumulation_steps));
}

void check_own(const SGD& s) { in_unit(s.type, "momentum", s.momentum); }
void check_own(const RMSprop& s) {
  below_one(s.type, "rho", s.rho);
  in_unit(s.type, "momentum", s.momentum);
  not_negative(s.type, "epsilon", s.epsilon);
}
void check_own(const Adagrad& s) {
  not_negative(s.type, "initial_accumulator_value", s.initial_accumulator_value);
  not_negative(s.type, "epsilon", s.epsilon);
}
template <class S>
void check_own(const S& s) {
  below_one(s.type, "beta_1", s.beta_1);
  below_one(s.type, "beta_2", s.beta_2);
  not_negative(s.type, "epsilon", s.epsilon);
  if constexpr (std::is_same_v<S, AdamW>)
    if (!s.weight_decay) refuse(s.type, "weight_decay must be a number. Use Adam for none.");
}

}  // namespace

void check_optimizer(const Optimizer& optimizer) {
  std::visit(
      [](const auto& spec) {
        check_shared(spec);
        check_own(spec);
      },
      optimizer);
}

Optimizer optimizer_from_name(std::string_view name) {
  Optimizer optimizer = Adam{};
  from_value(Value(name), "optimizer", optimizer);
  return optimizer;
}

}  // namespace sonde
