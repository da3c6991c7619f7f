#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sonde/diagnosis.hpp>
#include <sonde/layers/embedding.hpp>
#include <sonde/stream.hpp>

#include "model/state.hpp"
#include "training/optimizer.hpp"
#include "training/target.hpp"

namespace sonde {

Model::State::State(Graph made, ModelOptions given)
    : options(std::move(given)),
      graph(std::move(made)),
      weights(graph.weights(options.seed)),
      entries(graph.entries()) {
  if (graph.inputs().size() > Sample::most || graph.outputs().size() > Sample::most)
    throw ArgumentError(fmt::format("Model: at most {} inputs and outputs.", Sample::most));
}

void Model::State::refresh() {
  std::shared_ptr<WeightBlock> now = graph.weights(options.seed);
  if (now == weights) return;
  const std::vector<Index> moved = graph.entries();
  for (Buffer<float>& slot : optimizer_state) {
    Buffer<float> larger(now->size());
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const WeightEntry& from = weights->entries()[static_cast<std::size_t>(entries[i])];
      const WeightEntry& to = now->entries()[static_cast<std::size_t>(moved[i])];
      std::copy_n(slot.data() + from.offset, from.size(), larger.data() + to.offset);
    }
    slot = std::move(larger);
  }
  weights = std::move(now);
  entries = moved;
}

ThreadPool& Model::State::threads(int count) {
  std::unique_ptr<ThreadPool>& pool = pools[count];
  if (!pool) {
    const bool uncapped = std::getenv("SONDE_OVERSUBSCRIBE") != nullptr;
    pool = std::make_unique<ThreadPool>(count, uncapped ? Cap::none : Cap::cores);
  }
  return *pool;
}

Model::Model(Tensor input, Tensor output, ModelOptions options)
    : Model(std::vector<Tensor>{std::move(input)}, std::vector<Tensor>{std::move(output)},
            std::move(options)) {}
Model::Model(std::vector<Tensor> inputs, std::vector<Tensor> outputs, ModelOptions options)
    : Model(Graph(std::move(inputs), std::move(outputs)), std::move(options)) {}
Model::Model(Graph graph, ModelOptions options)
    : state_(std::make_unique<State>(std::move(graph), std::move(options))) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

std::vector<Tensor> Model::operator()(std::vector<Tensor> inputs) const {
  Functional& layer = state_->as_layer;
  if (!layer.graph) {
    layer.graph = std::make_shared<const Graph>(state_->graph);
    layer.name = state_->options.name;
  }
  return sonde::apply(layer, std::move(inputs));
}
Tensor Model::operator()(Tensor x) const {
  return (*this)(std::vector<Tensor>{std::move(x)}).front();
}

Model Sequential(Tensor input, const std::vector<AnyLayer>& layers, ModelOptions options) {
  Tensor at = input;
  for (const AnyLayer& layer : layers) {
    std::vector<Tensor> outputs;
    try {
      outputs = detail::call(layer, Identity{}, {at});
    } catch (const ArgumentError& error) {
      const Diagnosis d =
          diagnose(input.shape(), layers, {.x = {input.shape()}, .y = {}}, MeanSquaredError{});
      throw ArgumentError(error.what() + d.details());
    }
    if (outputs.size() != 1)
      throw ArgumentError(fmt::format("Sequential: {} gives {} outputs, and can pass on only one.",
                                      layer.type(), outputs.size()));
    at = outputs.front();
  }
  return Model(std::move(input), std::move(at), std::move(options));
}

const std::string& Model::name() const { return state_->options.name; }
std::uint64_t Model::seed() const { return state_->options.seed; }
const Graph& Model::graph() const { return state_->graph; }
const CompileOptions* Model::compiled() const {
  return state_->compiled ? &*state_->compiled : nullptr;
}
const WeightBlock& Model::weights() const {
  state_->refresh();
  return *state_->weights;
}
WeightBlock& Model::weights() {
  state_->refresh();
  return *state_->weights;
}

std::vector<Array> Model::get_weights() const {
  state_->refresh();
  std::vector<Array> arrays;
  WeightBlock& block = *state_->weights;
  for (const Index e : state_->entries) {
    const WeightEntry& entry = block.entries()[static_cast<std::size_t>(e)];
    arrays.emplace_back(entry.shape, block.values(entry));
  }
  return arrays;
}

