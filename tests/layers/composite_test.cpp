#include <cmath>
#include <sonde/layers/functional.hpp>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

const LSTM sequences{.units = 3, .return_sequences = true};

TEST(TimeDistributed, obeys_its_laws) {
  check_laws(TimeDistributed{.layer = Dense{.units = 2, .activation = Activation::tanh}});
  check_laws(TimeDistributed{.layer = LSTM{.units = 2}}, {.time = 5, .shapes = {{5, 4, 3}}});
  check_laws(TimeDistributed{.layer = Conv1D{.filters = 2, .kernel_size = 3}},
             {.time = 7, .shapes = {{7, 5, 2}}});
  check_laws(TimeDistributed{.layer = TimeDistributed{.layer = LSTM{.units = 2}}},
             {.time = 3, .shapes = {{3, 2, 4, 2}}});
}

TEST(TimeDistributed, does_to_each_step_what_the_layer_does_to_a_sample) {
  const MaxPooling1D pool{.pool_size = 2};
  EXPECT_EQ(evaluate(TimeDistributed{.layer = pool}, {2, 4, 1}, {1, 5, 3, 2, 8, 7, 9, 6}),
            (Numbers{5, 3, 8, 9}));
  EXPECT_EQ(TimeDistributed{.layer = LSTM{.units = 8}}(Input({400, 16, 4})).shape(),
            (Shape{400, 8}));
}

TEST(TimeDistributed, shares_one_set_of_weights) {
  const Tensor x = Input({5, 4, 3});
  const Graph graph({x}, {TimeDistributed{.layer = LSTM{.units = 2}, .name = "each"}(x)});
  const auto block = graph.weights(1);
  ASSERT_EQ(block->entries().size(), 3u);
  EXPECT_EQ(block->entries()[0].path(), "each/lstm/kernel");
  EXPECT_EQ(block->entries()[0].shape, (Shape{3, 8}));
  EXPECT_EQ(graph.entries(), (std::vector<Index>{0, 1, 2}));
}

TEST(TimeDistributed, drops_anew_at_each_step) {
  const TimeDistributed drop{.layer = Dropout{.rate = 0.5}};
  Trial trial(drop, {{64, 1}}, 1, Mode::train);
  const Numbers y = trial({Numbers(64, 1.0)}).front();
  EXPECT_GT(std::count(y.begin(), y.end(), 0.0), 10);
  EXPECT_GT(std::count(y.begin(), y.end(), 2.0), 10);
}

TEST(TimeDistributed, that_is_frozen_leaves_the_statistics_of_the_batch_alone) {
  const auto trained = [](bool trainable, bool inner_trainable) {
    const BatchNormalization norm{.epsilon = 0.25, .trainable = inner_trainable};
    Trial trial(TimeDistributed{.layer = norm, .trainable = trainable}, {{2, 2, 1}}, 1,
                Mode::train);
    return trial({{3, 3, 6, 6}}).front();
  };
  // The first moving statistics: mean 0, variance 1.
  const auto expect_moving = [&](const Numbers& y) {
    ASSERT_EQ(y.size(), 4u);
    EXPECT_NEAR(y[0], 3 / std::sqrt(1.25), 1e-12);
    EXPECT_NEAR(y[3], 6 / std::sqrt(1.25), 1e-12);
  };
  expect_moving(trained(false, true));
  expect_moving(trained(true, false));
  EXPECT_NEAR(trained(true, true)[0], -1.5 / std::sqrt(2.25 + 0.25), 1e-12);
}

TEST(TimeDistributed, refuses_what_it_cannot_apply) {
  EXPECT_EQ(refusal([] { TimeDistributed{.layer = Dense{.units = 1}}(Input({4})); }),
            "TimeDistributed: expects an input of shape (time, …), got (4,).");
  EXPECT_EQ(refusal([] {
              TimeDistributed{.layer = LSTM{.units = 1, .return_state = true}}(Input({4, 3, 2}));
            }),
            "TimeDistributed: its layer gives 3 outputs, and can only give one. Use return_state = "
            "false.");
}

