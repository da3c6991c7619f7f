#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

const StackedRNNCells three_cells{
    .cells = {{LSTMCell{.units = 3}, GRUCell{.units = 2}, SimpleRNNCell{.units = 4}}}};

TEST(RNN, obeys_its_laws) {
  check_laws(RNN{.cell = LSTMCell{.units = 3}, .return_sequences = true});
  check_laws(RNN{.cell = GRUCell{.units = 3, .reset_after = false}}, {.time = 9, .streams = false});
  check_laws(RNN{.cell = SimpleRNNCell{.units = 3}, .return_state = true, .go_backwards = true},
             {.time = 9, .streams = false});
}

TEST(RNN, obeys_its_laws_over_a_stack_of_cells) {
  check_laws(RNN{.cell = three_cells, .return_sequences = true}, {.time = 9});
  check_laws(RNN{.cell = three_cells, .return_sequences = true, .return_state = true},
             {.time = 9, .streams = false});
  check_laws(RNN{.cell = three_cells, .go_backwards = true}, {.time = 9, .streams = false});
}

TEST(RNN, obeys_its_laws_with_an_initial_state) {
  check_laws(RNN{.cell = three_cells, .return_sequences = true},
             {.time = 6, .shapes = {{6, 3}, {3}, {3}, {2}, {4}}, .any_length = false});
}

TEST(RNN, is_the_layers_of_its_cells) {
  const LSTM below{.units = 3, .bias_initializer = Constant{0.5}, .return_sequences = true};
  const GRU above{.units = 2, .kernel_initializer = Constant{0.3}, .reset_after = false};
  const StackedRNNCells cells{
      .cells = {{LSTMCell{.units = 3, .bias_initializer = Constant{0.5}},
                 GRUCell{.units = 2, .kernel_initializer = Constant{0.3}, .reset_after = false}}}};
  const Tensor x = Input({5, 2}), y = above(below(x)), z = RNN{.cell = cells}(x);
  const Graph layers({x}, {y}), stack({x}, {z});
  PlanRunner<double> expected(layers, *layers.weights(1), {.rows = 2});
  PlanRunner<double> got(stack, *stack.weights(1), {.rows = 2});
  std::copy(expected.weights().begin(), expected.weights().end(), got.weights().begin());
  got.pack();
  const Sequences<double> input{random_sequence({5, 2}, 2, 3)};
  EXPECT_EQ(to_rows(got.forward(input)[0]), to_rows(expected.forward(input)[0]));
}

TEST(RNN, begins_backwards_with_the_last_step_in_all_cells_of_a_stack) {
  const StackedRNNCells sums{.cells = {{SimpleRNNCell{.units = 1,
                                                      .activation = Activation::linear,
                                                      .kernel_initializer = Ones{},
                                                      .recurrent_initializer = Ones{}},
                                        SimpleRNNCell{.units = 1,
                                                      .activation = Activation::linear,
                                                      .kernel_initializer = Ones{},
                                                      .recurrent_initializer = Ones{}}}}};
  const RNN layer{.cell = sums, .return_sequences = true, .go_backwards = true};
  // The sum of 4, 4 + 3, 4 + 3 + 2, …
  EXPECT_EQ(evaluate(layer, {4, 1}, {1, 2, 3, 4}), (Numbers{4, 11, 20, 30}));
}

TEST(RNN, gives_the_states_of_each_cell_in_turn) {
  const auto y = RNN{.cell = three_cells, .return_state = true}.outputs(Input({6, 3}));
  std::vector<Shape> shapes;
  for (const Tensor& each : y) shapes.push_back(each.shape());
  EXPECT_EQ(shapes, (std::vector<Shape>{{4}, {3}, {3}, {2}, {4}}));
}

TEST(RNN, names_its_weights_after_its_cells) {
  const StackedRNNCells cells{.cells = {{LSTMCell{.units = 2}, LSTMCell{.units = 2},
                                         GRUCell{.units = 2, .use_bias = false, .name = "top"}}}};
  const Tensor x = Input({6, 3});
  const Graph graph({x}, {RNN{.cell = cells}(x)});
  const auto block = graph.weights(1);
  std::vector<std::string> paths;
  for (const Index e : graph.entries())
    paths.push_back(block->entries()[static_cast<std::size_t>(e)].path());
  EXPECT_EQ(paths,
            (std::vector<std::string>{"rnn/lstm_cell/kernel", "rnn/lstm_cell/recurrent_kernel",
                                      "rnn/lstm_cell/bias", "rnn/lstm_cell_1/kernel",
                                      "rnn/lstm_cell_1/recurrent_kernel", "rnn/lstm_cell_1/bias",
                                      "rnn/top/kernel", "rnn/top/recurrent_kernel"}));
}

