#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(GRU, obeys_its_laws) {
  check_laws(GRU{.units = 4, .return_sequences = true});
  check_laws(GRU{.units = 1, .return_sequences = true}, {.time = 1, .channels = 1});
  check_laws(GRU{.units = 5, .use_bias = false, .return_sequences = true}, {.time = 9});
  check_laws(GRU{.units = 3}, {.time = 9, .streams = false});
  check_laws(GRU{.units = 3, .return_state = true}, {.time = 9, .streams = false});
  check_laws(GRU{.units = 3, .return_sequences = true, .return_state = true},
             {.time = 9, .streams = false});
}

TEST(GRU, obeys_its_laws_with_the_reset_before_the_product) {
  check_laws(GRU{.units = 4, .return_sequences = true, .reset_after = false});
  check_laws(GRU{.units = 5, .use_bias = false, .return_sequences = true, .reset_after = false},
             {.time = 9});
  check_laws(GRU{.units = 3, .return_state = true, .go_backwards = true, .reset_after = false},
             {.time = 9, .streams = false});
}

TEST(GRU, obeys_its_laws_backwards) {
  check_laws(GRU{.units = 3, .go_backwards = true}, {.time = 9, .streams = false});
  check_laws(GRU{.units = 3, .return_sequences = true, .return_state = true, .go_backwards = true},
             {.time = 8, .streams = false});
}

TEST(GRU, obeys_its_laws_with_an_initial_state) {
  const std::vector<Shape> shapes{{9, 3}, {4}};
  check_laws(GRU{.units = 4, .return_sequences = true}, {.time = 9, .shapes = shapes});
  check_laws(GRU{.units = 4, .return_state = true, .go_backwards = true},
             {.time = 9, .shapes = shapes, .streams = false});
  check_laws(GRU{.units = 4, .return_sequences = true, .stateful = true},
             {.time = 9, .shapes = shapes});
}

TEST(GRU, obeys_its_laws_with_dropout) {
  check_laws(GRU{.units = 4, .dropout = 0.4, .return_sequences = true}, {.time = 6, .channels = 5});
  check_laws(GRU{.units = 4, .recurrent_dropout = 0.4, .return_sequences = true}, {.time = 6});
  for (const bool reset_after : {true, false})
    check_laws(GRU{.units = 4,
                   .dropout = 0.3,
                   .recurrent_dropout = 0.4,
                   .seed = 5,
                   .reset_after = reset_after},
               {.time = 6, .streams = false});
}

TEST(GRU, obeys_its_laws_with_every_activation) {
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    const auto function = static_cast<ActivationFunction>(f);
    if (function == Activation::softmax || function == Activation::log_softmax) continue;
    SCOPED_TRACE(enum_names(function)[f]);
    // Only a few steps: some of them grow without bound.
    check_laws(GRU{.units = 3, .activation = function, .return_sequences = true},
               {.time = 4, .any_length = false});
    check_laws(GRU{.units = 3, .recurrent_activation = function},
               {.time = 4, .streams = false, .any_length = false});
  }
}

