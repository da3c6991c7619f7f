#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(LSTM, obeys_its_laws) {
  check_laws(LSTM{.units = 4, .return_sequences = true});
  check_laws(LSTM{.units = 1, .return_sequences = true}, {.time = 1, .channels = 1});
  check_laws(LSTM{.units = 5, .use_bias = false, .return_sequences = true}, {.time = 9});
  check_laws(LSTM{.units = 3}, {.time = 9, .streams = false});
  check_laws(LSTM{.units = 3, .return_state = true}, {.time = 9, .streams = false});
  check_laws(LSTM{.units = 3, .return_sequences = true, .return_state = true},
             {.time = 9, .streams = false});
}

TEST(LSTM, obeys_its_laws_backwards) {
  check_laws(LSTM{.units = 3, .go_backwards = true}, {.time = 9, .streams = false});
  check_laws(LSTM{.units = 3, .return_sequences = true, .return_state = true, .go_backwards = true},
             {.time = 8, .streams = false});
}

TEST(LSTM, obeys_its_laws_with_an_initial_state) {
  const std::vector<Shape> shapes{{9, 3}, {4}, {4}};
  check_laws(LSTM{.units = 4, .return_sequences = true}, {.time = 9, .shapes = shapes});
  check_laws(LSTM{.units = 4, .return_state = true, .go_backwards = true},
             {.time = 9, .shapes = shapes, .streams = false});
  check_laws(LSTM{.units = 4, .return_sequences = true, .stateful = true},
             {.time = 9, .shapes = shapes});
}

TEST(LSTM, obeys_its_laws_with_dropout) {
  check_laws(LSTM{.units = 4, .dropout = 0.4, .return_sequences = true},
             {.time = 6, .channels = 5});
  check_laws(LSTM{.units = 4, .recurrent_dropout = 0.4, .return_sequences = true}, {.time = 6});
  check_laws(LSTM{.units = 4, .dropout = 0.3, .recurrent_dropout = 0.4, .seed = 5},
             {.time = 6, .streams = false});
}

TEST(LSTM, obeys_its_laws_with_every_activation) {
  for (std::size_t f = 0; f < enum_names(ActivationFunction{}).size(); ++f) {
    const auto function = static_cast<ActivationFunction>(f);
    if (function == Activation::softmax || function == Activation::log_softmax) continue;
    SCOPED_TRACE(enum_names(function)[f]);
    // Only a few steps: some of them grow without bound.
    const auto check = [](const LSTM& layer) {
      check_laws(layer, {.time = 4, .streams = layer.return_sequences, .any_length = false});
    };
    check(LSTM{.units = 3, .activation = function, .return_sequences = true});
    check(LSTM{.units = 3, .recurrent_activation = function});
  }
}

/// Weights and inputs of keras/src/layers/rnn/lstm_test.py.
LSTM constant_lstm(Index units) {
  return {.units = units,
          .kernel_initializer = Constant{0.01},
          .recurrent_initializer = Constant{0.02},
          .bias_initializer = Constant{0.03}};
}

Numbers each_thrice(Numbers each) {
  Numbers all;
  for (const double x : each) all.insert(all.end(), 3, x);
  return all;
}

TEST(LSTM, gives_the_numbers_of_keras) {
  LSTM layer = constant_lstm(3);
  const auto of = [](const LSTM& l) { return Trial(l, {{6, 4}}, 3)({arange(72)}).front(); };
  EXPECT_TRUE(near(of(layer), each_thrice({0.6288687, 0.86899155, 0.9460773}), 1e-6));
  LSTM other = layer;
  other.go_backwards = true;
  EXPECT_TRUE(near(of(other), each_thrice({0.35622165, 0.74789524, 0.8872726}), 1e-6));
  other = layer;
  other.unroll = true;
  EXPECT_TRUE(near(of(other), each_thrice({0.6288687, 0.86899155, 0.9460773}), 1e-6));
  other = layer;
  other.unit_forget_bias = false;
  EXPECT_TRUE(near(of(other), each_thrice({0.57019705, 0.8661914, 0.9459622}), 1e-6));
  other = layer;
  other.use_bias = false;
  EXPECT_TRUE(near(of(other), each_thrice({0.54986924, 0.86226785, 0.9443936}), 1e-6));
}

