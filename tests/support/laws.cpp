#include "tests/support/laws.hpp"

#include <cmath>
#include <random>
#include <sonde/error.hpp>

#include "tests/support/gradient.hpp"
#include "tests/support/near.hpp"
#include "tests/support/no_allocation.hpp"
#include "tests/support/plan_runner.hpp"

namespace sonde::testing {
namespace {

/// One graph under examination.
struct Case {
  const Graph& graph;
  WeightBlock& block;
  const LawOptions& options;
  Index time;  ///< steps of the timed inputs

  static constexpr Index rows = 5;

  PlanOptions plan(Mode mode, Index row_count) const {
    return {.mode = mode, .rows = row_count, .steps = time};
  }
  PlanOptions gradient_plan(Index row_count) const {
    PlanOptions planned = plan(Mode::train, row_count);
    planned.input_gradients = true;
    return planned;
  }
  Sequences<double> inputs(Index row_count = rows) const {
    Sequences<double> all;
    for (const Tensor& tensor : graph.input_tensors()) {
      Shape shape = tensor.shape();
      if (shape[0] == dynamic) shape[0] = time;
      all.push_back(random_sequence(shape, row_count, 11 + static_cast<std::uint32_t>(all.size())));
    }
    return all;
  }
};

template <class T>
Sequences<T> as(const Sequences<double>& from) {
  Sequences<T> converted;
  for (const auto& each : from) converted.push_back(each.as<T>());
  return converted;
}

template <class T>
Sequences<T> random_like(const Sequences<T>& like) {
  Sequences<T> all;
  for (const auto& each : like)
    all.push_back(random_sequence({each.steps, each.width}, each.rows, 23).template as<T>());
  return all;
}

template <class T>
Sequences<T> rows_from(const Sequences<T>& all, Index first, Index count) {
  Sequences<T> part;
  for (const auto& each : all) part.push_back(each.rows_from(first, count));
  return part;
}

template <class T>
void expect_same_bits(const Sequences<T>& got, const Sequences<T>& expected, const char* what) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t o = 0; o < got.size(); ++o) {
    EXPECT_EQ(got[o].steps, expected[o].steps) << what << " " << o;
    EXPECT_TRUE(same_bits<T>(got[o].values, expected[o].values)) << what << " " << o;
  }
}

/// The outputs have the planned shapes, every number of them is written, and nothing else is.
void check_shape(const Case& c) {
  SCOPED_TRACE("law: shape");
  for (const Mode mode : {Mode::infer, Mode::train}) {
    PlanRunner<float> runner(c.graph, c.block, c.plan(mode, Case::rows));
    const auto outputs = runner.forward(as<float>(c.inputs()));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const Shape& promised = c.graph.output_tensors()[o].shape();
      const Index steps = promised.rank() >= 2 ? promised[0] : 1;
      EXPECT_TRUE(steps == dynamic || outputs[o].steps == steps) << outputs[o].steps;
      const Index width = promised.rank() >= 2 ? promised.without_front().elements() : promised[0];
      EXPECT_EQ(outputs[o].width, width);
      for (const float y : outputs[o].values) ASSERT_FALSE(std::isnan(y)) << "output " << o;
    }
    EXPECT_TRUE(runner.arena_is_intact()) << "written outside of the booked memory";
  }
}

void check_gradient(const Case& c) {
  SCOPED_TRACE("law: gradient");
  check_gradients(c.graph, c.block, {.steps = c.time});
}

/// Float agrees with double, forward and backward.
void check_kernels(const Case& c) {
  SCOPED_TRACE("law: kernels");
  PlanRunner<float> fast(c.graph, c.block, c.gradient_plan(Case::rows));
  PlanRunner<double> exact(c.graph, c.block, c.gradient_plan(Case::rows));
  const auto y = fast.forward(as<float>(c.inputs()));
  const auto expected = exact.forward(c.inputs());
  const auto dy = random_like(expected);
  fast.backward(as<float>(dy));
  exact.backward(dy);
  for (std::size_t o = 0; o < y.size(); ++o)
    EXPECT_TRUE(near(y[o].values, expected[o].values, c.options.kernels)) << "output " << o;
  const auto dx = fast.input_gradients();
  const auto expected_dx = exact.input_gradients();
  for (std::size_t i = 0; i < dx.size(); ++i)
    EXPECT_TRUE(near(dx[i].values, expected_dx[i].values, c.options.kernels)) << "input " << i;
  for (const WeightEntry& entry : c.block.entries()) {
    const auto at = static_cast<std::size_t>(entry.offset),
               n = static_cast<std::size_t>(entry.size());
    EXPECT_TRUE(near(fast.gradients().subspan(at, n), exact.gradients().subspan(at, n),
                     c.options.kernels, 1e-6))
        << entry.path();
  }
}