TEST(Bidirectional, obeys_its_laws) {
  check_laws(Bidirectional{.layer = sequences}, {.streams = false});
  check_laws(Bidirectional{.layer = LSTM{.units = 2}}, {.streams = false});
  for (const MergeMode mode : {MergeMode::sum, MergeMode::mul, MergeMode::ave})
    check_laws(Bidirectional{.layer = sequences, .merge_mode = mode}, {.streams = false});
  check_laws(Bidirectional{.layer = sequences, .merge_mode = std::nullopt}, {.streams = false});
  check_laws(
      Bidirectional{.layer = LSTM{.units = 2, .return_sequences = true, .return_state = true}},
      {.streams = false});
}

TEST(Bidirectional, takes_states_for_each_direction) {
  const Bidirectional both{.layer = LSTM{.units = 2, .return_state = true}};
  const Tensor x = Input({6, 3});
  std::vector<Tensor> states;
  for (int i = 0; i < 4; ++i) states.push_back(Input({2}));
  const auto y = both.outputs(x, states);
  ASSERT_EQ(y.size(), 5u);
  EXPECT_EQ(y[0].shape(), (Shape{4}));
  std::vector<Tensor> inputs{x};
  inputs.insert(inputs.end(), states.begin(), states.end());
  check_graph(inputs, y, {.time = 6, .streams = false});
}

TEST(Bidirectional, names_its_weights_as_Keras_does) {
  const Tensor x = Input({6, 3});
  const Graph graph({x}, {Bidirectional{.layer = sequences}(x)});
  const auto block = graph.weights(1);
  std::vector<std::string> paths;
  for (const Index e : graph.entries())
    paths.push_back(block->entries()[static_cast<std::size_t>(e)].path());
  EXPECT_EQ(
      paths,
      (std::vector<std::string>{
          "bidirectional/forward_lstm/kernel", "bidirectional/forward_lstm/recurrent_kernel",
          "bidirectional/forward_lstm/bias", "bidirectional/backward_lstm/kernel",
          "bidirectional/backward_lstm/recurrent_kernel", "bidirectional/backward_lstm/bias"}));
}

TEST(Bidirectional, refuses_layers_that_do_not_fit) {
  EXPECT_EQ(refusal([] {
              Bidirectional{.layer = Dense{.units = 2}}(Input({4, 1}));
            }),
            "Bidirectional: needs a recurrent layer, got Dense. Use LSTM, GRU, SimpleRNN or RNN.");
  EXPECT_EQ(
      refusal([] {
        Bidirectional{.layer = LSTM{.units = 2}, .backward_layer = LSTM{.units = 2}}(Input({4, 1}));
      }),
      "Bidirectional: its two layers walk time in the same direction: one needs "
      "go_backwards.");
}

TEST(Masking, obeys_its_laws) { check_laws(Masking{}); }

TEST(Masking, leaves_only_steps_that_differ_from_its_value) {
  const Tensor x = Input({4, 2});
  const Tensor masked = Masking{.mask_value = -1}(x);
  EXPECT_TRUE(masked.masked());
  EXPECT_FALSE(masked.without_mask().masked());
  EXPECT_EQ(evaluate(Masking{.mask_value = -1}, {4, 2}, {-1, -1, -1, 2, 3, 4, -1, -1}),
            (Numbers{0, 0, -1, 2, 3, 4, 0, 0}));
}

TEST(Masking, is_refused_by_layers_that_would_drop_it) {
  const Tensor x = Masking{}(Input({8, 2}));
  EXPECT_EQ(refusal([&] { Conv1D{.filters = 1, .kernel_size = 2}(x); }),
            "Conv1D: its input has a mask, which this layer would drop: padded steps would count "
            "again. Put it before Masking, or call it on x.without_mask().");
  EXPECT_FALSE((Conv1D{.filters = 1, .kernel_size = 2}(x.without_mask()).masked()));
}

TEST(Masking, goes_on_through_layers_that_work_step_by_step) {
  const Tensor x = Masking{}(Input({8, 2}));
  EXPECT_TRUE((Dense{.units = 3}(x).masked()));
  EXPECT_TRUE((Dropout{.rate = 0.1}(x).masked()));
  EXPECT_TRUE((Activation{.activation = Activation::relu}(x).masked()));
  EXPECT_TRUE((BatchNormalization{}(x).masked()));
  EXPECT_TRUE((LayerNormalization{}(x).masked()));
  EXPECT_TRUE((Add{}({x, x}).masked()));
  EXPECT_TRUE((Concatenate{}({x, x}).masked()));
  EXPECT_TRUE((Concatenate{.axis = 1}({x, Input({8, 2})}).masked()));
  EXPECT_FALSE(GlobalAveragePooling1D{}(x).masked());
  EXPECT_TRUE((TimeDistributed{.layer = Dense{.units = 3}}(x).masked()));
}

