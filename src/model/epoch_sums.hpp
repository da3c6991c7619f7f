#pragma once
#include <sonde/archive.hpp>
#include <string>
#include <vector>

#include "model/state.hpp"

namespace sonde {

/// Sums of the batches of an epoch, as Keras logs them: the loss is weighted by batch size.
class EpochSums {
 public:
  /// Both must outlive it.
  EpochSums(const Model::State& state, const std::vector<OutputJob>& jobs);

  /// `scales`: see BatchRunner; `rows`: samples of the batch.
  void add(const BatchRunner& runner, const std::vector<float>& scales, double regularization,
           Index rows);
  /// Each name with `prefix` before it.
  Logs logs(const std::string& prefix) const;
  void clear();
  void archive(Archive& a);

 private:
  const Model::State& state_;
  const std::vector<OutputJob>& jobs_;
  std::vector<OutputTotals> totals_;
  std::vector<double> losses_;
  double loss_ = 0;
  double samples_ = 0;
};

}  // namespace sonde