/// A row's result does not depend on the other rows, nor on how many there could have been.
void check_rows(const Case& c) {
  SCOPED_TRACE("law: rows");
  PlanRunner<float> many(c.graph, c.block, c.plan(Mode::infer, Case::rows));
  PlanRunner<float> one(c.graph, c.block, c.plan(Mode::infer, 1));
  const auto inputs = as<float>(c.inputs());
  const auto all = many.forward(inputs);
  for (Index r = 0; r < Case::rows; ++r)
    expect_same_bits(one.forward(rows_from(inputs, r, 1)), rows_from(all, r, 1), "output");
  many.memory().rows = 3;
  expect_same_bits(many.forward(rows_from(inputs, 2, 3)), rows_from(all, 2, 3), "output");
}

/// Cut into shards, a batch gives what it gives whole: the same bits, unless it sums over all rows.
void check_shards(const Case& c) {
  SCOPED_TRACE("law: shards");
  PlanRunner<double> whole(c.graph, c.block, c.gradient_plan(Case::rows));
  PlanRunner<double> first(c.graph, c.block, c.gradient_plan(3)),
      second(c.graph, c.block, c.gradient_plan(3));
  const auto inputs = c.inputs();
  const auto y = whole.forward(inputs);
  const auto dy = random_like(y);
  whole.backward(dy);
  const auto dx = whole.input_gradients();

  second.memory().rows = 2;
  second.memory().first_row = 3;
  first.memory().batch_rows = second.memory().batch_rows = Case::rows;
  first.load(rows_from(inputs, 0, 3));
  second.load(rows_from(inputs, 3, 2));
  run_shards<double>({&first, &second}, false);
  auto joined = y;
  const auto join = [&](auto&& of) {
    const Sequences<double> a = of(first), b = of(second);
    for (std::size_t i = 0; i < joined.size(); ++i) {
      joined[i].place(0, a[i]);
      joined[i].place(3, b[i]);
    }
  };
  join([](auto& shard) { return shard.outputs(); });
  const bool sums = whole.plan().sums_size() > 0;
  const auto compare = [&](const Sequences<double>& expected, const char* what) {
    if (!sums) return expect_same_bits(joined, expected, what);
    for (std::size_t i = 0; i < joined.size(); ++i)
      EXPECT_TRUE(near(joined[i].values, expected[i].values, 1e-11)) << what << " " << i;
  };
  compare(y, "output");
  first.load_gradients(rows_from(dy, 0, 3));
  second.load_gradients(rows_from(dy, 3, 2));
  run_shards<double>({&first, &second}, true);
  joined = dx;
  join([](auto& shard) { return shard.input_gradients(); });
  compare(dx, "gradient of input");
  std::vector<double> total(first.gradients().begin(), first.gradients().end());
  for (std::size_t i = 0; i < total.size(); ++i) total[i] += second.gradients()[i];
  EXPECT_TRUE(near(total, whole.gradients(), 1e-11)) << "gradients of the weights";
}

/// Running allocates nothing.
void check_silence(const Case& c) {
  SCOPED_TRACE("law: silence");
  PlanRunner<float> runner(c.graph, c.block, c.gradient_plan(Case::rows));
  const auto inputs = as<float>(c.inputs());
  const auto dy = random_like(runner.forward(inputs));
  runner.load(inputs);
  Index before = allocations();
  runner.pack();
  for (const auto& segment : runner.plan().forward()) runner.run(segment);
  EXPECT_EQ(allocations(), before) << "forward allocates";
  runner.load_gradients(dy);
  before = allocations();
  for (const auto& segment : runner.plan().backward()) runner.run(segment);
  after_batch(runner.plan(), runner.memory());
  EXPECT_EQ(allocations(), before) << "backward allocates";
}