/// Weights and inputs of keras/src/layers/rnn/gru_test.py; the numbers are what Keras 3.15.1 gives.
GRU constant_gru(Index units) {
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

TEST(GRU, gives_the_numbers_of_keras) {
  const GRU layer = constant_gru(3);
  const auto of = [](const GRU& l) { return Trial(l, {{6, 4}}, 3)({arange(72)}).front(); };
  EXPECT_TRUE(near(of(layer), each_thrice({0.52172887, 0.63716596, 0.39384970}), 1e-6));
  GRU other = layer;
  other.go_backwards = true;
  EXPECT_TRUE(near(of(other), each_thrice({0.24406257, 0.61151600, 0.39288089}), 1e-6));
  other = layer;
  other.unroll = true;
  EXPECT_TRUE(near(of(other), each_thrice({0.52172887, 0.63716596, 0.39384967}), 1e-6));
  other = layer;
  other.use_bias = false;
  EXPECT_TRUE(near(of(other), each_thrice({0.49988455, 0.64701200, 0.41033599}), 1e-6));
  other = layer;
  other.reset_after = false;
  EXPECT_TRUE(near(of(other), each_thrice({0.51447755, 0.64268798, 0.40208280}), 1e-6));
}

TEST(GRU, has_a_bias_for_each_of_its_two_products_when_it_resets_after_them) {
  GRU layer = constant_gru(2);
  Trial after(layer, {{3, 2}}, 1);
  EXPECT_EQ(after.block->entries()[2].shape, (Shape{2, 6}));
  layer = GRU(layer);
  layer.reset_after = false;
  Trial before(layer, {{3, 2}}, 1);
  EXPECT_EQ(before.block->entries()[2].shape, (Shape{6}));
}

TEST(GRU, starts_from_the_initial_state_as_keras_does) {
  GRU layer = constant_gru(2);
  const auto of = [](const GRU& l) {
    return Trial(l, {{4, 3}, {2}}, 2)({arange(24), arange(4)}).front();
  };
  EXPECT_TRUE(near(of(layer), Numbers{0.23774096, 0.33508453, 0.83659899, 1.02277076}, 1e-6));
  layer = GRU(layer);
  layer.go_backwards = true;
  EXPECT_TRUE(near(of(layer), Numbers{0.13486053, 0.23261221, 0.78257310, 0.96913522}, 1e-6));
}

TEST(GRU, stateful_goes_on_where_the_last_batch_ended) {
  GRU layer = constant_gru(4);
  layer.stateful = true;
  Trial trial(layer, {{3, 4}}, 2);
  Numbers expected(8, 0.29542392);
  std::fill(expected.begin() + 4, expected.end(), 0.58850175);
  for (int again = 0; again < 2; ++again) {
    trial({arange(24)});
    EXPECT_TRUE(near(trial({arange(24)}).front(), expected, 1e-6));
    trial.runner.reset();
  }
}

TEST(GRU, go_backwards_returns_its_outputs_in_processing_order) {
  GRU forwards = constant_gru(2);
  forwards.return_sequences = true;
  GRU backwards = forwards;
  backwards.go_backwards = true;
  const Numbers x{0.3, -1, 2, 0.5, -0.25}, reversed{-0.25, 0.5, 2, -1, 0.3};
  EXPECT_EQ(evaluate(backwards, {5, 1}, x), evaluate(forwards, {5, 1}, reversed));
}

TEST(GRU, returns_the_state_after_the_last_step) {
  GRU layer = constant_gru(2);
  layer.return_state = layer.return_sequences = true;
  const auto out = Trial(layer, {{4, 3}}, 1)({arange(12)});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(Numbers(out[0].end() - 2, out[0].end()), out[1]);
  // One more step from h is the step that a longer signal would have made.
  const GRU plain = constant_gru(2);
  EXPECT_EQ(Trial(plain, {{1, 3}, {2}}, 1)({arange(3, 12), out[1]}).front(),
            evaluate(plain, {5, 3}, arange(15)));
}

TEST(GRU, gets_gradients_through_any_of_its_outputs) {
  const Tensor x = Input({7, 3});
  const std::vector<Tensor> out =
      GRU{.units = 3, .return_sequences = true, .return_state = true}.outputs(x);
  for (const std::vector<Tensor>& some :
       std::vector<std::vector<Tensor>>{{out[0]}, {out[1]}, {out[1], out[0]}})
    check_graph({x}, some, {.time = 7, .streams = false});
}

TEST(GRU, encoder_and_decoder_share_a_state_and_gradients) {
  const Tensor source = Input({6, 3}), target = Input({4, 2});
  const auto encoded = GRU{.units = 4, .return_state = true}.outputs(source);
  const Tensor y = GRU{.units = 4, .return_sequences = true}(target, {encoded[1]});
  check_graph({source, target}, {Dense{.units = 3, .activation = Activation::softmax}(y)},
              {.shapes = {{6, 3}, {4, 2}}, .streams = false});
}

TEST(GRU, draws_one_mask_for_each_row_and_feature) {
  // With all weights but one at zero the candidate is x, and z = f(bias) is 0: y shows the mask.
  GRU layer{.units = 1,
            .activation = Activation::linear,
            .recurrent_activation = Activation::linear,
            .dropout = 0.5,
            .return_sequences = true};
  Trial trial(layer, {{5, 1}}, 64, Mode::train);
  std::fill(trial.runner.weights().begin(), trial.runner.weights().end(), 0.0);
  trial.weight("kernel")[2] = 1;  // of z r h
  trial.runner.pack();
  const Numbers y = trial({Numbers(320, 1.0)}).front();
  int dropped = 0;
  for (std::size_t row = 0; row < 64; ++row) {
    EXPECT_TRUE(y[row * 5] == 0 || y[row * 5] == 2) << y[row * 5];
    for (std::size_t t = 1; t < 5; ++t)
      EXPECT_EQ(y[row * 5 + t], y[row * 5]) << "changed over time";
    dropped += y[row * 5] == 0;
  }
  EXPECT_GT(dropped, 12);
  EXPECT_LT(dropped, 52);
}

TEST(GRU, refuses_wrong_arguments) {
  const auto of = [](GRU layer, Shape shape = {9, 2}) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.units = 0, .name = "memory"}), "GRU \"memory\": units must be at least 1, got 0.");
  EXPECT_EQ(of({.units = 3}, {9}),
            "GRU: expects an input of shape (time, channels), got (9,). "
            "A recurrent layer before it may need return_sequences = true.");
  EXPECT_EQ(of({.units = 3, .dropout = 1.0}),
            "GRU: dropout must be at least 0 and below 1, got 1. It is the share that is dropped.");
  EXPECT_EQ(of({.units = 3, .recurrent_activation = Activation::softmax}),
            "GRU: recurrent_activation must act on each number by itself, got softmax. "
            "Use tanh or sigmoid.");
}

TEST(GRU, refuses_initial_states_that_do_not_fit) {
  const Tensor x = Input({9, 2}), three = Input({3}), four = Input({4});
  EXPECT_EQ(refusal([&] { GRU{.units = 4}(x, {three}); }),
            "GRU: initial_state must be h of shape (4,), got (3,). "
            "Take it from a GRU of as many units with return_state = true.");
  EXPECT_EQ(refusal([&] {
              GRU{.units = 4}(x, {four, four});
            }),
            "GRU: takes x, or x and an initial state of h, got 3 inputs.");
}

}  // namespace
}  // namespace sonde
