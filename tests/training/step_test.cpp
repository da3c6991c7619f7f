#include <gtest/gtest.h>

#include <numeric>
#include <sonde/graph.hpp>
#include <sonde/layers.hpp>

#include "tests/support/no_allocation.hpp"
#include "training/batch_runner.hpp"
#include "training/output_judge.hpp"
#include "training/updater.hpp"

// One training step below the model: what all workers do between two callbacks.
namespace sonde {
namespace {

constexpr Index samples = 13, steps = 16, channels = 3;

/// From 256 units on all workers share the units of the LSTM.
Graph network(Index units) {
  auto x = Input({steps, channels});
  auto h = Conv1D{.filters = 16, .kernel_size = 3, .padding = Padding::same}(x);
  h = BatchNormalization{}(h);
  h = Dropout{.rate = 0.3}(h);
  h = LSTM{.units = units, .kernel_regularizer = L2{0.01}, .return_sequences = true}(h);
  auto y = Dense{
      .units = 1, .activation = ActivationFunction::sigmoid, .kernel_constraint = MaxNorm{1.0}}(h);
  return Graph({x}, {y});
}

void expect_no_allocation(const Graph& graph) {
  const Array x({samples, steps, channels}), y({samples, steps, 1});
  const ArraySamples source({&x}, {&y});
  const auto weights = graph.weights(1);
  for (const Optimizer& optimizer :
       {Optimizer(Adam{.global_clipnorm = 1.0}), Optimizer(SGD{.momentum = 0.9, .clipnorm = 1.0}),
        Optimizer(RMSprop{.use_ema = true})}) {
    ThreadPool pool(3, Cap::none);
    StateBank states;
    JudgedPlan plan(graph, *weights,
                    {OutputJob{.loss = BinaryCrossentropy{},
                               .metrics = {BinaryAccuracy{}, AUC{}},
                               .head = Head::sigmoid}},
                    source, {.batch_size = samples, .mode = Mode::train, .steps = steps});
    OutputJudge judge(plan, pool.size());
    BatchRunner runner(std::move(plan.batch), *weights, pool.size(), states, &judge);
    std::vector<Buffer<float>> optimizer_state;
    for (Index slot = 0; slot < optimizer_slots(optimizer); ++slot)
      optimizer_state.emplace_back(weights->size());
    const std::vector<Index> entries = graph.entries();
    Updater updater(*weights, entries, optimizer, optimizer_state);
    std::vector<Index> numbers(samples);
    std::iota(numbers.begin(), numbers.end(), Index{0});
    std::vector<Index> made(static_cast<std::size_t>(pool.size()));
    for (std::int64_t step = 0; step < 3; ++step) {
      const Batch batch{
          .source = &source, .numbers = numbers, .draw = static_cast<std::uint64_t>(step)};
      updater.begin(step);
      pool.run([&](int worker, Team& team) noexcept {
        const Index before = testing::allocations();
        runner.pack(worker, team.size());
        team.barrier();
        runner.run(batch, worker, team);
        updater.update(runner, worker, team);
        made[static_cast<std::size_t>(worker)] = testing::allocations() - before;
      });
      for (const Index count : made) EXPECT_EQ(count, 0);
      EXPECT_GT(judge.totals()[0].loss, 0);
    }
  }
}

TEST(TrainingStep, allocates_nothing_on_any_thread) { expect_no_allocation(network(5)); }

TEST(TrainingStep, allocates_nothing_where_workers_share_units) {
  const Graph graph = network(272);
  const Plan plan(graph, *graph.weights(1), {.mode = Mode::train, .rows = 4, .steps = steps});
  EXPECT_EQ(plan.unit_pieces(), 9);
  expect_no_allocation(graph);
}

}  // namespace
}  // namespace sonde
