#pragma once
#include <sonde/optimizers.hpp>
#include <sonde/weights.hpp>
#include <vector>

#include "training/batch_runner.hpp"
#include "training/optimizer.hpp"

namespace sonde {

/// Sum of the penalties of the trainable ones among `entries`.
double regularization_loss(const WeightBlock& weights, const std::vector<Index>& entries);

/// Turns the shards' gradient blocks into one and the weights into the next: fixed tree,
/// regularizers, clipping, optimizer, constraints. Weights are cut into blocks of a constant size,
/// so that the workers' number changes neither an order nor a bit.
class Updater {
 public:
  /// Trains `entries` of the block. `state` holds optimizer_slots() blocks as long as the weights.
  /// All must outlive it.
  Updater(WeightBlock& weights, const std::vector<Index>& entries, const Optimizer& optimizer,
          std::vector<Buffer<float>>& state);

  /// Before each update, outside the team: which step this is.
  void begin(std::int64_t iteration);
  /// As one worker of a team, after BatchRunner::run. Ends with a barrier.
  void update(BatchRunner& runner, int worker, Team& team) noexcept;
  /// When training ends, outside the team: with use_ema, the average becomes the weights.
  void finish();
  /// Penalties of the weights that the last update began with.
  double regularization() const { return regularization_; }

 private:
  struct Piece {
    std::size_t entry;
    Index begin, end;  ///< in the weight block
  };
  double squared_norm(std::size_t entry) const;

  WeightBlock& weights_;
  const std::vector<Index>& entries_;
  const Optimizer& optimizer_;
  std::vector<Buffer<float>>& state_;
  Clipping clipping_;
  OptimizerStep step_;
  std::vector<Piece> pieces_;
  std::vector<double> squares_;  ///< of each piece's gradient
  std::vector<float> clips_;     ///< of each entry
  double regularization_ = 0;
  bool regularized_ = false;
  bool constrained_ = false;
};

}  // namespace sonde
