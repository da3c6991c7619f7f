#include "training/updater.hpp"

#include <algorithm>
#include <cmath>

#include "training/penalty.hpp"
#include "training/shards.hpp"

namespace sonde {
namespace {

/// Scalars of one piece: 4096 floats of 16 shards' gradients are 256 KiB, a worker's second-level
/// cache.
constexpr Index piece_size = 4096;

}  // namespace

double regularization_loss(const WeightBlock& weights, const std::vector<Index>& entries) {
  double total = 0;
  for (const Index e : entries)
    if (const WeightEntry& entry = weights.entries()[static_cast<std::size_t>(e)]; entry.trainable)
      total += penalty(entry.options.regularizer, weights.data() + entry.offset, entry.size());
  return total;
}

Updater::Updater(WeightBlock& weights, const std::vector<Index>& entries,
                 const Optimizer& optimizer, std::vector<Buffer<float>>& state)
    : weights_(weights),
      entries_(entries),
      optimizer_(optimizer),
      state_(state),
      clipping_(clipping(optimizer)) {
  for (const Index number : entries) {
    const auto e = static_cast<std::size_t>(number);
    const WeightEntry& entry = weights.entries()[e];
    if (!entry.trainable) continue;
    check_regularizer(entry.options.regularizer, entry.path());
    check_constraint(entry.options.constraint, entry.shape, entry.path());
    regularized_ |= !std::holds_alternative<std::monostate>(entry.options.regularizer);
    constrained_ |= !std::holds_alternative<std::monostate>(entry.options.constraint);
    for (Index begin = 0; begin < entry.size(); begin += piece_size)
      pieces_.push_back(
          {e, entry.offset + begin, entry.offset + std::min(begin + piece_size, entry.size())});
  }
  squares_.resize(pieces_.size());
  clips_.assign(weights.entries().size(), 1.0f);
}

void Updater::begin(std::int64_t iteration) {
  step_.iteration = iteration;
  step_.rate = std::visit([&](const auto& s) { return s.learning_rate.at(iteration); }, optimizer_);
  step_.limit = clipping_.value ? static_cast<float>(*clipping_.value) : 0.0f;
  regularization_ = regularized_ ? regularization_loss(weights_, entries_) : 0.0;
}

double Updater::squared_norm(std::size_t entry) const {
  double sum = 0;
  for (std::size_t p = 0; p < pieces_.size(); ++p)
    if (pieces_[p].entry == entry) sum += squares_[p];
  return sum;
}

void Updater::update(BatchRunner& runner, int worker, Team& team) noexcept {
  if (!runner.is_finite()) return;  // all workers see the same
  const auto each_piece = [&](auto&& act) {
    for (std::size_t p = static_cast<std::size_t>(worker); p < pieces_.size();
         p += static_cast<std::size_t>(team.size()))
      act(p, pieces_[p]);
  };
  const bool norms = clipping_.norm || clipping_.global_norm;
  float* gradient = runner.gradients(0);
  each_piece([&](std::size_t p, const Piece& piece) {
    tree(runner.shards(), [&](Index to, Index from) {
      float* a = runner.gradients(to);
      const float* b = runner.gradients(from);
      for (Index i = piece.begin; i < piece.end; ++i) a[i] += b[i];
    });
    if (regularized_)
      add_penalty_gradient(weights_.entries()[piece.entry].options.regularizer,
                           weights_.data() + piece.begin, piece.end - piece.begin,
                           gradient + piece.begin);
    if (!norms) return;
    double square = 0;
    for (Index i = piece.begin; i < piece.end; ++i)
      square += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
    squares_[p] = square;
  });
  if (norms) {
    team.barrier();
    if (worker == 0) {
      double all = 0;
      for (const double square : squares_) all += square;
      for (std::size_t e = 0; e < clips_.size(); ++e) {
        const double limit = clipping_.norm ? *clipping_.norm : *clipping_.global_norm;
        const double norm = std::sqrt(clipping_.norm ? squared_norm(e) : all);
        // A NaN norm makes every gradient NaN, as in Keras.
        clips_[e] = static_cast<float>(norm <= limit ? 1.0 : limit / norm);
      }
    }
    team.barrier();
  }
  each_piece([&](std::size_t, const Piece& piece) {
    OptimizerState state = {};
    for (std::size_t s = 0; s < state_.size(); ++s) state[s] = state_[s].data() + piece.begin;
    OptimizerStep step = step_;
    step.clip = clips_[piece.entry];
    optimizer_step(optimizer_, step, piece.end - piece.begin, weights_.data() + piece.begin,
                   gradient + piece.begin, state);
  });
  team.barrier();
  if (!constrained_) return;
  for (std::size_t i = static_cast<std::size_t>(worker); i < entries_.size();
       i += static_cast<std::size_t>(team.size())) {
    const WeightEntry& entry = weights_.entries()[static_cast<std::size_t>(entries_[i])];
    if (entry.trainable)
      apply_constraint(entry.options.constraint, entry.shape, weights_.data() + entry.offset);
  }
  team.barrier();
}

void Updater::finish() {
  for (const Piece& piece : pieces_) {
    OptimizerState state = {};
    for (std::size_t s = 0; s < state_.size(); ++s) state[s] = state_[s].data() + piece.begin;
    optimizer_finish(optimizer_, piece.end - piece.begin, weights_.data() + piece.begin, state);
  }
}

}  // namespace sonde
