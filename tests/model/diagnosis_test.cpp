#include <sonde/diagnosis.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::says;

Losses only(const Loss& loss) { return std::vector<Loss>{loss}; }

Array noise(const Shape& shape) {
  Array x(shape);
  std::uint32_t state = 7;
  for (float& each : x.values()) {
    state = state * 1664525u + 1013904223u;
    each = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
  return x;
}

Model last_network() { return make_network("conv-pool-lstm-last", {400, 16}); }

// The case that the program was started for: one label is given for each step, and the network
// makes one for the whole signal (stackoverflow.com/questions/51344610).
TEST(Diagnosis, names_layer_and_shapes_and_says_where_time_went) {
  const Diagnosis d =
      diagnose(last_network(), {.x = {{400, 16}}, .y = {{400, 1}}}, BinaryCrossentropy{});
  EXPECT_FALSE(d.fits());
  EXPECT_EQ(d.where, "Dense \"dense\"");
  EXPECT_PRED2(says, d.what, "(None, 400, 1)");
  EXPECT_PRED2(says, d.what, "(None, 1)");
  EXPECT_EQ(d.time,
            (std::vector<std::string>{"conv1d: 400 → 393 (kernel_size 8, padding \"valid\")",
                                      "max_pooling1d: 393 → 98 (pool_size 4, padding \"valid\")",
                                      "lstm: return_sequences is false, time ends here"}));
}

TEST(Diagnosis, offers_changes_with_shapes_and_parameters) {
  const Diagnosis d =
      diagnose(last_network(), {.x = {{400, 16}}, .y = {{400, 1}}}, BinaryCrossentropy{});
  ASSERT_GE(d.fixes.size(), 3u);
  EXPECT_LE(d.fixes.size(), 5u);
  EXPECT_EQ(d.fixes[0].words(),
            "conv1d: padding = \"same\"; max_pooling1d left out; lstm: return_sequences = true");
  EXPECT_EQ(d.fixes[0].outputs[0], (Shape{400, 1}));
  EXPECT_EQ(d.fixes[0].parameters, 12'481);
  EXPECT_EQ(d.fixes[1].words(), "dense: units = 400; y reshaped to (n, 400)");
  EXPECT_EQ(d.fixes[1].outputs[0], (Shape{400}));
  EXPECT_EQ(d.fixes[1].parameters, 25'648);
  EXPECT_EQ(d.fixes[2].words(),
            "conv1d: padding = \"same\"; lstm: return_sequences = true; UpSampling1D(4) before "
            "dense");
  EXPECT_EQ(d.fixes[2].outputs[0], (Shape{400, 1}));
}

TEST(Diagnosis, of_what_fits_is_empty) {
  const Diagnosis d = diagnose(make_network("conv-lstm", {400, 16}),
                               {.x = {{400, 16}}, .y = {{400, 1}}}, BinaryCrossentropy{});
  EXPECT_TRUE(d.fits());
  EXPECT_TRUE(d.fixes.empty());
  EXPECT_EQ(d.text(), "");
}

TEST(Diagnosis, leaves_the_model_as_it_is_and_gives_its_weights_to_the_fixes) {
  Model model = make_network("conv-pool-lstm-last", {40, 3}, {.filters = 4, .units = 5});
  std::vector<Array> weights = model.get_weights();
  for (Array& each : weights)
    for (float& number : each.values()) number = 0.25f;
  model.set_weights(weights);
  const Diagnosis d = diagnose(model, {.x = {{40, 3}}, .y = {{40, 1}}}, BinaryCrossentropy{});
  ASSERT_FALSE(d.fits());
  const auto of_fix = d.fixes[0].model.get_weights();
  ASSERT_EQ(of_fix.size(), weights.size());
  for (std::size_t w = 0; w < weights.size(); ++w) {
    EXPECT_EQ(of_fix[w].shape(), weights[w].shape());
    for (const float number : of_fix[w].values()) EXPECT_EQ(number, 0.25f);
  }
  // The wide fix has another last layer, with weights of its own.
  const Array own = d.fixes[1].model.get_weights()[5];
  for (const float number : own.values()) EXPECT_NE(number, 0.25f);
  for (const Array& each : model.get_weights()) EXPECT_EQ(each.data()[0], 0.25f);
}

TEST(Diagnosis, keeps_time_open_where_it_was) {
  const Diagnosis d = diagnose(make_network("conv-pool-lstm-last", {dynamic, 3}),
                               {.x = {{40, 3}}, .y = {{40, 1}}}, BinaryCrossentropy{});
  ASSERT_FALSE(d.fits());
  EXPECT_EQ(d.fixes[0].model.graph().input_tensors()[0].shape(), (Shape{dynamic, 3}));
  EXPECT_EQ(d.fixes[0].model.graph().output_tensors()[0].shape(), (Shape{dynamic, 1}));
  EXPECT_EQ(d.fixes[0].outputs[0], (Shape{40, 1}));
}

TEST(Diagnosis, stands_in_what_fit_and_evaluate_throw_before_computing) {
  const Array x = noise({2, 40, 3});
  for (const Loss& loss : {Loss(BinaryCrossentropy{}), Loss(MeanSquaredError{}),
                           Loss(MeanAbsoluteError{}), Loss(Huber{})}) {
    Model model = make_network("conv-pool-lstm-last", {40, 3});
    model.compile({.loss = only(loss)});
    const auto before = model.get_weights();
    for (const std::string& message : {testing::refused_with<DataError>([&] {
                                         model.fit(x, Array({2, 40, 1}));
                                       }),
                                       testing::refused_with<DataError>([&] {
                                         model.evaluate(x, Array({2, 40, 1}));
                                       })}) {
      EXPECT_PRED2(says, message, "Dense \"dense\": targets of shape (None, 40, 1) do not fit");
      EXPECT_PRED2(says, message, "lstm: return_sequences is false, time ends here");
      EXPECT_PRED2(says, message, "  1. conv1d: padding = \"same\"; max_pooling1d left out; ");
    }
    EXPECT_EQ(model.iterations(), 0);
  }
}

TEST(Diagnosis, of_validation_data_comes_before_the_first_epoch) {
  Model model = make_network("conv-lstm", {40, 3});
  model.compile({.loss = BinaryCrossentropy{}});
  const Array x = noise({2, 40, 3}), y({2, 40, 1}), short_y({2, 10, 1});
  const ArraySamples validation({&x}, {&short_y});
  const std::string message = testing::refused_with<DataError>(
      [&] { model.fit(x, y, {.verbose = false, .validation_data = &validation}); });
  EXPECT_PRED2(says, message, "targets of shape (None, 10, 1) do not fit");
  EXPECT_EQ(model.iterations(), 0);
}

TEST(Diagnosis, finds_the_output_of_several_that_does_not_fit) {
  const Tensor x = Input({40, 3});
  const Tensor h = LSTM{.units = 4, .return_sequences = true}(x);
  const Tensor steps = Dense{.units = 1, .activation = Activation::sigmoid, .name = "steps"}(h);
  const Tensor whole = Dense{.units = 2, .name = "whole"}(LSTM{.units = 3, .name = "last"}(h));
  const Model model({x}, {steps, whole});
  const Diagnosis d = diagnose(model, {.x = {{40, 3}}, .y = {{40, 1}, {40, 2}}},
                               {BinaryCrossentropy{}, MeanSquaredError{}});
  EXPECT_EQ(d.where, "Dense \"whole\"");
  ASSERT_FALSE(d.fixes.empty());
  EXPECT_EQ(d.fixes[0].words(), "lstm \"last\": return_sequences = true");
  EXPECT_EQ(d.fixes[0].outputs, (std::vector<Shape>{{40, 1}, {40, 2}}));
}

TEST(Diagnosis, of_a_model_in_a_model_does_not_touch_its_weights) {
  const Tensor x = Input({40, 3});
  Model inner(x, LSTM{.units = 4, .return_sequences = true}(x), {.name = "inner"});
  const Tensor y = Input({40, 3});
  const Model outer(y, Dense{.units = 1}(LSTM{.units = 2}(inner(y))));
  const auto before = inner.get_weights();
  Diagnosis d = diagnose(outer, {.x = {{40, 3}}, .y = {{40, 1}}}, MeanSquaredError{});
  ASSERT_FALSE(d.fixes.empty());
  Fix& fix = d.fixes[0];
  fix.model.compile({.loss = MeanSquaredError{}});
  fix.model.fit(noise({2, 40, 3}), fix.change_y(noise({2, 40, 1})), {.verbose = false});
  const auto after = inner.get_weights();
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t w = 0; w < before.size(); ++w)
    for (Index i = 0; i < before[w].size(); ++i) EXPECT_EQ(before[w].data()[i], after[w].data()[i]);
}

TEST(Diagnosis, changes_weights_of_steps_along_with_the_steps) {
  const Diagnosis d = diagnose(make_network("conv-lstm", {40, 3}),
                               {.x = {{40, 3}}, .y = {{10, 1}}, .labels = {}, .weights = {10}},
                               BinaryCrossentropy{});
  ASSERT_FALSE(d.fixes.empty());
  EXPECT_EQ(d.fixes[0].words(), "each label of y repeated 4 times: (n, 40, 1)");
  EXPECT_EQ(d.fixes[0].change_weights(Array({2, 10})).shape(), (Shape{2, 40}));
  EXPECT_EQ(d.fixes[0].change_weights(Array({2})).shape(), (Shape{2}));
  EXPECT_EQ(d.fixes[0].change_weights(Array({2, 1})).shape(), (Shape{2, 1}));
}

TEST(Diagnosis, stands_in_what_Sequential_throws) {
  const std::string message = testing::refused_with<ArgumentError>([] {
    Sequential(Input({40, 3}), {LSTM{.units = 4}, LSTM{.units = 2}, Dense{.units = 1}});
  });
  EXPECT_PRED2(says, message, "LSTM: expects an input of shape (time, channels), got (4,).");
  EXPECT_PRED2(says, message, "  lstm: return_sequences is false, time ends here");
  EXPECT_PRED2(says, message, "  1. lstm: return_sequences = true\n     → output (None, 1), 187 p");
  // With any number of steps too.
  EXPECT_PRED2(says, testing::refused_with<ArgumentError>([] {
                 Sequential(Input({dynamic, 3}), {GRU{.units = 4}, Conv1D{2, 3}});
               }),
               "  1. gru: return_sequences = true\n");
}

TEST(Diagnosis, changes_no_argument_twice) {
  const Diagnosis d = diagnose({40, 3}, {LSTM{.units = 4}, LSTM{.units = 4}, Dense{.units = 1}},
                               {.x = {{40, 3}}, .y = {{40, 1}}}, MeanSquaredError{});
  for (const Fix& fix : d.fixes) {
    EXPECT_FALSE(says(fix.words(), "true") && says(fix.words(), "false")) << fix.words();
    for (const Fix& other : d.fixes)
      EXPECT_TRUE(&fix == &other || fix.parameters != other.parameters ||
                  fix.outputs != other.outputs)
          << fix.words();
  }
}

}  // namespace
}  // namespace sonde
