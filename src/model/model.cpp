#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sonde/layers/embedding.hpp>
#include <sonde/stream.hpp>

#include "model/state.hpp"

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

Stream Model::stream(Index most_steps) const { return Stream(*this, most_steps); }

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

void check_batch_size(std::string_view of, Index batch_size) {
  if (batch_size < 1)
    throw ArgumentError(fmt::format("{}: batch_size must be at least 1, got {}.", of, batch_size));
}

}  // namespace sonde
