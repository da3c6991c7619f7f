#include <gtest/gtest.h>

#include <sonde/cost.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

#include "tests/support/files.hpp"

// Operations are counted by hand here, two for each multiply-add, from the sizes alone.
namespace sonde {
namespace {

Cost cost(const Tensor& input, const std::vector<AnyLayer>& layers, CostOptions options = {}) {
  return cost_of(Sequential(input, layers), options);
}

TEST(Cost, of_the_typical_network_is_that_of_its_roofline) {
  const Cost all = cost_of(make_network("conv-lstm", {400, 16}));
  EXPECT_EQ(all.forward, 400 * 24'640.0);
  EXPECT_EQ(all.backward, 400 * 41'088.0);
  EXPECT_EQ(all.weights, 4 * 12'481);
}

TEST(Cost, of_a_first_layer_has_no_gradient_of_the_signal_but_one_of_the_state) {
  const double kernel = 2 * 3 * 20, recurrent = 2 * 5 * 20;  // 3 channels, 4 gates of 5 units
  const LSTM lstm{.units = 5, .return_sequences = true};
  const Cost first = cost(Input({7, 3}), {lstm});
  EXPECT_EQ(first.forward, 7 * (kernel + recurrent));
  EXPECT_EQ(first.backward, 7 * (kernel + 2 * recurrent));
  const double conv = 2 * 2 * 3 * 3;
  const Cost second =
      cost(Input({7, 3}), {Conv1D{.filters = 3, .kernel_size = 2, .padding = Padding::same}, lstm});
  EXPECT_EQ(second.backward, 7 * (2 * kernel + 2 * recurrent + conv));
}

TEST(Cost, counts_no_gradients_that_nobody_needs) {
  const Conv1D frozen{.filters = 4, .kernel_size = 2, .padding = Padding::same, .trainable = false};
  EXPECT_EQ(cost(Input({7, 3}), {frozen, Dense{.units = 1}}).backward, 7 * 2 * 4.0);
  const Dense last{.units = 1, .trainable = false};
  EXPECT_EQ(cost(Input({7, 3}), {Dense{.units = 4}, last}).backward, 7 * (2 * 4 + 2 * 12.0));
  EXPECT_EQ(cost(Input({7, 3}), {Dense{.units = 4}}, {.mode = Mode::infer}).backward, 0);
}

TEST(Cost, of_a_walk_over_time_is_that_of_every_step_whatever_comes_out) {
  const double gru = 9 * 2 * 15 * (3 + 5.0);  // its bias of two rows is no kernel
  EXPECT_EQ(cost(Input({9, 3}), {GRU{.units = 5}}).forward, gru);
  EXPECT_EQ(cost(Input({9, 3}), {GRU{.units = 5, .return_sequences = true}}).forward, gru);
  EXPECT_EQ(cost(Input({9, 3}), {Bidirectional{.layer = GRU{.units = 5}}}).forward, 2 * gru);
  EXPECT_EQ(cost(Input({9, 3}), {SimpleRNN{.units = 5}}).forward, 9 * 2 * 5 * (3 + 5.0));
}

TEST(Cost, of_a_convolution_is_that_of_the_steps_that_come_out) {
  const Conv1D sparse{.filters = 4, .kernel_size = 3, .strides = 2};
  EXPECT_EQ(cost(Input({9, 6}), {sparse}).forward, 4 * 2 * 3 * 6 * 4.0);
  const Conv1D grouped{.filters = 4, .kernel_size = 3, .padding = Padding::same, .groups = 2};
  EXPECT_EQ(cost(Input({9, 6}), {grouped}).forward, 9 * 2 * 3 * 3 * 4.0);
  const Conv1DTranspose spreads{.filters = 4, .kernel_size = 3, .strides = 2};
  EXPECT_EQ(cost(Input({9, 6}), {spreads}).forward, 9 * 2 * 3 * 6 * 4.0);
  const Conv2D plane{.filters = 4, .kernel_size = {2, 3}};
  EXPECT_EQ(cost(Input({9, 6, 5}), {plane}).forward, 8 * 4 * 2 * 2 * 3 * 5 * 4.0);
  const SeparableConv1D apart{.filters = 4, .kernel_size = 3, .padding = Padding::same};
  EXPECT_EQ(cost(Input({9, 6}), {apart}).forward, 9 * 2 * (3 * 6 + 6 * 4.0));
}

TEST(Cost, of_steps_that_are_signals_themselves_is_that_of_all_of_them) {
  const Cost all = cost(Input({9, 7, 3}), {TimeDistributed{.layer = LSTM{.units = 5}}});
  EXPECT_EQ(all.forward, 9 * 7 * 2 * 20 * (3 + 5.0));
}

TEST(Cost, of_what_is_no_product_is_nothing) {
  const Cost none = cost(Input({9}), {Embedding{.input_dim = 20, .output_dim = 4},
                                      BatchNormalization{}, PReLU{}, MaxPooling1D{.pool_size = 3}});
  EXPECT_EQ(none.forward, 0);
  EXPECT_EQ(none.backward, 0);
}

TEST(Cost, in_bytes_grows_with_what_is_kept) {
  const Model model = make_network("conv-lstm", {400, 16});
  const Cost train = cost_of(model), infer = cost_of(model, {.mode = Mode::infer});
  // i, f, c~ and o of each step wait for backward in every row of a shard of four.
  EXPECT_GE(train.arena, 4 * 400 * 4 * 32 * 4);
  EXPECT_LT(infer.arena, train.arena);
  EXPECT_EQ(train.weights, infer.weights);
  EXPECT_GE(train.packed, train.weights / 2);
  EXPECT_EQ(cost_of(model, {.batch_size = 64}).arena,
            train.arena);  // shards of 4 rows, twice as many
  EXPECT_EQ(cost_of(model, {.batch_size = 128}).arena, cost_of(model, {.batch_size = 100}).arena);
  EXPECT_GT(cost_of(model, {.batch_size = 128}).arena, train.arena);
  EXPECT_EQ(train.states, 0);
}

TEST(Cost, of_a_stream_is_that_of_one_step_in_bytes_and_of_the_signal_in_operations) {
  const Model model = make_network("conv-lstm", {400, 16});
  const Cost stream = cost_of(model, {.mode = Mode::stream});
  const Cost infer = cost_of(model, {.mode = Mode::infer});
  EXPECT_EQ(stream.forward, infer.forward);
  EXPECT_EQ(stream.backward, 0);
  EXPECT_LT(stream.arena, infer.arena / 100);
  EXPECT_GE(stream.states, 4 * (2 * 32 + 7 * 16));  // h, c, and what the window still needs
}

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Cost, refuses_what_it_cannot_count) {
  EXPECT_EQ(
      refusal([] {
        cost(Input({dynamic, 3}), {Dense{.units = 1}});
      }),
      "cost_of: the number of steps must be known, got an input of shape (None, 3). Count the "
      "same layers over an Input of fixed length.");
  EXPECT_EQ(refusal([] {
              cost(Input({7, 3}), {Dense{.units = 1}}, {.batch_size = 0});
            }),
            "cost_of: batch_size must be at least 1, got 0. Use that of fit.");
  EXPECT_PRED2(testing::says, refusal([] {
                 cost(Input({7, 3}), {Flatten{}}, {.mode = Mode::stream});
               }),
               "cannot stream");
}

TEST(MultiplyAddPeak, is_measured_on_the_threads_asked_for) {
  const Peak one = multiply_add_peak(1);
  EXPECT_EQ(one.threads, 1);
  EXPECT_GT(one.operations, 1e7);   // a loop that counted what it left out would be
  EXPECT_LT(one.operations, 2e12);  // faster than any core
}

}  // namespace
}  // namespace sonde
