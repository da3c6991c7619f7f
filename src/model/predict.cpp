#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "model/state.hpp"
#include "training/batch_plan.hpp"
#include "training/batches_in_order.hpp"
#include "training/shards.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Signals longer than this run in chunks of it, where the model can stream: memory stays bounded,
/// and the bits are the same.
constexpr Index chunk_steps = 2048;

/// Copies one row of (steps, rows, width) into (steps, width).
void scatter(const float* value, Index steps, Index rows, Index row, Index width, float* to) {
  for (Index t = 0; t < steps; ++t)
    std::copy_n(value + (t * rows + row) * width, width, to + t * width);
}

/// Values of an inference plan after whole sequences have gone through it, in batches: one array
/// (samples, …) for each of those that `wanted` names. `states`: of stateful layers.
template <class Wanted>
std::vector<Array> run_whole(Model::State& state, const SampleSource& samples,
                             const std::vector<Index>& steps, const PredictOptions& options,
                             StateBank& states, Wanted wanted) {
  ThreadPool& pool = state.threads(options.threads);
  const Index batch_size = std::min(options.batch_size, samples.size());
  BatchRunner runner({state.graph,
                      *state.weights,
                      samples,
                      {.batch_size = batch_size,
                       .mode = Mode::infer,
                       .input_steps = steps,
                       .seed = state.options.seed}},
                     *state.weights, pool.size(), states, nullptr);
  const Plan& plan = runner.plan();
  const std::vector<Index> values = wanted(plan);
  std::vector<Array> results;
  for (const Index value : values)
    results.emplace_back(plan.values()[at(value)].shape.with_front(samples.size()));

  Index begin = 0;
  runner.take([&](Workspace<float>& space, Index first, Index rows) {
    for (std::size_t o = 0; o < results.size(); ++o) {
      const Index value = values[o];
      const Plan::Value& y = plan.values()[at(value)];
      const Index steps_out = y.timed ? y.shape[0] : 1;
      for (Index r = 0; r < rows; ++r)
        scatter(space.value(value), steps_out, rows, r, y.width,
                results[o].data() + (begin + first + r) * y.shape.elements());
    }
  });
  pool.run([&](int worker, Team& team) noexcept { runner.pack(worker, team.size()); });
  BatchesInOrder batches(samples, batch_size);
  while (const std::optional<Batch> batch = batches.next()) {
    begin = batch->numbers.front();
    pool.run([&](int worker, Team& team) noexcept { runner.run(*batch, worker, team); });
  }
  return results;
}

/// Long signals through a streaming plan: rows are shared out among the workers, each walks through
/// time in chunks.
Array predict_chunks(Model::State& state, const Array& x, const Plan& plan,
                     const PredictOptions& options) {
  ThreadPool& pool = state.threads(options.threads);
  const Index samples = x.shape()[0], steps = x.shape()[1];
  const Index input = plan.inputs()[0], output = plan.outputs()[0];
  const Index channels = plan.values()[at(input)].width, width = plan.values()[at(output)].width;
  const Index rows = plan.options().rows;
  const Index shards = shard_count(samples, rows);

  Buffer<float> packed(plan.packed_size());
  std::vector<Workspace<float>> spaces;
  for (Index w = 0; w < std::min<Index>(pool.size(), shards); ++w) {
    spaces.emplace_back(plan);
    spaces.back().memory.weights = state.weights->data();
    spaces.back().memory.packed = packed.data();
  }
  pack(plan, spaces[0].memory);
  const Shape whole =
      Plan(state.graph, *state.weights, {.mode = Mode::infer, .rows = 1, .steps = steps})
          .values()[at(output)]
          .shape;
  Array result(whole.with_front(samples));

  pool.run([&](int worker, Team& team) noexcept {
    for (Index s = worker; s < shards; s += team.size()) {
      Workspace<float>& space = spaces[static_cast<std::size_t>(worker)];
      space.reset();
      Memory<float>& memory = space.memory;
      memory.rows = std::min(rows, samples - s * rows);
      Index done = 0;
      for (Index begin = 0; begin < steps; begin += plan.options().steps) {
        const Index count = std::min(plan.options().steps, steps - begin);
        memory.first = begin == 0;
        memory.last = begin + count == steps;
        space.steps(input) = count;
        for (Index r = 0; r < memory.rows; ++r)
          for (Index t = 0; t < count; ++t)
            std::copy_n(x.data() + ((s * rows + r) * steps + begin + t) * channels, channels,
                        space.value(input) + (t * memory.rows + r) * channels);
        for (const auto& segment : plan.forward()) run(plan, segment, memory);
        const Index made = space.steps(output);
        for (Index r = 0; r < memory.rows; ++r)
          scatter(space.value(output), made, memory.rows, r, width,
                  result.data() + ((s * rows + r) * whole[0] + done) * width);
        done += made;
      }
    }
  });
  return result;
}

