#pragma once
#include <sonde/archive.hpp>
#include <string>
#include <vector>

#include "model/state.hpp"
#include "training/output_judge.hpp"

namespace sonde {

/// Sums of the batches of an epoch, as Keras logs them: the loss is weighted by batch size.
class EpochSums {
 public:
  /// Both must outlive it.
  EpochSums(const Model::State& state, const OutputJudge& judge);

  /// The batch of `rows` samples that was judged last. `penalty`: on activities and weights.
  void add_batch(double penalty, Index rows);
  /// Each name with `prefix` before it.
  Logs logs(const std::string& prefix) const;
  void clear();
  void archive(Archive& a);

 private:
  const Model::State& state_;
  const OutputJudge& judge_;
  std::vector<OutputTotals> totals_;
  std::vector<double> losses_;
  double loss_ = 0;
  double samples_ = 0;
};

}  // namespace sonde
