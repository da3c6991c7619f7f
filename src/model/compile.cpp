// What a model learns by. Apart from model.cpp, so that a program that only predicts links none of
// it.
#include <fmt/format.h>

#include <algorithm>

#include "model/state.hpp"
#include "training/optimizer.hpp"
#include "training/output_job.hpp"
#include "training/target.hpp"

namespace sonde {

void Model::compile(CompileOptions options) {
  State& state = *state_;
  state.refresh();
  const std::size_t outputs = state.graph.outputs().size();
  if (options.loss.empty())
    throw ArgumentError("compile: needs a loss. For labels of 0 and 1 use BinaryCrossentropy{}.");
  if (options.loss.size() == 1) options.loss.resize(outputs, options.loss[0]);
  if (options.loss.size() != outputs)
    throw ArgumentError(fmt::format("compile: {} losses for {} outputs. Give one, or one for each.",
                                    options.loss.size(), outputs));
  for (std::size_t o = 1; o < outputs; ++o)
    for (std::size_t earlier = 0; earlier < o; ++earlier)
      if (state_->graph.outputs()[o] == state_->graph.outputs()[earlier])
        throw ArgumentError(fmt::format(
            "compile: outputs {} and {} of the model are one tensor. List it once, and add its "
            "losses up in one.",
            earlier, o));
  if (!options.loss_weights.empty() && options.loss_weights.size() != outputs)
    throw ArgumentError(fmt::format("compile: {} loss_weights for {} outputs.",
                                    options.loss_weights.size(), outputs));
  check_optimizer(options.optimizer);
  state.compiled = std::move(options);
  state.jobs();
  state.iterations = 0;
  state.optimizer_state.clear();
  const Index slots = optimizer_slots(state.compiled->optimizer);
  for (Index s = 0; s < slots; ++s) {
    const auto block = state.optimizer_state.emplace_back(state.weights->size()).span();
    std::fill(block.begin(), block.end(), optimizer_slot_start(state.compiled->optimizer, s));
  }
}

std::vector<OutputJob> Model::State::jobs() const {
  const Graph flat = graph.flat();  // what the outputs end in, inside of composites too
  if (!compiled)
    throw ArgumentError("Model \"" + options.name +
                        "\": call compile() before fit() and evaluate().");
  std::vector<OutputJob> jobs;
  for (std::size_t o = 0; o < graph.outputs().size(); ++o) {
    const Graph::Call& call = flat.calls()[static_cast<std::size_t>(flat.outputs()[o].call)];
    const AnyLayer& layer = flat.layer(call).layer;
    const std::string where = fmt::format("{} \"{}\"", layer.type(), call.path);
    OutputJob job{.loss = compiled->loss[o]};
    if (job.counts() && graph.output_tensors()[o].masked())
      throw ArgumentError(
          where + ": its mask cannot be combined with ignore_class or mean_with_sample_weight.");
    if (!compiled->loss_weights.empty()) job.loss_weight = compiled->loss_weights[o];
    const Shape& shape = graph.output_tensors()[o].shape();
    job.head = head_of(job.loss, layer.final_activation(), shape.last(), where);
    job.kept = kept_axes(job.loss, shape, where);
    for (const MetricChoice& choice : compiled->metrics)
      job.metrics.push_back(resolve_metric(choice, job.loss, shape));
    for (const MetricChoice& choice : compiled->weighted_metrics)
      job.weighted_metrics.push_back(resolve_metric(choice, job.loss, shape));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

double Model::learning_rate() const {
  if (!state_->compiled) throw ArgumentError("Model: learning_rate() needs compile() first.");
  return std::visit([&](const auto& s) { return s.learning_rate.at(state_->iterations); },
                    state_->compiled->optimizer);
}

void Model::set_learning_rate(double rate) {
  if (!state_->compiled) throw ArgumentError("Model: set_learning_rate() needs compile() first.");
  std::visit(
      [&](auto& s) {
        if (s.learning_rate.schedule() != nullptr)
          throw ArgumentError(
              "Model: the learning rate follows a schedule. Compile with a number to set it by "
              "hand.");
        s.learning_rate = LearningRate(rate);
      },
      state_->compiled->optimizer);
}

}  // namespace sonde
