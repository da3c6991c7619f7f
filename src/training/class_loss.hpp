#pragma once
#include <optional>

#include "training/loss.hpp"

namespace sonde {

/// How the targets of a cross-entropy over classes are written.
template <class T>
struct ClassLabels {
  bool sparse = false;  ///< class numbers, not distributions over classes
  std::optional<Index> ignored = {};
  T smoothing = 0;
};

/// loss_value_and_gradient of both cross-entropies over classes; y are logits before a softmax, or
/// probabilities (each vector is divided by its sum and clipped, as in Keras).
template <class T>
double class_loss(const LossBatch<T>& batch, const ClassLabels<T>& labels, bool logits, T scale,
                  T* dy) noexcept;

}  // namespace sonde
