#include "training/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

// Keras: optimizers/*.py. The order of operations and the float32 constants are Keras' too.
namespace sonde {
namespace {

/// What every optimizer does to gradient and weight before its own formula.
struct Before {
  float clip;
  float limit;
  float decay;
  float rate;

  template <class S>
  Before(const S& spec, const OptimizerStep& step)
      : clip(step.clip),
        limit(step.limit > 0 ? step.limit : std::numeric_limits<float>::infinity()),
        decay(static_cast<float>(spec.weight_decay.value_or(0))),
        rate(static_cast<float>(step.rate)) {}

  float gradient(float g) const { return std::clamp(g * clip, -limit, limit); }
  float weight(float w) const { return w - w * decay * rate; }
};

/// base^n by repeated squaring: without libm, the same bits everywhere.
double power(double base, std::int64_t n) {
  double result = 1;
  for (; n > 0; n /= 2) {
    if (n % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

/// 1 - beta^t as Keras has it: beta and its power are floats.
float correction(double beta, std::int64_t t) {
  return 1 - static_cast<float>(power(static_cast<double>(static_cast<float>(beta)), t));
}

void run(const SGD& spec, const OptimizerStep& step, Index n, float* __restrict w,
         const float* __restrict g, const OptimizerState& state) {
  const Before before(spec, step);
  const float rate = before.rate, momentum = static_cast<float>(spec.momentum);
  if (spec.momentum == 0) {
    for (Index i = 0; i < n; ++i) w[i] = before.weight(w[i]) - before.gradient(g[i]) * rate;
    return;
  }
  float* __restrict m = state[0];
  for (Index i = 0; i < n; ++i) {
    const float change = before.gradient(g[i]) * rate;
    m[i] = m[i] * momentum - change;
    w[i] = before.weight(w[i]) + (spec.nesterov ? m[i] * momentum - change : m[i]);
  }
}

template <class S>
void run_adam(const S& spec, const OptimizerStep& step, Index n, float* __restrict w,
              const float* __restrict g, const OptimizerState& state) {
  const Before before(spec, step);
  const float alpha = before.rate * std::sqrt(correction(spec.beta_2, step.iteration + 1)) /
                      correction(spec.beta_1, step.iteration + 1);
  const float first = static_cast<float>(1 - spec.beta_1);
  const float second = static_cast<float>(1 - spec.beta_2);
  const float epsilon = static_cast<float>(spec.epsilon);
  float* __restrict m = state[0], * __restrict v = state[1];
  const auto moments = [&](Index i) {
    const float gradient = before.gradient(g[i]);
    m[i] += (gradient - m[i]) * first;
    v[i] += (gradient * gradient - v[i]) * second;
  };
  const auto move = [&](Index i, float spread) {
    w[i] = before.weight(w[i]) - m[i] * alpha / (std::sqrt(spread) + epsilon);
  };
  if (!spec.amsgrad) {
    for (Index i = 0; i < n; ++i) {
      moments(i);
      move(i, v[i]);
    }
    return;
  }
  float* __restrict highest = state[2];
  for (Index i = 0; i < n; ++i) {
    moments(i);
    highest[i] = std::max(highest[i], v[i]);
    move(i, highest[i]);
  }
}

void run(const Adam& spec, const OptimizerStep& step, Index n, float* w, const float* g,
         const OptimizerState& state) {
  run_adam(spec, step, n, w, g, state);
}
void run(const AdamW& spec, const OptimizerStep& step, Index n, float* w, const float* g,
         const OptimizerState& state) {
  run_adam(spec, step, n, w, g, state);
}

template <bool with_momentum, bool centered>
void run_rmsprop(const RMSprop& spec, const OptimizerStep& step, Index n, float* __restrict w,
                 const float* __restrict g, const OptimizerState& state) {
  const Before before(spec, step);
  const float rho = static_cast<float>(spec.rho), rest = static_cast<float>(1 - spec.rho);
  const float momentum = static_cast<float>(spec.momentum);
  const float epsilon = static_cast<float>(spec.epsilon);
  float* __restrict v = state[0];
  float* __restrict moved = state[1];
  float* __restrict average = state[with_momentum ? 2 : 1];
  for (Index i = 0; i < n; ++i) {
    const float gradient = before.gradient(g[i]);
    v[i] = rho * v[i] + rest * (gradient * gradient);
    float spread = v[i] + epsilon;
    if constexpr (centered) {
      average[i] = rho * average[i] + rest * gradient;
      spread = v[i] - average[i] * average[i] + epsilon;
    }
    float change = before.rate * gradient / std::sqrt(spread);
    if constexpr (with_momentum) change = moved[i] = momentum * moved[i] + change;
    w[i] = before.weight(w[i]) - change;
  }
}

void run(const RMSprop& spec, const OptimizerStep& step, Index n, float* w, const float* g,
         const OptimizerState& state) {
  const auto run = spec.momentum > 0
                       ? (spec.centered ? run_rmsprop<true, true> : run_rmsprop<true, false>)
                       : (spec.centered ? run_rmsprop<false, true> : run_rmsprop<false, false>);
  run(spec, step, n, w, g, state);
}

void run(const Adagrad& spec, const OptimizerStep& step, Index n, float* __restrict w,
         const float* __restrict g, const OptimizerState& state) {
  const Before before(spec, step);
  const float epsilon = static_cast<float>(spec.epsilon);
  float* __restrict sum = state[0];
  for (Index i = 0; i < n; ++i) {
    const float gradient = before.gradient(g[i]);
    sum[i] += gradient * gradient;
    w[i] = before.weight(w[i]) - before.rate * gradient / std::sqrt(sum[i] + epsilon);
  }
}

/// The average begins as the weights after the first step.
template <class S>
void run_average(const S& spec, const OptimizerStep& step, Index n, float* __restrict w,
                 float* __restrict average) {
  const float momentum = step.iteration == 0 ? 0.0f : static_cast<float>(spec.ema_momentum);
  const float rest = 1 - momentum;
  for (Index i = 0; i < n; ++i) average[i] = momentum * average[i] + rest * w[i];
  if (spec.ema_overwrite_frequency && (step.iteration + 1) % *spec.ema_overwrite_frequency == 0)
    std::copy_n(average, n, w);
}

Index own_slots(const SGD& s) { return s.momentum != 0; }
Index own_slots(const RMSprop& s) { return 1 + (s.momentum > 0) + s.centered; }
Index own_slots(const Adagrad&) { return 1; }
template <class S>
Index own_slots(const S& s) {
  return 2 + s.amsgrad;
}

template <class S>
float* average_of(const S& spec, const OptimizerState& state) {
  return spec.use_ema ? state[static_cast<std::size_t>(own_slots(spec))] : nullptr;
}

std::vector<std::string_view> own_names(const SGD&) { return {"momentum"}; }
std::vector<std::string_view> own_names(const RMSprop& s) {
  if (s.momentum > 0) return {"velocity", "momentum", "average_gradient"};
  return {"velocity", "average_gradient"};
}
std::vector<std::string_view> own_names(const Adagrad&) { return {"accumulator"}; }
template <class S>
std::vector<std::string_view> own_names(const S&) {
  return {"momentum", "velocity", "velocity_hat"};
}

}  // namespace

Index optimizer_slots(const Optimizer& optimizer) {
  return std::visit([](const auto& spec) { return own_slots(spec) + spec.use_ema; }, optimizer);
}

std::vector<std::string_view> optimizer_slot_names(const Optimizer& optimizer) {
  return std::visit(
      [](const auto& spec) {
        auto names = own_names(spec);
        names.resize(static_cast<std::size_t>(own_slots(spec)));
        if (spec.use_ema) names.emplace_back("average");
        return names;
      },
      optimizer);
}

float optimizer_slot_start(const Optimizer& optimizer, Index slot) {
  const auto* adagrad = std::get_if<Adagrad>(&optimizer);
  return adagrad != nullptr && slot == 0 ? static_cast<float>(adagrad->initial_accumulator_value)
                                         : 0.0f;
}

Clipping clipping(const Optimizer& optimizer) {
  return std::visit(
      [](const auto& s) {
        return Clipping{s.clipnorm, s.clipvalue, s.global_clipnorm};
      },
      optimizer);
}

void optimizer_step(const Optimizer& optimizer, const OptimizerStep& step, Index n, float* w,
                    const float* g, OptimizerState state) noexcept {
  std::visit(
      [&](const auto& spec) {
        run(spec, step, n, w, g, state);
        if (float* average = average_of(spec, state)) run_average(spec, step, n, w, average);
      },
      optimizer);
}

void optimizer_finish(const Optimizer& optimizer, Index n, float* w,
                      OptimizerState state) noexcept {
  std::visit(
      [&](const auto& spec) {
        if (const float* average = average_of(spec, state)) std::copy_n(average, n, w);
      },
      optimizer);
}

}  // namespace sonde
