#include "training/penalty.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sonde {
namespace {

struct Factors {
  double l1 = 0, l2 = 0;
};

Factors factors(const Regularizer& regularizer) {
  if (const auto* r = std::get_if<L1>(&regularizer)) return {r->l1, 0};
  if (const auto* r = std::get_if<L2>(&regularizer)) return {0, r->l2};
  if (const auto* r = std::get_if<L1L2>(&regularizer)) return {r->l1, r->l2};
  return {};
}

/// The most axes that a constrained weight may have.
constexpr Index most_axes = 8;

/// Multiplies each group of weights that share a norm over `axes` by act(norm).
template <class Act>
void each_norm(const Axes& axes, const Shape& shape, float* w, Act&& act) {
  bool inside[most_axes] = {};
  for (const Index axis : axes) inside[axis < 0 ? axis + shape.rank() : axis] = true;
  Index groups = 1, members = 1;
  for (Index a = 0; a < shape.rank(); ++a) (inside[a] ? members : groups) *= shape[a];
  // The place of member m of group g: the mixed-radix digits of g on the axes outside, of m inside.
  const auto place = [&](Index g, Index m) {
    Index at = 0, pitch = 1;
    for (Index a = shape.rank() - 1; a >= 0; --a) {
      Index& number = inside[a] ? m : g;
      at += number % shape[a] * pitch;
      number /= shape[a];
      pitch *= shape[a];
    }
    return at;
  };
  for (Index g = 0; g < groups; ++g) {
    double square = 0;
    for (Index m = 0; m < members; ++m) {
      const double value = w[place(g, m)];
      square += value * value;
    }
    const double factor = act(std::sqrt(square));
    for (Index m = 0; m < members; ++m)
      w[place(g, m)] = static_cast<float>(w[place(g, m)] * factor);
  }
}

/// Keras adds this to norms before dividing by them.
constexpr double epsilon = 1e-7;

void not_negative(std::string_view where, std::string_view name, double value) {
  if (!(value >= 0) || std::isinf(value))
    throw ArgumentError(
        fmt::format("{}: {} must be a number of at least 0, got {}.", where, name, value));
}

void check_axes(std::string_view where, const Axes& axes, const Shape& shape) {
  if (shape.rank() > most_axes)
    throw ArgumentError(
        fmt::format("{}: a constraint on norms takes weights of up to {} axes, got shape {}.",
                    where, most_axes, to_string(shape)));
  for (const Index axis : axes)
    if (axis < -shape.rank() || axis >= shape.rank())
      throw ArgumentError(fmt::format("{}: axis {} of its constraint is outside its shape {}.",
                                      where, axis, to_string(shape)));
}

}  // namespace

void check_regularizer(const Regularizer& regularizer, std::string_view where) {
  const Factors f = factors(regularizer);
  not_negative(where, "l1", f.l1);
  not_negative(where, "l2", f.l2);
}

void check_constraint(const Constraint& constraint, const Shape& shape, std::string_view where) {
  std::visit(
      [&](const auto& c) {
        if constexpr (requires { c.max_value; }) not_negative(where, "max_value", c.max_value);
        if constexpr (requires { c.min_value; }) {
          not_negative(where, "min_value", c.min_value);
          not_negative(where, "rate", c.rate);
          if (c.min_value > c.max_value)
            throw ArgumentError(
                fmt::format("{}: min_value must not exceed max_value, got {} and {}.", where,
                            c.min_value, c.max_value));
        }
        if constexpr (requires { c.axis; }) check_axes(where, c.axis, shape);
      },
      constraint);
}

double penalty(const Regularizer& regularizer, const float* w, Index n) noexcept {
  const Factors f = factors(regularizer);
  if (f.l1 == 0 && f.l2 == 0) return 0;
  double absolute = 0, square = 0;
  for (Index i = 0; i < n; ++i) {
    const double value = w[i];
    absolute += std::fabs(value);
    square += value * value;
  }
  return f.l1 * absolute + f.l2 * square;
}

void add_penalty_gradient(const Regularizer& regularizer, const float* w, Index n,
                          float* g) noexcept {
  const Factors f = factors(regularizer);
  if (f.l1 == 0 && f.l2 == 0) return;
  const auto l1 = static_cast<float>(f.l1), l2 = static_cast<float>(2 * f.l2);
  for (Index i = 0; i < n; ++i) {
    const float sign = static_cast<float>((w[i] > 0) - (w[i] < 0));
    g[i] += l1 * sign + l2 * w[i];
  }
}

void apply_constraint(const Constraint& constraint, const Shape& shape, float* w) noexcept {
  if (const auto* c = std::get_if<MaxNorm>(&constraint)) {
    each_norm(c->axis, shape, w,
              [&](double norm) { return std::clamp(norm, 0.0, c->max_value) / (epsilon + norm); });
  } else if (const auto* u = std::get_if<UnitNorm>(&constraint)) {
    each_norm(u->axis, shape, w, [](double norm) { return 1.0 / (epsilon + norm); });
  } else if (const auto* b = std::get_if<MinMaxNorm>(&constraint)) {
    each_norm(b->axis, shape, w, [&](double norm) {
      const double wanted =
          b->rate * std::clamp(norm, b->min_value, b->max_value) + (1 - b->rate) * norm;
      return wanted / (epsilon + norm);
    });
  } else if (std::holds_alternative<NonNeg>(constraint)) {
    const Index n = shape.elements();
    for (Index i = 0; i < n; ++i) w[i] = std::max(w[i], 0.0f);
  }
}

}  // namespace sonde
