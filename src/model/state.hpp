#pragma once
#include <map>
#include <sonde/layers/functional.hpp>
#include <sonde/model.hpp>

#include "base/thread_pool.hpp"
#include "training/batch_runner.hpp"

namespace sonde {

struct OutputJob;

/// What a Model holds.
struct Model::State {
  State(Graph graph, ModelOptions options);

  ModelOptions options;
  Graph graph;
  std::shared_ptr<WeightBlock> weights;
  std::vector<Index> entries;  ///< of this model's weights in that block
  Functional as_layer = {};    ///< made when the model is first called
  std::optional<CompileOptions> compiled = {};
  std::int64_t iterations = 0;
  std::vector<Buffer<float>> optimizer_state = {};
  StateBank states = {};
  std::map<int, std::unique_ptr<ThreadPool>> pools = {};

  /// Finds the weights again: they move when a larger model takes this one's layers in. The
  /// optimizer's state moves along.
  void refresh();
  /// The pool for this many threads; kept from call to call, since a callback of fit() may predict
  /// with another number.
  ThreadPool& threads(int count);
  /// One job for each output, with its head. Throws ArgumentError before compile().
  std::vector<OutputJob> jobs() const;
  /// Throws DataError where the samples do not fit the inputs; returns the steps that they bring to
  /// each.
  std::vector<Index> check(const SampleSource& samples) const;
};

/// Throws ArgumentError. `of`: "fit", "predict", "predict_mask" or "evaluate".
void check_batch_size(std::string_view of, Index batch_size);

}  // namespace sonde
