#include "model/fit_checks.hpp"

#include <fmt/format.h>

#include <cmath>

#include "training/target.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

void check_targets(const Model::State& state, const SampleSource& samples,
                   std::vector<OutputJob>& jobs, const Plan& plan) {
  const auto targets = samples.targets();
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    const LayerInstance& layer =
        state.graph.layer(state.graph.calls()[at(state.graph.outputs()[o].call)]);
    const std::string where = fmt::format("{} \"{}\"", layer.layer.type(), layer.name);
    const Plan::Value& y = plan.values()[at(plan.outputs()[o])];
    check_target(jobs[o].loss, y.shape, targets[o], where);
    const Index vectors = y.shape.elements() / y.shape.last();
    const Index weights = samples.weights(static_cast<Index>(o));
    if (weights != 0 && weights != 1 && weights != vectors)
      throw DataError(fmt::format(
          "{}: sample weights have {} numbers for each sample; the output has {} steps. Give one "
          "weight for each sample, (samples, 1), or one for each step, (samples, {}).",
          where, weights, vectors, vectors));
  }
}

void check_class_weight(const Model::State& state, const std::vector<OutputJob>& jobs) {
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    if (jobs[o].class_weight.empty()) continue;
    const LayerInstance& layer =
        state.graph.layer(state.graph.calls()[at(state.graph.outputs()[o].call)]);
    const bool classes =
        jobs[o].target_width == 1 || target_kind(jobs[o].loss) == TargetKind::distribution;
    if (!classes)
      throw ArgumentError(
          fmt::format("{} \"{}\": class_weight needs one class for each label; this output holds "
                      "{} labels in one vector. Give the output one label per step "
                      "(return_sequences), or weigh samples with sample_weight.",
                      layer.layer.type(), layer.name, jobs[o].width));
    for (const float weight : jobs[o].class_weight)
      if (!(weight >= 0) || std::isinf(weight))
        throw ArgumentError(
            fmt::format("class_weight: weights must be finite and at least 0, got {}.", weight));
  }
}

void check_all_labels(const Model::State& state, const SampleSource& samples,
                      const std::vector<OutputJob>& jobs, std::string_view kind) {
  const auto targets = samples.targets();
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    const LayerInstance& layer =
        state.graph.layer(state.graph.calls()[at(state.graph.outputs()[o].call)]);
    const Index width = state.graph.output_tensors()[o].shape().last();
    const auto size = at(targets[o].elements());
    for (Index i = 0; i < samples.size(); ++i) {
      const Sample sample = samples.sample(0, i);
      const Index values = static_cast<Index>(size) / target_width(jobs[o].loss, width);
      std::span<const float> weights;
      const Index given = samples.weights(static_cast<Index>(o));
      if (sample.weights[o] != nullptr && given == 1 && *sample.weights[o] == 0) continue;
      if (sample.weights[o] != nullptr && given == values)
        weights = {sample.weights[o], at(values)};
      check_labels(jobs[o].loss, width, targets[o].with_front(1), {sample.y[o], size}, weights,
                   fmt::format("{} \"{}\": {} {}", layer.layer.type(), layer.name, kind, i));
    }
  }
}

}  // namespace sonde