TEST(Masking, joined_with_what_counts_everywhere_would_be_lost) {
  const Tensor x = Masking{}(Input({8, 2})), all = Input({8, 2});
  for (const auto& join :
       {+[](std::vector<Tensor> both) { return Add{}(std::move(both)); },
        +[](std::vector<Tensor> both) { return Concatenate{}(std::move(both)); }})
    EXPECT_NE(refusal([&] { join({x, all}); }).find("its input has a mask"), std::string::npos);
}

TEST(Masking, of_a_concatenation_counts_where_any_part_counts) {
  // keras.layers.Concatenate.compute_mask of 3.15.1.
  const Tensor x = Input({3, 1}), z = Input({3, 1});
  const Graph graph({x, z},
                    {GlobalAveragePooling1D{}(Concatenate{}({Masking{}(x), Masking{}(z)}))});
  PlanRunner<double> runner(graph, *graph.weights(1), {.rows = 1});
  const auto y = runner.forward({from_rows({3, 1}, 1, {2, 0, 0}), from_rows({3, 1}, 1, {4, 6, 0})});
  EXPECT_EQ(to_rows(y[0]), (Numbers{1, 5}));
}

TEST(Masking, goes_on_inside_a_model_that_is_a_layer) {
  const Tensor inside = Input({4, 1});
  const Graph inner({inside}, {GlobalAveragePooling1D{}(inside)});
  const Functional model{.graph = std::make_shared<const Graph>(inner), .name = "inner"};
  const Tensor x = Input({4, 1});
  const Graph graph({x}, {apply(model, {Masking{}(x)}).front()});
  PlanRunner<double> runner(graph, *graph.weights(1), {.rows = 1});
  EXPECT_EQ(to_rows(runner.forward({from_rows({4, 1}, 1, {1, 0, 5, 0})})[0]), (Numbers{3}));
}

TEST(Masking, keeps_all_laws_of_what_follows) {
  const Tensor x = Input({9, 2}), z = Input({9, 2});
  const Tensor masked = Masking{.mask_value = 0.5}(x), other = Masking{.mask_value = 0.25}(z);
  const Tensor sum = Add{}({masked, other}), joined = Concatenate{}({masked, other});
  check_graph({x, z}, {Dense{.units = 2}(sum), GlobalAveragePooling1D{}(joined)},
              {.time = 9, .streams = false});
}

TEST(Masking, keeps_its_laws_where_nobody_reads_the_mask) {
  const Tensor x = Input({9, 1});
  const Tensor some = Masking{}(Activation{.activation = Activation::relu}(Dense{.units = 1}(x)));
  Tensor y = some.without_mask();
  for (int i = 0; i < 4; ++i) y = Dense{.units = 1, .activation = Activation::tanh}(y);
  check_graph({x}, {y}, {.time = 9});
}

TEST(Masking, makes_a_mean_over_the_steps_that_count) {
  const Tensor x = Input({4, 1});
  const Graph graph({x}, {GlobalAveragePooling1D{}(Masking{}(x))});
  PlanRunner<double> runner(graph, *graph.weights(1), {.rows = 2});
  const auto y = runner.forward({from_rows({4, 1}, 2, {1, 0, 5, 0, 0, 0, 0, 0})});
  EXPECT_EQ(to_rows(y[0]), (Numbers{3, 0}));
}

TEST(Masking, keeps_padding_out_of_batch_statistics) {
  const Tensor x = Input({2, 1});
  const Tensor y = BatchNormalization{.center = false, .scale = false}(Masking{}(x));
  const Graph graph({x}, {y});
  PlanRunner<double> runner(graph, *graph.weights(1), {.mode = Mode::train, .rows = 2});
  const Numbers all =
      to_rows(runner.forward({from_rows({2, 1}, 2, {1, 0, 3, 0})})[0]);  // mean 2, variance 1
  EXPECT_NEAR(all[0], -1, 1e-3);
  EXPECT_NEAR(all[2], 1, 1e-3);
  EXPECT_NEAR(all[1], -2, 2e-3) << "padding is normalised by the same statistics";
}

}  // namespace
}  // namespace sonde
