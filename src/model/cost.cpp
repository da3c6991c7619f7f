#include <sonde/cost.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/thread_pool.hpp"
#include "kernels/kernels.hpp"
#include "plan/plan.hpp"
#include "training/batch_plan.hpp"
#include "training/loss.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
constexpr Index bytes_of_scalar = sizeof(float);

/// Vectors of a value, for one sample: each is multiplied by a kernel once.
double vectors(const Plan::Value& value) {
  const Index count = value.shape.elements() / value.shape.last() * value.fold;
  return static_cast<double>(count);
}

/// How many vectors a step's kernels are multiplied by. Those that come out, of convolutions (each
/// needs the whole window) and Dense; those that come in, where a layer walks over its input:
/// whatever it gives of what it has seen, and where it spreads each input over several outputs.
double products(const Plan& plan, const Plan::Step& step, bool is_recurrent) {
  const bool by_input = is_recurrent || step.where.starts_with("Conv1DTranspose");
  return vectors(plan.values()[at(by_input ? step.inputs[0] : step.outputs[0])]);
}

/// The layers' own word for what is multiplied: kernel, recurrent_kernel, depthwise_kernel, ….
bool is_kernel(const WeightEntry& entry) { return entry.name.ends_with("kernel"); }
bool is_recurrent(const WeightEntry& entry) { return entry.name.ends_with("recurrent_kernel"); }

void count_step(const Plan& plan, const Plan::Step& step, const WeightBlock& weights, Cost& cost) {
  std::vector<const WeightEntry*> kernels;
  for (const WeightEntry& entry : weights.entries())
    if (is_kernel(entry) &&
        std::count(step.layout.weights.begin(), step.layout.weights.end(), entry.offset) > 0)
      kernels.push_back(&entry);
  const bool walks = std::any_of(kernels.begin(), kernels.end(),
                                 [](const WeightEntry* entry) { return is_recurrent(*entry); });
  const bool first =
      step.layout.inputs.empty() || step.layout.inputs[0].gradient == Layout::nowhere;
  for (const WeightEntry* kernel : kernels) {
    const double operations = 2 * static_cast<double>(kernel->size()) * products(plan, step, walks);
    cost.forward += operations;
    if (!step.backward) continue;
    if (kernel->trainable) cost.backward += operations;
    // The state of the step before wants its gradient even where the input does not.
    if (!first || is_recurrent(*kernel)) cost.backward += operations;
  }
}

Index scalars(const Model& model) {
  Index count = 0;
  for (const Index entry : model.graph().entries())
    count += model.weights().entries()[at(entry)].size();
  return count;
}

/// The outputs whose final activation the loss takes over, as fit plans them.
std::vector<bool> logits(const Model& model) {
  std::vector<bool> taken;
  if (model.compiled() == nullptr) return taken;
  const Graph flat = model.graph().flat();
  for (std::size_t o = 0; o < flat.outputs().size(); ++o) {
    const AnyLayer& last = flat.layer(flat.calls()[at(flat.outputs()[o].call)]).layer;
    taken.push_back(head_of(model.compiled()->loss[o], last.final_activation(),
                            model.graph().output_tensors()[o].shape().last(),
                            last.type()) != Head::values);
  }
  return taken;
}

Plan plan_of(const Model& model, const CostOptions& options) {
  const WeightBlock& weights = model.weights();
  if (options.mode == Mode::stream)
    return {model.graph(), weights, {.mode = Mode::stream, .rows = 1, .steps = 1}};
  PlanOptions plan{.mode = options.mode, .precision = options.precision};
  if (options.mode == Mode::train) plan.logits = logits(model);
  return plan_shard(model.graph(), weights, std::move(plan), options.batch_size);
}

/// Operations per second of all workers, over one run of about two milliseconds.
double measure(ThreadPool& pool) {
  constexpr Index rounds = 1'000'000;
  std::atomic<Index> done = 0;
  std::chrono::steady_clock::time_point begun, ended;
  pool.run([&](int worker, Team& team) noexcept {
    std::array<float, 16> sums;
    team.barrier();  // all are awake
    if (worker == 0) begun = std::chrono::steady_clock::now();
    done += kernels::multiply_adds(rounds, 0.5f, sums.data());
    team.barrier();
    if (worker == 0) ended = std::chrono::steady_clock::now();
  });
  return 2 * static_cast<double>(done) / std::chrono::duration<double>(ended - begun).count();
}

}  // namespace

Cost cost_of(const Model& model, CostOptions options) {
  if (options.batch_size < 1)
    throw ArgumentError(fmt::format(
        "cost_of: batch_size must be at least 1, got {}. Use that of fit.", options.batch_size));
  for (const Tensor& input : model.graph().input_tensors())
    if (!input.shape().is_static())
      throw ArgumentError(
          fmt::format("cost_of: the number of steps must be known, got an input of shape {}. Count "
                      "the same layers over an Input of fixed length.",
                      to_string(input.shape())));
  const Plan plan = plan_of(model, options);
  Cost cost{.weights = scalars(model) * bytes_of_scalar,
            .packed = plan.packed_size() * bytes_of_scalar,
            .arena = plan.arena_size() * bytes_of_scalar,
            .states = plan.state_size() * bytes_of_scalar};
  // A stream's plan knows one step alone: operations are those of the whole signal.
  std::optional<Plan> signal;
  if (options.mode == Mode::stream) signal.emplace(model.graph(), model.weights(), PlanOptions{});
  const Plan& whole = signal ? *signal : plan;
  for (const Plan::Step& step : whole.steps()) count_step(whole, step, model.weights(), cost);
  return cost;
}

Peak multiply_add_peak(int threads) {
  ThreadPool pool(threads);
  Peak peak{.threads = pool.size()};
  for (int run = 0; run < 50; ++run) peak.operations = std::max(peak.operations, measure(pool));
  return peak;
}

}  // namespace sonde