TEST(LSTM, starts_the_forget_gates_bias_at_one) {
  Trial trial(constant_lstm(2), {{3, 2}}, 1);
  const auto bias = trial.weight("bias");
  const double b = static_cast<double>(0.03f);
  EXPECT_EQ(Numbers(bias.begin(), bias.end()), (Numbers{b, b, 1, 1, b, b, b, b}));
}

TEST(LSTM, starts_from_the_initial_state_as_keras_does) {
  LSTM layer = constant_lstm(2);
  const auto of = [](const LSTM& l) {
    return Trial(l, {{4, 3}, {2}, {2}}, 2)({arange(24), arange(4), arange(4)}).front();
  };
  EXPECT_TRUE(near(of(layer), Numbers{0.20574439, 0.3558822, 0.64930826, 0.66276}, 1e-6));
  layer = LSTM(layer);
  layer.go_backwards = true;
  EXPECT_TRUE(near(of(layer), Numbers{0.13281618, 0.2790356, 0.5839337, 0.5992567}, 1e-6));
}

TEST(LSTM, stateful_goes_on_where_the_last_batch_ended) {
  LSTM layer = constant_lstm(4);
  layer.stateful = true;
  Trial trial(layer, {{3, 4}}, 2);
  const Numbers expected{0.3124785, 0.3124785, 0.3124785, 0.3124785,
                         0.6863672, 0.6863672, 0.6863672, 0.6863672};
  for (int again = 0; again < 2; ++again) {
    trial({arange(24)});
    EXPECT_TRUE(near(trial({arange(24)}).front(), expected, 1e-6));
    trial.runner.reset();
  }
}

TEST(LSTM, stateful_takes_a_given_initial_state_and_keeps_what_follows) {
  LSTM layer = constant_lstm(2);
  LSTM stateful = layer;
  stateful.stateful = stateful.return_state = layer.return_state = true;
  Trial kept(stateful, {{4, 3}, {2}, {2}}, 2), fresh(layer, {{4, 3}, {2}, {2}}, 2);
  kept({arange(24, 5), arange(4, 9), arange(4, 9)});
  EXPECT_EQ(kept({arange(24), arange(4), arange(4)}), fresh({arange(24), arange(4), arange(4)}));
  const Numbers h(kept.runner.memory().states, kept.runner.memory().states + 4);
  EXPECT_EQ(h, fresh({arange(24), arange(4), arange(4)})[1]);
}

TEST(LSTM, go_backwards_returns_its_outputs_in_processing_order) {
  LSTM forwards = constant_lstm(2);
  forwards.return_sequences = true;
  LSTM backwards = forwards;
  backwards.go_backwards = true;
  const Numbers x{0.3, -1, 2, 0.5, -0.25}, reversed{-0.25, 0.5, 2, -1, 0.3};
  EXPECT_EQ(evaluate(backwards, {5, 1}, x), evaluate(forwards, {5, 1}, reversed));
}

TEST(LSTM, returns_the_states_after_the_last_step) {
  LSTM layer = constant_lstm(2);
  layer.return_state = layer.return_sequences = true;
  Trial trial(layer, {{4, 3}}, 1);
  const auto out = trial({arange(12)});
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(Numbers(out[0].end() - 2, out[0].end()), out[1]);
  // One more step from (h, c) is the step that a longer signal would have made.
  LSTM plain = constant_lstm(2);
  EXPECT_EQ(Trial(plain, {{1, 3}, {2}, {2}}, 1)({arange(3, 12), out[1], out[2]}).front(),
            evaluate(plain, {5, 3}, arange(15)));
}

