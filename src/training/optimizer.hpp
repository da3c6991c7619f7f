#pragma once
#include <array>
#include <sonde/optimizers.hpp>
#include <vector>

namespace sonde {

/// Blocks of state that the optimizer keeps for each weight, at most 4.
Index optimizer_slots(const Optimizer& optimizer);
/// Their names in Keras; the "average" of use_ema comes last (in Keras' files it comes first).
std::vector<std::string_view> optimizer_slot_names(const Optimizer& optimizer);
/// What the block holds before the first step.
float optimizer_slot_start(const Optimizer& optimizer, Index slot);
/// Where the slots of one piece of the weights begin; null beyond the last.
using OptimizerState = std::array<float*, 4>;

/// Throws ArgumentError for arguments outside their range, two clippings at once, a schedule that
/// cannot be followed, and what is not supported.
void check_optimizer(const Optimizer& optimizer);

struct Clipping {
  std::optional<double> norm, value, global_norm;
};
Clipping clipping(const Optimizer& optimizer);

struct OptimizerStep {
  std::int64_t iteration = 0;  ///< from 0
  double rate = 0;             ///< the learning rate now
  float clip = 1;              ///< multiplies the gradient
  float limit = 0;             ///< then bounds it; 0: not
};

/// One step for `n` weights: w and state from gradient g. Clipping, weight decay, the step, the
/// average; constraints come after. Element by element, so that it may be cut anywhere with the
/// same bits.
void optimizer_step(const Optimizer& optimizer, const OptimizerStep& step, Index n, float* w,
                    const float* g, OptimizerState state) noexcept;

/// When training ends: with use_ema, the average becomes the weights.
void optimizer_finish(const Optimizer& optimizer, Index n, float* w, OptimizerState state) noexcept;

}  // namespace sonde
