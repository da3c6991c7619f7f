#pragma once
#include <sonde/constraints.hpp>
#include <sonde/regularizers.hpp>
#include <string_view>

namespace sonde {

/// Throw ArgumentError, beginning with `where`, for factors and norms that are negative or not
/// finite, and for axes that a weight of this shape does not have.
void check_regularizer(const Regularizer& regularizer, std::string_view where);
void check_constraint(const Constraint& constraint, const Shape& shape, std::string_view where);

/// What a regularizer adds to the loss for `n` weights; that of parts adds up.
double penalty(const Regularizer& regularizer, const float* w, Index n) noexcept;

/// Adds its gradient to g.
void add_penalty_gradient(const Regularizer& regularizer, const float* w, Index n,
                          float* g) noexcept;

/// Brings a whole weight back to what its constraint allows.
void apply_constraint(const Constraint& constraint, const Shape& shape, float* w) noexcept;

}  // namespace sonde