/// Streams the inputs in chunks of the given lengths; the signal ends with the last one.
Sequences<float> stream(PlanRunner<float>& runner, const Sequences<float>& inputs,
                        const std::vector<Index>& cuts) {
  runner.reset();
  Sequences<float> all;
  Index at = 0;
  for (std::size_t k = 0; k < cuts.size(); ++k) {
    Sequences<float> chunk;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const bool timed =
          runner.plan().values()[static_cast<std::size_t>(runner.plan().inputs()[i])].timed;
      chunk.push_back(timed ? inputs[i].steps_from(at, cuts[k]) : inputs[i]);
    }
    runner.memory().first = k == 0;
    runner.memory().last = k + 1 == cuts.size();
    runner.load(chunk);
    const Index before = allocations();
    for (const auto& segment : runner.plan().forward()) runner.run(segment);
    EXPECT_EQ(allocations(), before) << "a chunk of a stream allocates";
    EXPECT_TRUE(runner.arena_is_intact()) << "written outside of the booked memory";
    const auto outputs = runner.outputs();
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const auto& value =
          runner.plan().values()[static_cast<std::size_t>(runner.plan().outputs()[o])];
      EXPECT_LE(outputs[o].steps, value.shape[0]) << "more steps than were planned";
      if (k == 0) all.push_back(outputs[o]);
      else all[o].append(outputs[o]);
    }
    at += cuts[k];
  }
  return all;
}

std::vector<Index> even_cuts(Index time, Index length) {
  std::vector<Index> cuts;
  for (Index at = 0; at < time; at += length) cuts.push_back(std::min(length, time - at));
  return cuts;
}

/// Lengths from 0 to 9, and nothing new in the last chunk.
std::vector<Index> random_cuts(Index time, std::uint32_t seed) {
  std::mt19937 bits(seed);
  std::vector<Index> cuts;
  for (Index at = 0; at < time; at += cuts.back())
    cuts.push_back(std::min<Index>(static_cast<Index>(bits() % 10), time - at));
  if (seed % 2 == 0) cuts.push_back(0);
  return cuts;
}

/// Any cutting of time gives the same bits as the whole, or the layer says why it cannot stream.
void check_chunks(const Case& c) {
  SCOPED_TRACE("law: chunk");
  std::vector<std::vector<Index>> ways;
  for (const Index length : {1, 2, 7, 64}) ways.push_back(even_cuts(c.time, length));
  for (const std::uint32_t seed : {1u, 2u, 3u, 4u}) ways.push_back(random_cuts(c.time, seed));
  PlanRunner<float> whole(c.graph, c.block, c.plan(Mode::infer, 2));
  const auto inputs = as<float>(c.inputs(2));
  const auto expected = whole.forward(inputs);
  for (const auto& cuts : ways) {
    PlanOptions planned = c.plan(Mode::stream, 2);
    planned.steps = std::max<Index>(1, *std::max_element(cuts.begin(), cuts.end()));
    PlanRunner<float> runner(c.graph, c.block, planned);
    SCOPED_TRACE("chunks of " + std::to_string(planned.steps));
    expect_same_bits(stream(runner, inputs, cuts), expected, "streamed output");
    expect_same_bits(stream(runner, inputs, cuts), expected, "second signal: streamed output");
  }
}

void check_stream_refusal(const Case& c) {
  SCOPED_TRACE("law: chunk");
  try {
    Plan(c.graph, c.block, c.plan(Mode::stream, 1));
    ADD_FAILURE() << "streams, though it was said not to";
  } catch (const ArgumentError& error) {
    const std::string message = error.what();
    const auto at = message.find("cannot stream: ");
    ASSERT_NE(at, std::string::npos) << message;
    EXPECT_GT(message.size(), at + 30) << "no reason: " << message;
  }
}

}  // namespace

void check_graph(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                 const LawOptions& options) {
  const Graph graph(inputs, outputs);
  const auto block = graph.weights(1);
  randomize(*block, 5);
  std::vector<Index> lengths{options.time};
  bool open = false;
  for (const Tensor& input : inputs) open |= input.shape()[0] == dynamic;
  // Lengths that fill a chunk of 64 more than once, and a shorter one than any window.
  if (open) lengths = {options.time + 131, options.time};
  for (const Index time : lengths) {
    SCOPED_TRACE(std::to_string(time) + " steps");
    const Case c{graph, *block, options, time};
    check_shape(c);
    if (time == options.time) check_gradient(c);
    check_kernels(c);
    check_rows(c);
    check_shards(c);
    check_silence(c);
    if (time == 0) continue;
    if (options.streams) check_chunks(c);
    else check_stream_refusal(c);
  }
}

void check_round_trip(const AnyLayer& layer) {
  SCOPED_TRACE("law: round trip");
  const Value::Dict config = layer.config();
  const AnyLayer again = layer_from_config(layer.type(), config, "round trip");
  EXPECT_EQ(again.type(), layer.type());
  EXPECT_TRUE(again.config() == config) << to_string(Value(again.config()));
  EXPECT_EQ(again.name(), layer.name());
  EXPECT_EQ(again.trainable(), layer.trainable());
}

}  // namespace sonde::testing
