#pragma once
#include <numeric>
#include <sonde/error.hpp>
#include <sonde/layer.hpp>
#include <string>
#include <vector>

#include "tests/support/plan_runner.hpp"

namespace sonde::testing {

using Numbers = std::vector<double>;

/// Row-major numbers (rows, steps, width) as a Sequence, and back.
inline Sequence<double> from_rows(const Shape& shape, Index rows, const Numbers& numbers) {
  const bool timed = shape.rank() >= 2;
  Sequence<double> s(timed ? shape[0] : 1, rows,
                     timed ? shape.without_front().elements() : shape[0]);
  auto next = numbers.begin();
  for (Index r = 0; r < rows; ++r)
    for (Index t = 0; t < s.steps; ++t)
      for (Index i = 0; i < s.width; ++i) s.at(t, r)[i] = *next++;
  return s;
}
inline Numbers to_rows(const Sequence<double>& s) {
  Numbers numbers;
  for (Index r = 0; r < s.rows; ++r)
    for (Index t = 0; t < s.steps; ++t)
      numbers.insert(numbers.end(), s.at(t, r), s.at(t, r) + s.width);
  return numbers;
}

/// One layer between its own inputs, with its first weights, in double. Numbers are row-major.
struct Trial {
  Graph graph;
  std::shared_ptr<WeightBlock> block;
  std::vector<Shape> shapes;
  PlanRunner<double> runner;

  template <Layer L>
  Trial(const L& layer, std::vector<Shape> shapes_, Index rows, Mode mode = Mode::infer)
      : Trial(build(layer, shapes_), shapes_, rows, mode) {}

  /// The numbers of all outputs, one after the other.
  std::vector<Numbers> operator()(const std::vector<Numbers>& inputs) {
    Sequences<double> all;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      all.push_back(from_rows(shapes[i], runner.memory().rows, inputs[i]));
    std::vector<Numbers> outputs;
    for (const auto& y : runner.forward(all)) outputs.push_back(to_rows(y));
    return outputs;
  }
  /// Gradients of all inputs, after a call in training mode.
  std::vector<Numbers> backward(const std::vector<Numbers>& output_gradients) {
    Sequences<double> all = runner.outputs();
    for (std::size_t o = 0; o < all.size(); ++o)
      all[o] = from_rows({all[o].steps, all[o].width}, all[o].rows, output_gradients[o]);
    runner.backward(all);
    std::vector<Numbers> gradients;
    for (const auto& dx : runner.input_gradients()) gradients.push_back(to_rows(dx));
    return gradients;
  }
  /// The numbers of one weight, as they are now.
  std::span<double> weight(std::string_view name) {
    for (const WeightEntry& entry : block->entries())
      if (entry.name == name)
        return runner.weights().subspan(static_cast<std::size_t>(entry.offset),
                                        static_cast<std::size_t>(entry.size()));
    return {};
  }

 private:
  template <Layer L>
  static Graph build(const L& layer, const std::vector<Shape>& shapes) {
    std::vector<Tensor> inputs;
    for (const Shape& shape : shapes) inputs.push_back(Input(shape));
    return Graph(inputs, sonde::apply(layer, inputs));
  }
  Trial(Graph g, std::vector<Shape> s, Index rows, Mode mode)
      : graph(std::move(g)),
        block(graph.weights(1)),
        shapes(std::move(s)),
        runner(graph, *block, options(rows, mode)) {}
  static PlanOptions options(Index rows, Mode mode) {
    PlanOptions o{.mode = mode, .rows = rows, .steps = 0};
    o.input_gradients = mode == Mode::train;
    return o;
  }
};

/// The first output of a layer for one row.
template <Layer L>
Numbers evaluate(const L& layer, const Shape& shape, const Numbers& x) {
  return Trial(layer, {shape}, 1)({x}).front();
}

/// first, first + 1, …: NumPy's arange.
inline Numbers arange(Index count, double first = 0) {
  Numbers numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

/// The message with which `build` is refused, or a note that it was not.
template <class F>
std::string refusal(F build) {
  try {
    build();
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "(not refused)";
}

}  // namespace sonde::testing
