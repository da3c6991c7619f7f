#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(SimpleRNN, obeys_its_laws) {
  check_laws(SimpleRNN{.units = 4, .return_sequences = true});
  check_laws(SimpleRNN{.units = 1, .return_sequences = true}, {.time = 1, .channels = 1});
  check_laws(SimpleRNN{.units = 5, .use_bias = false, .return_sequences = true}, {.time = 9});
  check_laws(SimpleRNN{.units = 3}, {.time = 9, .streams = false});
  check_laws(SimpleRNN{.units = 3, .return_sequences = true, .return_state = true},
             {.time = 9, .streams = false});
}

TEST(SimpleRNN, obeys_its_laws_backwards) {
  check_laws(SimpleRNN{.units = 3, .go_backwards = true}, {.time = 9, .streams = false});
  check_laws(
      SimpleRNN{.units = 3, .return_sequences = true, .return_state = true, .go_backwards = true},
      {.time = 8, .streams = false});
}

TEST(SimpleRNN, obeys_its_laws_with_an_initial_state) {
  // Over longer signals h0's gradient becomes less than a float holds.
  const auto check = [](const SimpleRNN& layer) {
    check_laws(layer, {.time = 9,
                       .shapes = {{9, 3}, {4}},
                       .streams = layer.return_sequences,
                       .any_length = false});
  };
  check(SimpleRNN{.units = 4, .return_sequences = true});
  check(SimpleRNN{.units = 4, .return_state = true, .go_backwards = true});
  check(SimpleRNN{.units = 4, .return_sequences = true, .stateful = true});
}

TEST(SimpleRNN, obeys_its_laws_with_dropout) {
  check_laws(SimpleRNN{.units = 4, .dropout = 0.4, .return_sequences = true},
             {.time = 6, .channels = 5});
  check_laws(SimpleRNN{.units = 4, .recurrent_dropout = 0.4, .return_sequences = true},
             {.time = 6});
  check_laws(SimpleRNN{.units = 4, .dropout = 0.3, .recurrent_dropout = 0.4, .seed = 5},
             {.time = 6, .streams = false});
}

TEST(SimpleRNN, obeys_its_laws_with_every_activation) {
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    const auto function = static_cast<ActivationFunction>(f);
    if (function == Activation::softmax || function == Activation::log_softmax) continue;
    SCOPED_TRACE(enum_names(function)[f]);
    // Only a few steps: some of them grow without bound.
    check_laws(SimpleRNN{.units = 3, .activation = function, .return_sequences = true},
               {.time = 4, .any_length = false});
  }
}

/// Weights and inputs of keras/src/layers/rnn/simple_rnn_test.py; the numbers are what Keras 3.15.1
/// gives.
SimpleRNN constant_rnn(Index units) {
  return {.units = units,
          .kernel_initializer = Constant{0.01},
          .recurrent_initializer = Constant{0.02},
          .bias_initializer = Constant{0.03}};
}

Numbers each_thrice(const Numbers& each) {
  Numbers all;
  for (const double x : each) all.insert(all.end(), 3, x);
  return all;
}

TEST(SimpleRNN, gives_the_numbers_of_keras) {
  const SimpleRNN layer = constant_rnn(3);
  const auto of = [](const SimpleRNN& l) { return Trial(l, {{6, 4}}, 3)({arange(72)}).front(); };
  EXPECT_TRUE(near(of(layer), each_thrice({0.72990972, 0.95678616, 0.99358428}), 1e-6));
  SimpleRNN other = layer;
  other.go_backwards = true;
  EXPECT_TRUE(near(of(other), each_thrice({0.10569708, 0.80090117, 0.96856856}), 1e-6));
  other = layer;
  other.unroll = true;
  EXPECT_TRUE(near(of(other), each_thrice({0.72990972, 0.95678616, 0.99358428}), 1e-6));
  other = layer;
  other.use_bias = false;
  EXPECT_TRUE(near(of(other), each_thrice({0.71503222, 0.95415592, 0.99318844}), 1e-6));
}