void Model::set_weights(const std::vector<Array>& weights) {
  state_->refresh();
  WeightBlock& block = *state_->weights;
  std::vector<const WeightEntry*> entries;
  for (const Index e : state_->entries)
    entries.push_back(&block.entries()[static_cast<std::size_t>(e)]);
  if (weights.size() != entries.size())
    throw ArgumentError(fmt::format("Model \"{}\": set_weights expects {} arrays, got {}.", name(),
                                    entries.size(), weights.size()));
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (weights[i].shape() != entries[i]->shape)
      throw ArgumentError(fmt::format("Model \"{}\": weight {} has shape {}, got {}.", name(),
                                      entries[i]->path(), to_string(entries[i]->shape),
                                      to_string(weights[i].shape())));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto values = weights[i].values();
    std::copy(values.begin(), values.end(), block.values(*entries[i]).begin());
  }
}

void Model::reset_states() { state_->states = {}; }
std::int64_t Model::iterations() const { return state_->iterations; }
void Model::set_iterations(std::int64_t iterations) { state_->iterations = iterations; }
std::vector<Buffer<float>>& Model::optimizer_state() {
  state_->refresh();
  return state_->optimizer_state;
}
const std::vector<Buffer<float>>& Model::optimizer_state() const {
  state_->refresh();
  return state_->optimizer_state;
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

Stream Model::stream(Index most_steps) const { return Stream(*this, most_steps); }

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

namespace {

/// Refuses numbers that an Embedding has no vector for. Only what an Input brings can be told.
void check_classes(const Graph& graph, const SampleSource& samples) {
  for (const auto& call : graph.calls()) {
    const auto* embedding = graph.layer(call).layer.as<Embedding>();
    if (!embedding) continue;
    const auto input = std::find(graph.inputs().begin(), graph.inputs().end(), call.inputs[0]);
    if (input == graph.inputs().end()) continue;
    const auto i = static_cast<std::size_t>(input - graph.inputs().begin());
    const Index size = samples.inputs()[i].elements(), classes = *embedding->input_dim;
    for (Index s = 0; s < samples.size(); ++s) {
      const float* x = samples.sample(0, s).x[i];
      const float* wrong = std::find_if(x, x + size, [&](float each) {
        return !(each >= 0 && each < static_cast<float>(classes) && each == std::floor(each));
      });
      if (wrong == x + size) continue;
      const Graph::Call& source = graph.calls()[static_cast<std::size_t>(input->call)];
      throw DataError(fmt::format(
          "Input \"{}\": sample {} holds {} at position {}; Embedding \"{}\" takes whole numbers "
          "from 0 to {}. Raise its input_dim, or number the classes from 0.",
          graph.layer(source).name, s, *wrong, wrong - x, graph.layer(call).name, classes - 1));
    }
  }
}

}  // namespace

std::vector<Index> Model::State::check(const SampleSource& samples) const {
  const auto shapes = samples.inputs();
  if (shapes.size() != graph.inputs().size())
    throw DataError(fmt::format("Model \"{}\": has {} inputs, got {} arrays.", options.name,
                                graph.inputs().size(), shapes.size()));
  std::vector<Index> steps;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Shape& expected = graph.input_tensors()[i].shape();
    const Shape& got = shapes[i];
    bool fits = got.rank() == expected.rank();
    for (Index axis = 0; fits && axis < got.rank(); ++axis)
      fits = expected[axis] == dynamic || expected[axis] == got[axis];
    if (!fits) {
      std::string mend = "Check the array's axes: (samples, time, channels).";
      if (got.rank() == 2 && expected.rank() == 2 && got[0] == expected[1] &&
          (got[1] == expected[0] || expected[0] == dynamic))
        mend =
            "Its axes look swapped: channels come last. Transpose X to (samples, time, channels).";
      throw DataError(fmt::format(
          "Input \"{}\" expects samples of shape {}, got {}. {}",
          graph
              .layers()[static_cast<std::size_t>(
                  graph.calls()[static_cast<std::size_t>(graph.inputs()[i].call)].layer)]
              ->name,
          to_string(expected), to_string(got), mend));
    }
    steps.push_back(got[0]);
  }
  check_classes(graph, samples);
  return steps;
}

}  // namespace sonde