TEST(RNN, refuses_what_does_not_fit) {
  const Tensor x = Input({6, 3}), h = Input({3});
  EXPECT_EQ(refusal([&] { RNN{.cell = three_cells, .name = "deep"}(x, {h}); }),
            "RNN \"deep\": takes x, or x and an initial state of 4 tensors, got 1.");
  EXPECT_EQ(refusal([&] { RNN{.cell = RnnCell{}}(x); }),
            "RNN: needs a cell. Use LSTMCell, GRUCell or SimpleRNNCell, or StackedRNNCells.");
  EXPECT_EQ(refusal([&] { RNN{.cell = three_cells, .go_backwards = true}(Masking{}(x)); }),
            "RNN: go_backwards of stacked cells cannot follow a mask. "
            "Use layers behind each other.");
  EXPECT_EQ(refusal([&] { RNN{.cell = LSTMCell{.units = 0}}(x); }),
            "LSTM \"lstm_cell\": units must be at least 1, got 0.");
}

// --- masks, of all recurrent layers --------------------------------------------------------------

/// Steps at which relu leaves nothing are masked: about half of them.
template <class L>
void check_masked(const L& layer, bool streams) {
  SCOPED_TRACE(L::type);
  const Tensor x = Input({9, 1});
  const Tensor masked = Masking{}(Activation{.activation = Activation::relu}(x));
  std::vector<Tensor> outputs;
  for (const Tensor& y : layer.outputs(masked))
    outputs.push_back(Activation{.activation = Activation::linear}(y));
  EXPECT_EQ(outputs.front().masked(), layer.return_sequences);
  check_graph({x}, outputs, {.time = 9, .streams = streams});
}

template <class L>
void check_masked(const L& base) {
  for (const bool zeros : {false, true}) {
    L layer = base;
    layer.zero_output_for_mask = zeros;
    check_masked(layer, false);
    layer = L(layer);
    layer.return_sequences = true;
    check_masked(layer, true);
    layer = L(layer);
    layer.go_backwards = layer.return_state = true;
    check_masked(layer, false);
  }
}

TEST(Masks, keep_all_laws_of_recurrent_layers) {
  check_masked(LSTM{.units = 3});
  check_masked(GRU{.units = 3});
  check_masked(GRU{.units = 3, .reset_after = false});
  check_masked(SimpleRNN{.units = 3});
  check_masked(RNN{.cell = StackedRNNCells{.cells = {{LSTMCell{.units = 2}}}}});
}

/// The running sum over steps that are not 0.
Numbers masked_sums(bool zeros, bool backwards, bool sequences) {
  const Tensor x = Input({6, 1});
  const SimpleRNN sum{.units = 1,
                      .activation = Activation::linear,
                      .kernel_initializer = Ones{},
                      .recurrent_initializer = Ones{},
                      .bias_initializer = Ones{},
                      .return_sequences = sequences,
                      .go_backwards = backwards,
                      .zero_output_for_mask = zeros};
  const Graph graph({x}, {sum(Masking{}(x))});
  PlanRunner<double> runner(graph, *graph.weights(1), {.rows = 1});
  return to_rows(runner.forward({from_rows({6, 1}, 1, {0, 1, 0, 2, 3, 0})})[0]);
}

TEST(Masks, repeat_the_output_before_or_make_it_zero) {
  EXPECT_EQ(masked_sums(false, false, true), (Numbers{0, 2, 2, 5, 9, 9}));
  EXPECT_EQ(masked_sums(true, false, true), (Numbers{0, 2, 0, 5, 9, 0}));
  EXPECT_EQ(masked_sums(false, true, true), (Numbers{0, 4, 7, 7, 9, 9}));
  EXPECT_EQ(masked_sums(true, true, true), (Numbers{0, 4, 7, 0, 9, 0}));
  EXPECT_EQ(masked_sums(false, false, false), (Numbers{9}));
  EXPECT_EQ(masked_sums(true, false, false), (Numbers{0}));
}

TEST(Masks, are_only_passed_on_when_there_is_an_initial_state) {
  const Tensor x = Input({4, 1}), h = Input({1});
  const SimpleRNN sum{.units = 1,
                      .activation = Activation::linear,
                      .kernel_initializer = Ones{},
                      .recurrent_initializer = Ones{},
                      .bias_initializer = Ones{},
                      .return_sequences = true,
                      .zero_output_for_mask = true};
  const Tensor y = sum(Masking{}(x), {h});
  EXPECT_TRUE(y.masked());
  const Graph graph({x, h}, {y});
  PlanRunner<double> runner(graph, *graph.weights(1), {.rows = 1});
  const Sequences<double> inputs{from_rows({4, 1}, 1, {0, 1, 0, 2}), from_rows({1}, 1, {10})};
  EXPECT_EQ(to_rows(runner.forward(inputs)[0]), (Numbers{11, 13, 14, 17}));
}

}  // namespace
}  // namespace sonde
