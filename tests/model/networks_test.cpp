#include <gtest/gtest.h>

#include <sonde/networks.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;

Index parameters(const Model& model) {
  Index count = 0;
  for (const Array& weights : model.get_weights()) count += weights.size();
  return count;
}

const Shape& output(const Model& model) { return model.graph().output_tensors()[0].shape(); }

// Parameter counts are Keras' for the same layers.
TEST(Networks, have_the_shapes_and_parameters_of_their_Keras_twins) {
  struct Expected {
    std::string_view name;
    Index parameters;
    Shape output;
  };
  const Expected all[] = {{"conv-lstm", 12'481, {400, 1}},
                          // Conv1D twice, 4 * 32 * (32 + 32 + 1) and (64 + 32 + 1) both ways.
                          {"conv-bilstm", 4'128 + 8'224 + 16'640 + 24'832 + 65, {400, 1}},
                          {"conv-pool-lstm-last", 12'481, {1}},
                          {"conv-pool-lstm-wide", 25'648, {400}},
                          {"conv-pool-lstm-up", 4'128 + 8'320 + 8'224 + 33, {400, 1}},
                          {"spatial-conv-lstm", 288 + 8'320 + 33, {400, 1}},
                          {"temporal-spatial-conv-lstm", 4'128 + 288 + 8'320 + 33, {400, 1}},
                          {"encoder-decoder", 6'272 + 4'480 + 33, {400, 1}}};
  ASSERT_EQ(networks().size(), std::size(all));
  for (const Expected& each : all) {
    const Model model = make_network(each.name, {400, 16});
    EXPECT_EQ(parameters(model), each.parameters) << each.name;
    EXPECT_EQ(output(model), each.output) << each.name;
    EXPECT_EQ(find_network(each.name).labels_steps, each.output.rank() == 2);
  }
}

TEST(Networks, take_signals_of_any_length_where_the_layers_do) {
  for (const char* name : {"conv-lstm", "conv-bilstm", "conv-pool-lstm-up", "spatial-conv-lstm",
                           "temporal-spatial-conv-lstm", "encoder-decoder"})
    EXPECT_EQ(output(make_network(name, {dynamic, 3}))[0], dynamic) << name;
}

TEST(Networks, conv_bilstm_is_as_deep_as_it_is_asked_to_be) {
  const auto layers = [](NetworkOptions options) {
    return make_network("conv-bilstm", {dynamic, 3}, options).graph().layers().size();
  };
  EXPECT_EQ(layers({.conv_layers = 1, .lstm_layers = 1}) + 3,
            layers({.conv_layers = 3, .lstm_layers = 2}));
  EXPECT_EQ(layers({.dropout = 0.2}), layers({}) + 4);
  EXPECT_EQ(refused_with<ArgumentError>([] {
              make_network("conv-lstm", {dynamic, 3}, {.lstm_layers = 2});
            }),
            "conv-lstm: has one convolution, one LSTM and no dropout. Use conv-bilstm for more.");
  EXPECT_THROW(make_network("conv-bilstm", {dynamic, 3}, {.conv_layers = -1}), ArgumentError);
}

TEST(Networks, give_as_many_outputs_as_there_are_classes) {
  const NetworkOptions options{.outputs = 5, .activation = ActivationFunction::softmax};
  EXPECT_EQ(output(make_network("conv-lstm", {40, 3}, options)), (Shape{40, 5}));
  EXPECT_EQ(output(make_network("conv-pool-lstm-last", {40, 3}, options)), (Shape{5}));
}

TEST(Networks, walk_across_as_many_channels_as_there_are) {
  const auto kernel_width = [](const Shape& input) {
    return make_network("spatial-conv-lstm", input, {.kernel_size = 8}).get_weights()[0].shape()[1];
  };
  EXPECT_EQ(kernel_width({400, 16}), 8);
  EXPECT_EQ(kernel_width({400, 3}), 3);
}

TEST(Networks, take_signals_that_have_the_axis_for_Conv2D) {
  const Model with = make_network("spatial-conv-lstm", {400, 16, 1}),
              without = make_network("spatial-conv-lstm", {400, 16});
  EXPECT_EQ(output(with), output(without));
  EXPECT_EQ(parameters(with), parameters(without));
}

TEST(Networks, of_two_inputs_read_the_label_before_and_a_mark_of_the_start) {
  const Model model =
      make_network("encoder-decoder", {400, 16},
                   {.outputs = 4, .label_steps = 50, .activation = ActivationFunction::softmax});
  EXPECT_EQ(model.graph().input_tensors()[1].shape(), (Shape{50, 5}));
  EXPECT_EQ(output(model), (Shape{50, 4}));
}

TEST(Networks, draw_the_same_weights_from_the_same_seed_only) {
  const auto first = [](std::uint64_t seed) {
    return make_network("conv-lstm", {40, 3}, {.seed = seed}).get_weights()[0](0, 0, 0);
  };
  EXPECT_EQ(first(5), first(5));
  EXPECT_NE(first(5), first(6));
}

TEST(Networks, refuse_what_cannot_be_built) {
  EXPECT_EQ(refused_with<ArgumentError>([] {
              make_network("conv-lsmt", {400, 16});
            }),
            "network: \"conv-lsmt\" is not known. Did you mean \"conv-lstm\"?");
  EXPECT_EQ(
      refused_with<ArgumentError>([] { make_network("conv-lstm", {400}); }),
      "conv-lstm: samples must be of shape (time, channels), got (400,). A single recording of one "
      "channel is (time, 1).");
  EXPECT_EQ(refused_with<ArgumentError>([] {
              make_network("conv-lstm", {400, dynamic});
            }),
            "conv-lstm: the number of channels must be known.");
  EXPECT_EQ(
      refused_with<ArgumentError>([] {
        make_network("conv-pool-lstm-up", {398, 16});
      }),
      "conv-pool-lstm-up: the number of steps must be a multiple of pool_size = 4, got 398. Cut "
      "the signals to 396 steps, or use conv-lstm.");
  EXPECT_EQ(
      refused_with<ArgumentError>([] {
        make_network("conv-pool-lstm-wide", {dynamic, 16});
      }),
      "conv-pool-lstm-wide: needs a fixed number of steps, because its last layer has one unit "
      "for each. Use conv-lstm for signals of any length.");
  EXPECT_EQ(refused_with<ArgumentError>([] {
              make_network("conv-pool-lstm-wide", {400, 16}, {.outputs = 3});
            }),
            "conv-pool-lstm-wide: gives one number for each step, not 3. Use conv-lstm or "
            "conv-pool-lstm-up for classes.");
}

}  // namespace
}  // namespace sonde
