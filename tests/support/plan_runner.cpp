#include "tests/support/plan_runner.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace sonde::testing {

template <class T>
Sequence<T> Sequence<T>::rows_from(Index first, Index count) const {
  Sequence part(steps, count, width);
  for (Index t = 0; t < steps; ++t) std::copy_n(at(t, first), count * width, part.at(t));
  return part;
}

template <class T>
Sequence<T> Sequence<T>::steps_from(Index first, Index count) const {
  Sequence part(count, rows, width);
  std::copy_n(at(first), count * rows * width, part.at(0));
  return part;
}

template <class T>
void Sequence<T>::append(const Sequence& more) {
  values.insert(values.end(), more.values.begin(), more.values.end());
  steps += more.steps;
}

template <class T>
void Sequence<T>::place(Index first_row, const Sequence& some) {
  for (Index t = 0; t < steps; ++t) std::copy_n(some.at(t), some.rows * width, at(t, first_row));
}

Sequence<double> random_sequence(const Shape& shape, Index rows, std::uint32_t seed) {
  const bool timed = shape.rank() >= 2;
  Sequence<double> sequence(timed ? shape[0] : 1, rows,
                            timed ? shape.without_front().elements() : shape[0]);
  std::mt19937 bits(seed);
  // Floats, so that single and double precision start from the same numbers.
  for (double& x : sequence.values) x = static_cast<float>(bits()) * 0x1p-31f - 1.0f;
  return sequence;
}

void randomize(WeightBlock& block, std::uint32_t seed) {
  std::mt19937 bits(seed);
  for (const WeightEntry& entry : block.entries())
    for (float& w : block.values(entry)) {
      w = static_cast<float>(bits()) * 0x1p-32f - 0.5f;
      if (entry.name.ends_with("variance")) w += 1.0f;
    }
}

template <class T>
PlanRunner<T>::PlanRunner(const Graph& graph, const WeightBlock& block, PlanOptions options)
    : plan_(graph, block, options),
      workspace_(plan_),
      weights_(block.size()),
      gradients_(block.size()),
      packed_(plan_.packed_size()) {
  std::copy_n(block.data(), block.size(), weights_.data());
  memory().weights = weights_.data();
  memory().gradients = gradients_.data();
  memory().packed = packed_.data();
  memory().penalty = penalty_.data();
  memory().seed = 7;
  pack();
}

template <class T>
template <class Keep>
void PlanRunner<T>::poison(Keep keep) {
  std::vector<bool> kept(static_cast<std::size_t>(plan_.arena_size()));
  for (const auto& buffer : plan_.buffers())
    if (keep(buffer)) std::fill_n(kept.begin() + buffer.offset, buffer.size, true);
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (!kept[i]) memory().arena[i] = std::numeric_limits<T>::quiet_NaN();
}

template <class T>
void PlanRunner<T>::load(const Sequences<T>& inputs) {
  poison([](const Plan::Buffer&) { return false; });
  std::fill_n(memory().sums, plan_.sums_size(), 0.0);
  *penalty_.data() = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Index value = plan_.inputs()[i];
    workspace_.steps(value) = inputs[i].steps;
    std::copy(inputs[i].values.begin(), inputs[i].values.end(), workspace_.value(value));
  }
}

template <class T>
void PlanRunner<T>::load_gradients(const Sequences<T>& outputs) {
  const auto loss = static_cast<Index>(plan_.steps().size());
  poison([&](const Plan::Buffer& buffer) {
    for (const auto& span : buffer.live)
      if (span.from <= loss && loss <= span.to) return true;
    return false;
  });
  for (std::size_t o = 0; o < outputs.size(); ++o)
    if (const Index value = plan_.outputs()[o]; plan_.gradient_offset(value) >= 0)
      std::copy(outputs[o].values.begin(), outputs[o].values.end(), workspace_.gradient(value));
}

template <class T>
Sequences<T> PlanRunner<T>::forward(const Sequences<T>& inputs) {
  load(inputs);
  for (const auto& segment : plan_.forward()) run(segment);
  return outputs();
}

template <class T>
void PlanRunner<T>::backward(const Sequences<T>& output_gradients) {
  load_gradients(output_gradients);
  for (const auto& segment : plan_.backward()) run(segment);
}

template <class T>
Sequence<T> PlanRunner<T>::read(Index value, const T* from) {
  Sequence<T> sequence(workspace_.steps(value), memory().rows,
                       plan_.values()[static_cast<std::size_t>(value)].width);
  std::copy_n(from, sequence.values.size(), sequence.values.data());
  return sequence;
}

template <class T>
Sequences<T> PlanRunner<T>::outputs() {
  Sequences<T> all;
  for (const Index value : plan_.outputs()) all.push_back(read(value, workspace_.value(value)));
  return all;
}

template <class T>
Sequences<T> PlanRunner<T>::input_gradients() {
  Sequences<T> all;
  for (const Index value : plan_.inputs()) all.push_back(read(value, workspace_.gradient(value)));
  return all;
}

template <class T>
bool PlanRunner<T>::arena_is_intact() const {
  std::vector<bool> booked(static_cast<std::size_t>(plan_.arena_size()));
  for (const auto& buffer : plan_.buffers())
    std::fill_n(booked.begin() + buffer.offset, buffer.size, true);
  for (std::size_t i = 0; i < booked.size(); ++i)
    if (!booked[i] && !std::isnan(workspace_.memory.arena[i])) return false;
  return true;
}

template <class T>
void run_shards(const std::vector<PlanRunner<T>*>& shards, bool backward) {
  const auto segments_of = [&](PlanRunner<T>* s) -> const std::vector<Plan::Segment>& {
    return backward ? s->plan().backward() : s->plan().forward();
  };
  const std::size_t count = segments_of(shards.front()).size();
  for (std::size_t k = 0; k < count; ++k) {
    for (auto* shard : shards) shard->run(segments_of(shard)[k]);
    if (k + 1 == count) break;
    // Only the sums of this barrier; those of earlier ones are already whole.
    const auto& barrier = segments_of(shards.front())[k].back();
    const auto& step = shards.front()->plan().steps()[static_cast<std::size_t>(barrier.step)];
    const Index first = backward ? step.layout.backward_sums : step.layout.forward_sums;
    const Index n = backward ? step.backward_sums : step.forward_sums;
    for (Index i = first; i < first + n; ++i) {
      double sum = 0;
      for (auto* shard : shards) sum += shard->memory().sums[i];
      for (auto* shard : shards) shard->memory().sums[i] = sum;
    }
  }
}

template struct Sequence<float>;
template struct Sequence<double>;
template class PlanRunner<float>;
template class PlanRunner<double>;
template void run_shards(const std::vector<PlanRunner<float>*>&, bool);
template void run_shards(const std::vector<PlanRunner<double>*>&, bool);

}  // namespace sonde::testing