/// A streaming plan for long signals, or none when a layer needs the whole signal.
std::optional<Plan> chunk_plan(const Model::State& state, Index samples) {
  try {
    return plan_shard(state.graph, *state.weights, {.mode = Mode::stream, .steps = chunk_steps},
                      std::min<Index>(32, samples));
  } catch (const ArgumentError&) {
    return std::nullopt;
  }
}

/// Stateful layers carry their states from batch to batch, which only whole sequences do.
bool is_stateful(const Model::State& state, const std::vector<Index>& steps) {
  return Plan(state.graph, *state.weights, {.mode = Mode::infer, .rows = 1, .input_steps = steps})
             .state_size() > 0;
}

std::vector<Array> predict_arrays(Model::State& state, const ArraySamples::Arrays& x,
                                  const PredictOptions& options) {
  state.refresh();
  check_batch_size("predict", options.batch_size);
  const ArraySamples samples(x, {});
  const std::vector<Index> steps = state.check(samples);
  const bool plain = x.size() == 1 && state.graph.outputs().size() == 1 &&
                     x[0]->shape().rank() == 3 &&
                     state.graph.output_tensors()[0].shape().rank() >= 2;
  if (plain && x[0]->shape()[1] > 2 * chunk_steps && !is_stateful(state, steps)) {
    if (const auto plan = chunk_plan(state, samples.size())) {
      std::vector<Array> results;
      results.push_back(predict_chunks(state, *x[0], *plan, options));
      return results;
    }
  }
  return run_whole(state, samples, steps, options, state.states,
                   [](const Plan& plan) { return plan.outputs(); });
}

}  // namespace

std::vector<Array> Model::predict(const std::vector<Array>& x, PredictOptions options) {
  ArraySamples::Arrays arrays;
  for (const Array& each : x) arrays.push_back(&each);
  return predict_arrays(*state_, arrays, options);
}

Array Model::predict(const Array& x, PredictOptions options) {
  if (state_->graph.outputs().size() != 1)
    throw ArgumentError(
        fmt::format("Model \"{}\": has {} outputs; call predict with a list of arrays.", name(),
                    state_->graph.outputs().size()));
  return std::move(predict_arrays(*state_, {&x}, options).front());
}

Array Model::predict_mask(const Array& x, PredictOptions options) {
  const auto& outputs = state_->graph.output_tensors();
  if (outputs.size() != 1)
    throw ArgumentError(
        fmt::format("Model \"{}\": has {} outputs; predict_mask is for models of one.", name(),
                    outputs.size()));
  if (!outputs.front().masked()) return {};
  state_->refresh();
  check_batch_size("predict_mask", options.batch_size);
  const ArraySamples samples({&x}, {});
  const std::vector<Index> steps = state_->check(samples);
  StateBank fresh;  // looking at a mask leaves the states of stateful layers alone
  std::vector<Array> masks =
      run_whole(*state_, samples, steps, options, fresh, [](const Plan& plan) {
        std::vector<Index> values;
        if (plan.output_mask(0) >= 0) values.push_back(plan.output_mask(0));
        return values;
      });
  if (masks.empty()) return {};
  const Shape& shape = masks.front().shape();
  return masks.front().reshaped({shape[0], shape.elements() / shape[0]});
}

}  // namespace sonde
