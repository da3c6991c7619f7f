#pragma once
#include <sonde/activations.hpp>
#include <sonde/losses.hpp>
#include <string_view>

namespace sonde {

/// What y holds.
enum class Head {
  values,   ///< the model's output itself
  sigmoid,  ///< logits: the model's output before its final sigmoid
  softmax,  ///< logits: the model's output before its final softmax
};

/// How the loss wants to meet a model whose last activation is `last` over `width` units.
/// Throws ArgumentError for a softmax over one unit, for from_logits on what is no logit any more,
/// and for arguments outside their range.
Head head_of(const Loss& loss, ActivationFunction last, Index width, std::string_view where);

/// Which axes Dice and Tversky keep apart; they sum over the others.
struct KeptAxes {
  bool batch = false;
  bool steps = false;  ///< all axes between the first and the last
  bool units = false;
};

/// What those sums are, of one group of numbers: weighted.
struct OverlapSums {
  double product = 0;  ///< labels times outputs
  double labels = 0;
  double outputs = 0;
  double weights = 0;
};

/// The numbers of one shard: `count` values (samples, or samples times steps) of `width` units.
template <class T>
struct LossBatch {
  Index count = 0;
  Index width = 1;
  const T* y = nullptr;        ///< (count, width)
  const T* target = nullptr;   ///< (count, target_width); class numbers for the sparse loss
  Index target_width = 1;      ///< width, or 1 for the sparse loss
  const T* weights = nullptr;  ///< (count), or null: all 1. At 0, y and target may be anything.

  // Dice and Tversky alone: value i is of step i / (rows * per_step), row i / per_step % rows.
  Index rows = 1;
  Index per_step = 1;
  KeptAxes kept = {};
  OverlapSums* sums = nullptr;  ///< room for overlap_groups() of these, when the loss asks for it
};

/// Returns the sum of weight * value, in double and in one order. With `dy` (count, width) also
/// writes dy = scale * weight * dvalue / dy. For float and double. Never throws or allocates.
template <class T>
double loss_value_and_gradient(const Loss& loss, Head head, const LossBatch<T>& batch, T scale,
                               T* dy) noexcept;

/// What a label must be for its step to count: false for steps of `ignore_class`. They have neither
/// value nor gradient, and whoever counts the values of a batch leaves them out.
bool loss_counts(const Loss& loss, float label) noexcept;

/// 1 / (what the weighted sum over a batch is divided by), 0 when that is 0.
/// `values`: all that are neither masked nor ignored; `weights`: their summed weights.
double loss_scale(const Loss& loss, double values, double weights) noexcept;

}  // namespace sonde