TEST(LSTM, gets_gradients_through_any_of_its_outputs) {
  const Tensor x = Input({7, 3});
  const std::vector<Tensor> out =
      LSTM{.units = 3, .return_sequences = true, .return_state = true}.outputs(x);
  for (const std::vector<Tensor>& some : std::vector<std::vector<Tensor>>{
           {out[0]}, {out[1]}, {out[2]}, {out[1], out[2]}, {out[2], out[0]}})
    check_graph({x}, some, {.time = 7, .streams = false});
}

TEST(LSTM, encoder_and_decoder_share_states_and_gradients) {
  const Tensor source = Input({6, 3}), target = Input({4, 2});
  const auto encoded = LSTM{.units = 4, .return_state = true}.outputs(source);
  const Tensor y = LSTM{.units = 4, .return_sequences = true}(target, {encoded[1], encoded[2]});
  check_graph({source, target}, {Dense{.units = 3, .activation = Activation::softmax}(y)},
              {.shapes = {{6, 3}, {4, 2}}, .streams = false});
}

TEST(LSTM, called_twice_sums_the_gradients_of_its_weights) {
  const Tensor x = Input({6, 3});
  const LSTM layer{.units = 3, .return_sequences = true};
  check_graph({x}, {layer(layer(x))}, {.time = 6});
}

TEST(LSTM, draws_one_mask_for_each_row_and_feature) {
  // With an identity-like kernel and linear gates, the input's mask shows in the output.
  LSTM layer{.units = 1,
             .activation = Activation::linear,
             .recurrent_activation = Activation::linear,
             .dropout = 0.5,
             .return_sequences = true};
  Trial trial(layer, {{5, 1}}, 64, Mode::train);
  std::fill(trial.runner.weights().begin(), trial.runner.weights().end(), 0.0);
  trial.weight("kernel")[2] = 1;                          // c
  trial.weight("bias")[0] = trial.weight("bias")[3] = 1;  // i and o are 1, f is 0
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

TEST(LSTM, refuses_wrong_arguments) {
  const auto of = [](LSTM layer, Shape shape = {9, 2}) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.units = 0, .name = "memory"}),
            "LSTM \"memory\": units must be at least 1, got 0.");
  EXPECT_EQ(of({.units = 3}, {9}),
            "LSTM: expects an input of shape (time, channels), got (9,). "
            "A recurrent layer before it may need return_sequences = true.");
  EXPECT_EQ(
      of({.units = 3, .dropout = 1.0}),
      "LSTM: dropout must be at least 0 and below 1, got 1. It is the share that is dropped.");
  EXPECT_EQ(of({.units = 3, .recurrent_dropout = -0.5}),
            "LSTM: recurrent_dropout must be at least 0 and below 1, got -0.5. "
            "It is the share that is dropped.");
  EXPECT_EQ(
      of({.units = 3, .activation = Activation::softmax}),
      "LSTM: activation must act on each number by itself, got softmax. Use tanh or sigmoid.");
  EXPECT_EQ(of({.units = 3, .recurrent_activation = Activation::log_softmax}),
            "LSTM: recurrent_activation must act on each number by itself, got log_softmax. "
            "Use tanh or sigmoid.");
}

TEST(LSTM, refuses_initial_states_that_do_not_fit) {
  const Tensor x = Input({9, 2}), three = Input({3}), four = Input({4});
  EXPECT_EQ(refusal([&] {
              LSTM{.units = 4}(x, {four, three});
            }),
            "LSTM: initial_state must be h and c of shape (4,), got (3,). "
            "Take them from an LSTM of as many units with return_state = true.");
  EXPECT_EQ(refusal([&] { LSTM{.units = 4}(x, {four}); }),
            "LSTM: takes x, or x and an initial state of h and c, got 2 inputs.");
}

}  // namespace
}  // namespace sonde
