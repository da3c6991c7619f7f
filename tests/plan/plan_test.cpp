#include "plan/plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <sonde/layers.hpp>

#include "layers/fold.hpp"

namespace sonde {
namespace {

struct Planned {
  Graph graph;
  std::shared_ptr<WeightBlock> weights;
  Plan plan;

  Planned(Tensor x, Tensor y, PlanOptions options)
      : graph({x}, {y}), weights(graph.weights(7)), plan(graph, *weights, std::move(options)) {}
};

Tensor labeller(Tensor x) {
  auto h = Conv1D{
      .filters = 6, .kernel_size = 4, .padding = Padding::same, .activation = Activation::relu}(x);
  h = LSTM{.units = 5, .return_sequences = true}(h);
  return Dense{.units = 2, .activation = Activation::softmax}(h);
}

TEST(Plan, needs_less_memory_than_one_buffer_for_each_value) {
  auto x = Input({50, 3});
  for (const Mode mode : {Mode::train, Mode::infer}) {
    const Planned p(x, labeller(x), {.mode = mode, .rows = 4});
    Index each = 0;
    for (const auto& buffer : p.plan.buffers()) each += buffer.size;
    EXPECT_LT(p.plan.arena_size(), each + 32 * static_cast<Index>(p.plan.buffers().size()));
  }
  const Planned train(x, labeller(x), {.mode = Mode::train, .rows = 4});
  const Planned infer(x, labeller(x), {.mode = Mode::infer, .rows = 4});
  EXPECT_LT(infer.plan.arena_size(), train.plan.arena_size() / 2);
}

TEST(Plan, finds_a_buffer_that_lies_over_another_that_lives) {
  std::vector<Plan::Buffer> buffers{
      {"a", 100, -1, {{0, 5}}}, {"b", 50, -1, {{2, 3}}}, {"c", 70, -1, {{6, 9}}}};
  const Index arena = place(buffers);
  EXPECT_EQ(buffers[0].offset, buffers[2].offset);  // never alive together
  EXPECT_GE(buffers[1].offset, 100);
  EXPECT_GE(arena, 150);
}

TEST(Plan, does_not_compute_gradients_of_its_inputs_unless_asked) {
  auto x = Input({20, 3});
  const Planned without(x, labeller(x), {.mode = Mode::train, .rows = 2});
  EXPECT_EQ(without.plan.gradient_offset(without.plan.inputs()[0]), Layout::nowhere);
  const Planned with(x, labeller(x), {.mode = Mode::train, .rows = 2, .input_gradients = true});
  EXPECT_NE(with.plan.gradient_offset(with.plan.inputs()[0]), Layout::nowhere);
}

TEST(Plan, takes_the_final_softmax_off_when_logits_are_asked_for) {
  auto x = Input({20, 3});
  const Planned p(x, labeller(x), {.mode = Mode::train, .rows = 2, .logits = {true}});
  EXPECT_EQ(p.plan.head(0), ActivationFunction::softmax);
  const Planned q(x, labeller(x), {.mode = Mode::train, .rows = 2});
  EXPECT_EQ(q.plan.head(0), ActivationFunction::linear);
}

TEST(Plan, keeps_the_activation_of_an_output_that_another_layer_reads) {
  auto x = Input({20, 3});
  auto a = Dense{.units = 2, .activation = Activation::sigmoid}(x);
  auto b = Dense{.units = 2}(a);
  Graph graph({x}, {a, b});
  const auto weights = graph.weights(1);
  const Plan plan(graph, *weights, {.mode = Mode::train, .rows = 2, .logits = {true, false}});
  EXPECT_EQ(plan.head(0), ActivationFunction::linear);
}

/// Loss = sum of all outputs: its gradient with respect to x, in double.
std::vector<double> input_gradient(const Graph& graph, WeightBlock& block,
                                   std::span<const double> x) {
  const Plan plan(graph, block, {.mode = Mode::train, .rows = 1, .input_gradients = true});
  Workspace<double> space(plan);
  Buffer<double> weights(block.size()), gradients(block.size()), packed(plan.packed_size());
  for (Index i = 0; i < block.size(); ++i) weights.data()[i] = block.data()[i];
  space.memory.weights = weights.data();
  space.memory.gradients = gradients.data();
  space.memory.packed = packed.data();
  pack(plan, space.memory);
  std::copy(x.begin(), x.end(), space.value(plan.inputs()[0]));
  for (const auto& segment : plan.forward()) run(plan, segment, space.memory);
  for (const Index o : plan.outputs())
    std::fill_n(space.gradient(o), plan.values()[static_cast<std::size_t>(o)].shape.elements(),
                1.0);
  for (const auto& segment : plan.backward()) run(plan, segment, space.memory);
  const double* dx = space.gradient(plan.inputs()[0]);
  return {dx, dx + x.size()};
}

TEST(Plan, adds_the_gradients_of_a_value_that_many_layers_read) {
  auto x = Input({4, 2});
  auto doubled = Add{}({x, x});
  auto y = Add{}({doubled, x, doubled});
  Graph graph({x}, {y, doubled});
  const auto weights = graph.weights(1);
  const std::vector<double> values(8, 0.5);
  // y = 5 x and doubled = 2 x: the sum of both has the gradient 7.
  for (const double g : input_gradient(graph, *weights, values)) EXPECT_DOUBLE_EQ(g, 7.0);
}

TEST(Plan, gives_no_gradient_to_what_is_only_asked_for_its_steps) {
  auto x = Input({20, 6, 1});
  auto h = Conv2D{.filters = 3, .kernel_size = {1, 2}}(x);  // also tells Unfold how many steps
  auto y = Dense{.units = 2}(TimeDistributed{.layer = LSTM{.units = 5}}(h));
  const Planned p(x, y, {.mode = Mode::train, .rows = 2});
  for (const auto& segment : p.plan.backward())
    for (const auto& action : segment) EXPECT_NE(action.kind, Plan::Action::add);
}

TEST(Plan, runs_nothing_backwards_whose_steps_alone_are_read) {
  auto x = Input({20, 6, 1});
  auto h = Conv2D{.filters = 3, .kernel_size = {1, 2}}(x);
  auto counted = Dense{.units = 4}(h);  // has weights, and nothing to learn from
  auto inside = LSTM{.units = 5}(apply(FoldSteps{}, {h}).front());
  auto y = Dense{.units = 2}(apply(UnfoldSteps{}, {inside, counted}).front());
  const Planned p(x, y, {.mode = Mode::train, .rows = 2});
  verify(p.plan);
  Index without = 0;
  for (const Plan::Step& step : p.plan.steps()) without += step.backward ? 0 : 1;
  EXPECT_EQ(without, 1);
}

TEST(Plan, shares_the_gradient_of_a_layer_called_twice) {
  auto x = Input({3, 2});
  const Dense shared{.units = 2, .use_bias = false};
  auto y = shared(shared(x));
  Graph graph({x}, {y});
  EXPECT_EQ(graph.layers().size(), 2u);
  const auto weights = graph.weights(3);
  EXPECT_EQ(weights->entries().size(), 1u);
}

TEST(Plan, refuses_to_stream_what_needs_the_whole_signal_and_says_why) {
  auto x = Input({20, 3});
  auto y = LSTM{.units = 2, .return_sequences = true, .go_backwards = true}(x);
  try {
    const Planned p(x, y, {.mode = Mode::stream, .rows = 1, .steps = 4});
    FAIL();
  } catch (const ArgumentError& error) {
    EXPECT_NE(std::string(error.what()).find("cannot stream"), std::string::npos) << error.what();
  }
}

TEST(Plan, streams_branches_with_different_delays_in_step) {
  auto x = Input({dynamic, 3});
  auto slow = Conv1D{.filters = 4, .kernel_size = 7, .padding = Padding::same}(x);
  auto quick = Conv1D{.filters = 4, .kernel_size = 3, .padding = Padding::causal}(x);
  auto y = Add{}({slow, quick});
  Graph graph({x}, {y});
  const auto block = graph.weights(5);
  const Index steps = 41;
  std::vector<float> signal(static_cast<std::size_t>(steps * 3));
  for (std::size_t i = 0; i < signal.size(); ++i) signal[i] = std::sin(static_cast<float>(i));

  const auto play = [&](Mode mode, Index chunk) {
    const Plan plan(graph, *block, {.mode = mode, .rows = 1, .steps = chunk});
    Workspace<float> space(plan);
    Buffer<float> packed(plan.packed_size());
    space.memory.weights = block->data();
    space.memory.packed = packed.data();
    pack(plan, space.memory);
    std::vector<float> result;
    for (Index begin = 0; begin < steps; begin += chunk) {
      const Index count = std::min(chunk, steps - begin);
      space.memory.first = begin == 0;
      space.memory.last = begin + count == steps;
      space.steps(plan.inputs()[0]) = count;
      std::copy_n(signal.data() + begin * 3, count * 3, space.value(plan.inputs()[0]));
      for (const auto& segment : plan.forward()) run(plan, segment, space.memory);
      const float* out = space.value(plan.outputs()[0]);
      result.insert(result.end(), out, out + space.steps(plan.outputs()[0]) * 4);
    }
    return result;
  };
  const auto whole = play(Mode::infer, steps);
  ASSERT_EQ(whole.size(), static_cast<std::size_t>(steps * 4));
  for (const Index chunk : {1, 2, 7, 41}) EXPECT_EQ(play(Mode::stream, chunk), whole) << chunk;
}

}  // namespace
}  // namespace sonde