TEST(SimpleRNN, starts_from_the_initial_state_as_keras_does) {
  SimpleRNN layer = constant_rnn(2);
  const auto of = [](const SimpleRNN& l) {
    return Trial(l, {{4, 3}, {2}}, 2)({arange(24), arange(4)}).front();
  };
  EXPECT_TRUE(near(of(layer), Numbers{0.32716414, 0.32716414, 0.61194706, 0.61194706}, 1e-6));
  layer = SimpleRNN(layer);
  layer.go_backwards = true;
  EXPECT_TRUE(near(of(layer), Numbers{0.06624590, 0.06624590, 0.41321585, 0.41321585}, 1e-6));
}

TEST(SimpleRNN, stateful_goes_on_where_the_last_batch_ended) {
  SimpleRNN layer = constant_rnn(4);
  layer.stateful = true;
  Trial trial(layer, {{3, 4}}, 2);
  Numbers expected(8, 0.40559256);
  std::fill(expected.begin() + 4, expected.end(), 0.73612469);
  for (int again = 0; again < 2; ++again) {
    trial({arange(24)});
    EXPECT_TRUE(near(trial({arange(24)}).front(), expected, 1e-6));
    trial.runner.reset();
  }
}

TEST(SimpleRNN, go_backwards_returns_its_outputs_in_processing_order) {
  SimpleRNN forwards = constant_rnn(2);
  forwards.return_sequences = true;
  SimpleRNN backwards = forwards;
  backwards.go_backwards = true;
  const Numbers x{0.3, -1, 2, 0.5, -0.25}, reversed{-0.25, 0.5, 2, -1, 0.3};
  EXPECT_EQ(evaluate(backwards, {5, 1}, x), evaluate(forwards, {5, 1}, reversed));
}

TEST(SimpleRNN, sums_with_a_linear_activation) {
  // h' = x + h: the running sum.
  const SimpleRNN layer{.units = 1,
                        .activation = Activation::linear,
                        .kernel_initializer = Ones{},
                        .recurrent_initializer = Ones{},
                        .return_sequences = true};
  EXPECT_EQ(evaluate(layer, {4, 1}, {1, 2, -5, 0.5}), (Numbers{1, 3, -2, -1.5}));
}

TEST(SimpleRNN, gets_gradients_through_any_of_its_outputs) {
  const Tensor x = Input({7, 3});
  const std::vector<Tensor> out =
      SimpleRNN{.units = 3, .return_sequences = true, .return_state = true}.outputs(x);
  for (const std::vector<Tensor>& some :
       std::vector<std::vector<Tensor>>{{out[0]}, {out[1]}, {out[1], out[0]}})
    check_graph({x}, some, {.time = 7, .streams = false});
}

TEST(SimpleRNN, refuses_wrong_arguments) {
  const auto of = [](SimpleRNN layer, Shape shape = {9, 2}) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.units = 0, .name = "memory"}),
            "SimpleRNN \"memory\": units must be at least 1, got 0.");
  EXPECT_EQ(of({.units = 3, .recurrent_dropout = -0.5}),
            "SimpleRNN: recurrent_dropout must be at least 0 and below 1, got -0.5. "
            "It is the share that is dropped.");
  EXPECT_EQ(of({.units = 3, .activation = Activation::softmax}),
            "SimpleRNN: activation must act on each number by itself, got softmax. "
            "Use tanh or sigmoid.");
  EXPECT_EQ(refusal([&] {
              SimpleRNN{.units = 4}(Input({9, 2}), {Input({3})});
            }),
            "SimpleRNN: initial_state must be h of shape (4,), got (3,). "
            "Take it from a SimpleRNN of as many units with return_state = true.");
}

}  // namespace
}  // namespace sonde
