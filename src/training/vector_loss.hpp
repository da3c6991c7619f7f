#pragma once
#include "training/loss.hpp"

/// Losses that look at all units of a vector together; see loss_value_and_gradient.
namespace sonde {

/// y are logits before a softmax, or probabilities (each vector is divided by its sum and clipped,
/// as in Keras).
template <class T>
double focal_loss(const LossBatch<T>& batch, const CategoricalFocalCrossentropy& loss, bool logits,
                  T scale, T* dy) noexcept;

/// A vector of length 0 has no direction: its value and gradient are 0.
template <class T>
double cosine_loss(const LossBatch<T>& batch, T scale, T* dy) noexcept;

template <class T>
double categorical_hinge_loss(const LossBatch<T>& batch, T scale, T* dy) noexcept;

}  // namespace sonde
