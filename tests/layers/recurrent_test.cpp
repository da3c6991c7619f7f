#include <gtest/gtest.h>

#include <cmath>
#include <sonde/layers.hpp>

#include "tests/support/near.hpp"
#include "tests/support/plan_runner.hpp"

// Whether LSTM, GRU and SimpleRNN keep their gates or compute them again on the way back is a
// matter of memory and of nothing else.
namespace sonde {
namespace {

using namespace testing;

constexpr Index rows = 4, time = 300, channels = 3, units = 5;  // segments of 64 steps, and 44 more

/// One recurrent layer in a network that trains.
struct Trained {
  std::string name;
  std::vector<Tensor> inputs, outputs;
};

/// Numbers in which some steps of some rows are zeros, as a Masking leaves them out: at the walk's
/// ends, where segments meet, and all through one segment.
Sequence<double> partly_empty(Index count) {
  Sequence<double> x = random_sequence({time, channels}, count, 3);
  const auto empty = [&](Index row, Index from, Index to) {
    for (Index t = from; t < to; ++t) std::fill_n(x.at(t, row), channels, 0.0);
  };
  empty(0, 0, 3);
  empty(0, 63, 65);
  empty(1, 250, time);
  empty(2, 60, 140);
  return x;
}

template <class T>
void expect_same_bits(PlanRunner<T>& full, PlanRunner<T>& less, Index count) {
  full.memory().rows = less.memory().rows = count;
  Sequences<T> x;
  for (std::size_t i = 0; i < full.plan().inputs().size(); ++i)
    x.push_back(i == 0 ? partly_empty(count).as<T>()
                       : random_sequence({1, units}, count, 7).template as<T>());
  const Sequences<T> y = full.forward(x), again = less.forward(x);
  Sequences<T> dy;
  for (std::size_t o = 0; o < y.size(); ++o) {
    EXPECT_TRUE(same_bits<T>(again[o].values, y[o].values)) << "output " << o;
    dy.push_back(random_sequence({y[o].steps, y[o].width}, count, 23).template as<T>());
  }
  full.backward(dy);
  less.backward(dy);
  EXPECT_TRUE(same_bits<T>(less.gradients(), full.gradients())) << "gradients of the weights";
  const Sequences<T> dx = full.input_gradients(), dx_again = less.input_gradients();
  for (std::size_t i = 0; i < dx.size(); ++i)
    EXPECT_TRUE(same_bits<T>(dx_again[i].values, dx[i].values)) << "gradient of input " << i;
  for (const T each : less.gradients()) ASSERT_TRUE(std::isfinite(each));
}

template <class T>
void expect_same_bits(const Trained& network) {
  const Graph graph(network.inputs, network.outputs);
  const auto block = graph.weights(1);
  randomize(*block, 5);
  PlanOptions options{.mode = Mode::train, .rows = rows};
  options.input_gradients = true;
  PlanRunner<T> full(graph, *block, options);
  options.recompute = true;
  PlanRunner<T> less(graph, *block, options);
  // At the least one number for each unit is not kept any more, but for one segment.
  EXPECT_LE(less.plan().arena_size(), full.plan().arena_size() - rows * (time - 64) * units);
  expect_same_bits(full, less, rows);
  expect_same_bits(full, less, rows - 1);  // of `stateful` layers: from where the first ended
  EXPECT_TRUE(less.arena_is_intact()) << "written outside of the booked memory";
}

template <class L>
std::vector<Trained> networks_of(L layer) {
  std::vector<Trained> all;
  const auto add = [&](std::string name, const auto& change, bool masked = false) {
    L changed = layer;
    changed.self = {};
    change(changed);
    const Tensor x = Input({time, channels});
    all.push_back({std::move(name), {x}, changed.outputs(masked ? Masking{}(x) : x, {})});
  };
  add("last step", [](L&) {});
  add("last step of a backwards walk", [](L& l) { l.go_backwards = true; });
  add(
      "last step, masked", [](L&) {}, true);
  add("stateful", [](L& l) { l.stateful = true; });
  layer.return_sequences = true;
  add("all steps", [](L&) {});
  add("backwards", [](L& l) { l.go_backwards = true; });
  add(
      "masked", [](L&) {}, true);
  add(
      "masked, backwards", [](L& l) { l.go_backwards = true; }, true);
  add(
      "zeros where masked", [](L& l) { l.zero_output_for_mask = true; }, true);
  add("dropout", [](L& l) { l.dropout = 0.3; });
  add(
      "both dropouts, masked", [](L& l) { l.dropout = l.recurrent_dropout = 0.3; }, true);
  add("states are outputs", [](L& l) { l.return_state = true; });
  add("another function", [](L& l) { l.activation = Activation::softsign; });
  add("two slices of units", [](L& l) { l.units = 21; });

  const Tensor x = Input({time, channels});
  Trained given{"states are given", {x}, {}};
  for (Index i = 0; i < (L::type == "LSTM" ? 2 : 1); ++i) given.inputs.push_back(Input({units}));
  layer.self = {};
  given.outputs = layer.outputs(x, {given.inputs.begin() + 1, given.inputs.end()});
  all.push_back(std::move(given));
  return all;
}

template <class L>
void check_recomputing(const L& layer) {
  for (const Trained& network : networks_of(layer)) {
    SCOPED_TRACE(network.name);
    expect_same_bits<float>(network);
    expect_same_bits<double>(network);
  }
}

TEST(Recomputing, changes_no_bit_of_an_LSTM) { check_recomputing(LSTM{.units = units}); }
TEST(Recomputing, changes_no_bit_of_a_SimpleRNN) { check_recomputing(SimpleRNN{.units = units}); }
TEST(Recomputing, changes_no_bit_of_a_GRU) {
  check_recomputing(GRU{.units = units});
  check_recomputing(GRU{.units = units, .reset_after = false});
}

/// Numbers that a network keeps from forward to backward, for each step and row.
Index kept(const LSTM& layer, bool recompute, Index steps) {
  const Tensor x = Input({steps, channels});
  const Graph graph({x}, {layer(x)});
  const auto block = graph.weights(1);
  PlanOptions options{.mode = Mode::train, .rows = rows};
  options.recompute = recompute;
  const Plan plan(graph, *block, options);
  Index sum = rows * steps * *layer.units;  // h, the output
  for (const auto& buffer : plan.buffers())
    if (buffer.name == "LSTM \"lstm\" saved") sum += buffer.size;
  return sum / (rows * steps);
}

TEST(Recomputing, begins_at_six_numbers_for_each_unit_step_and_row) {
  EXPECT_EQ(kept(LSTM{.units = 48, .return_sequences = true}, false, time), 6 * 48);
  // And a cache line, so that rows of gates do not lie a multiple of 512 bytes apart.
  EXPECT_EQ(kept(LSTM{.units = 64, .return_sequences = true}, false, time), 6 * 64 + 16);
}

TEST(Recomputing, ends_at_little_more_than_the_output) {
  EXPECT_EQ(kept(LSTM{.units = 64, .return_sequences = true}, true, 10000), 64);
}

TEST(Recomputing, is_left_out_where_one_segment_holds_all_steps) {
  EXPECT_EQ(kept(LSTM{.units = 48, .return_sequences = true}, true, 64), 6 * 48);
}

}  // namespace
}  // namespace sonde
