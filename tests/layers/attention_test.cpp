#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

constexpr auto concat = AttentionScoreMode::concat;

/// Inputs of these shapes; attention never streams.
LawOptions of(std::vector<Shape> shapes, bool any_length = false) {
  return {.time = 7, .shapes = std::move(shapes), .streams = false, .any_length = any_length};
}

template <class Layer>
void check_arguments(Layer layer) {
  check_laws(layer, of({{7, 3}, {5, 3}}));
  check_laws(layer, of({{7, 3}, {5, 2}, {5, 3}}));
  layer.use_causal_mask = true;
  check_laws(Layer(layer), of({{7, 2}, {7, 2}}, true));
  check_laws(Layer(layer), of({{7, 2}, {5, 2}}));
  layer.dropout = 0.4;
  layer.return_attention_scores = true;
  check_laws(Layer(layer), of({{7, 2}, {7, 2}}));
}

TEST(Attention, obeys_its_laws) {
  check_arguments(Attention{});
  check_arguments(Attention{.use_scale = true, .seed = 3});
  check_arguments(Attention{.score_mode = concat});
  check_arguments(Attention{.use_scale = true, .score_mode = concat});
  check_laws(Attention{}, of({{18, 17}, {19, 17}}));
}

TEST(AdditiveAttention, obeys_its_laws) {
  check_arguments(AdditiveAttention{});
  check_arguments(AdditiveAttention{.use_scale = false});
}

TEST(MultiHeadAttention, obeys_its_laws) {
  check_arguments(MultiHeadAttention{.num_heads = 2, .key_dim = 3});
  check_arguments(MultiHeadAttention{
      .num_heads = 3, .key_dim = 2, .value_dim = 4, .use_bias = false, .output_shape = 5});
  check_arguments(MultiHeadAttention{.num_heads = 2, .key_dim = 2, .use_gate = true});
  check_laws(MultiHeadAttention{.num_heads = 2, .key_dim = 2, .sliding_window = 3},
             of({{7, 3}, {7, 3}}, true));
  check_laws(
      MultiHeadAttention{
          .num_heads = 1, .key_dim = 2, .sliding_window = 2, .use_causal_mask = true},
      of({{7, 3}, {6, 3}}));
  check_laws(MultiHeadAttention{.num_heads = 2, .key_dim = 9}, of({{18, 17}, {19, 18}}));
}

/// Steps at which relu leaves nothing are masked: about half of them, but never the first.
Tensor half_masked(const Tensor& x, Index width) {
  const auto some = [&](Slice steps, ActivationFunction function) {
    return Activation{.activation = function}(GetItem{.key = std::vector{steps}}(x));
  };
  const Tensor joined = Concatenate{.axis = 1}(
      {some({.stop = 1}, Activation::softplus), some({.start = 1}, Activation::relu)});
  return Dense{.units = width}(Masking{}(joined));
}

template <class Layer>
void check_masked(const Layer& base) {
  SCOPED_TRACE(Layer::type);
  const Tensor x = Input({7, 1}), z = Input({5, 1});
  for (const bool query_masked : {false, true})
    for (const bool value_masked : {false, true})
      for (const bool is_causal : {false, true}) {
        Layer layer = base;
        layer.use_causal_mask = is_causal;
        const Tensor query = half_masked(x, 3), value = half_masked(z, 3);
        const auto y =
            layer.outputs({query_masked ? query : query.without_mask(),
                           value_masked ? value : value.without_mask(), half_masked(z, 3)});
        EXPECT_EQ(y.front().masked(), query_masked);
        std::vector<Tensor> ends;
        for (const Tensor& each : y)
          ends.push_back(Activation{.activation = Activation::linear}(each));
        check_graph({x, z}, ends,
                    {.time = 7, .shapes = {{7, 1}, {5, 1}}, .streams = false, .kernels = 1e-3});
      }
}

TEST(Attention, keeps_its_laws_under_masks) {
  check_masked(Attention{.use_scale = true});
  check_masked(Attention{.dropout = 0.4, .return_attention_scores = true});
  check_masked(AdditiveAttention{});
  check_masked(MultiHeadAttention{.num_heads = 2, .key_dim = 2});
  check_masked(MultiHeadAttention{.num_heads = 2, .key_dim = 2, .dropout = 0.4, .use_gate = true});
  check_masked(MultiHeadAttention{.num_heads = 2, .key_dim = 2, .return_attention_scores = true});
}

TEST(Attention, reads_its_scores_alone) {
  // Nothing comes back through the first output.
  const Tensor x = Input({6, 2});
  for (const bool use_scale : {false, true})
    check_graph(
        {x},
        {Attention{.use_scale = use_scale, .return_attention_scores = true}.outputs({x, x})[1]},
        {.time = 6, .streams = false});
  check_graph(
      {x},
      {MultiHeadAttention{.num_heads = 2, .key_dim = 2, .return_attention_scores = true}.outputs(
          {x, x})[1]},
      {.time = 6, .streams = false});
}

TEST(MultiHeadAttention, attends_to_itself) {
  const Tensor x = Input({dynamic, 4});
  const Tensor y = MultiHeadAttention{.num_heads = 2, .key_dim = 3, .use_gate = true}(x, x);
  check_graph({x}, {Add{}({x, y})}, {.time = 9, .streams = false});
}

TEST(Attention, takes_the_mean_that_the_softmax_weighs) {
  // Scores of the one query step: 0 and ln 3, so the weights are 1/4 and 3/4.
  const double ln3 = std::log(3.0);
  Trial trial(Attention{.return_attention_scores = true}, {{1, 1}, {2, 2}, {2, 1}}, 1);
  const auto y = trial({{2}, {1, 8, 5, 0}, {0, ln3 / 2}});
  EXPECT_TRUE(near(y[0], Numbers{4, 2}, 1e-12));
  EXPECT_TRUE(near(y[1], Numbers{0.25, 0.75}, 1e-12));
}

TEST(Attention, that_is_causal_sees_no_later_step) {
  const Numbers y = Trial(Attention{.return_attention_scores = true, .use_causal_mask = true},
                          {{3, 1}, {3, 1}}, 1)({{0, 0, 0}, {6, 2, 1}})[0];
  EXPECT_TRUE(near(y, Numbers{6, 4, 3}, 1e-12));
}

TEST(MultiHeadAttention, with_a_sliding_window_sees_near_steps_only) {
  const auto scores = [](bool is_causal) {
    return Trial(MultiHeadAttention{.num_heads = 1,
                                    .key_dim = 1,
                                    .sliding_window = 2,
                                    .kernel_initializer = Zeros{},
                                    .return_attention_scores = true,
                                    .use_causal_mask = is_causal},
                 {{3, 1}, {3, 1}}, 1)({{1, 2, 3}, {1, 2, 3}})[1];
  };
  const double third = 1.0 / 3;
  EXPECT_TRUE(near(scores(false), Numbers{.5, .5, 0, third, third, third, 0, .5, .5}, 1e-12));
  EXPECT_TRUE(near(scores(true), Numbers{1, 0, 0, .5, .5, 0, 0, .5, .5}, 1e-12));
}

TEST(MultiHeadAttention, has_keras_weights_in_keras_order) {
  const Tensor q = Input({7, 6}), v = Input({5, 4}), k = Input({5, 3});
  const MultiHeadAttention layer{
      .num_heads = 2, .key_dim = 3, .value_dim = 8, .output_shape = 9, .use_gate = true};
  const Tensor y = layer(q, v, k);
  EXPECT_EQ(y.shape(), (Shape{7, 9}));
  const Graph graph({q, v, k}, {y});
  std::vector<std::pair<std::string, Shape>> weights;
  for (const WeightEntry& each : graph.weights(1)->entries())
    weights.emplace_back(each.name, each.shape);
  EXPECT_EQ(weights,
            (std::vector<std::pair<std::string, Shape>>{{"query/kernel", {6, 2, 3}},
                                                        {"query/bias", {2, 3}},
                                                        {"key/kernel", {3, 2, 3}},
                                                        {"key/bias", {2, 3}},
                                                        {"gate/kernel", {6, 2, 8}},
                                                        {"gate/bias", {2, 8}},
                                                        {"value/kernel", {4, 2, 8}},
                                                        {"value/bias", {2, 8}},
                                                        {"attention_output/kernel", {2, 8, 9}},
                                                        {"attention_output/bias", {9}}}));
}

TEST(Attention, drops_weights_and_not_numbers) {
  // With scores all equal and a dropout of one half, a step's weights are 0 or 2/8.
  Trial trial(Attention{.dropout = 0.5, .return_attention_scores = true}, {{50, 1}, {8, 1}}, 2,
              Mode::train);
  const auto y = trial({Numbers(100, 0.0), Numbers(16, 1.0)});
  Index zeros = 0;
  for (const double weight : y[1]) {
    EXPECT_TRUE(weight == 0 || weight == 0.25) << weight;
    zeros += weight == 0;
  }
  // Five standard deviations of 800 draws.
  EXPECT_NEAR(static_cast<double>(zeros), 400, 5 * std::sqrt(800 * 0.25));
  EXPECT_NE(Numbers(y[1].begin(), y[1].begin() + 400), Numbers(y[1].begin() + 400, y[1].end()))
      << "two rows share a mask";
}

TEST(Attention, refuses_wrong_inputs) {
  const auto attend = [](std::vector<Shape> shapes) {
    return refusal([&] {
      std::vector<Tensor> inputs;
      for (const Shape& shape : shapes) inputs.push_back(Input(shape));
      Attention{}(inputs);
    });
  };
  EXPECT_EQ(attend({{7, 2}}),
            "Attention: takes two inputs, query and value, or three, query, value and key; got 1.");
  EXPECT_EQ(attend({{7, 2}, {2}}),
            "Attention: expects inputs of shape (time, features), got (2,).");
  EXPECT_EQ(attend({{7, 2}, {5, 2}, {4, 2}}),
            "Attention: value and key must have as many steps, got (5, 2) and (4, 2).");
  EXPECT_EQ(attend({{7, 2}, {5, 3}}),
            "Attention: query and value must have as many features, got (7, 2) and (5, 3). "
            "A Dense layer can bring them to the same width.");
}

TEST(Attention, refuses_more_scores_than_there_is_memory_for) {
  const Tensor x = Input({Index{1} << 40, 2});
  EXPECT_NE(refusal([&] {
              Attention{}({x, x});
            }).find("more than any computer holds"),
            std::string::npos);
  EXPECT_NE(
      refusal([&] {
        MultiHeadAttention{.num_heads = Index{1} << 40, .key_dim = 1}(Input({2, 1}), Input({2, 1}));
      }).find("more than any computer holds"),
      std::string::npos);
}

TEST(MultiHeadAttention, refuses_wrong_arguments) {
  const auto attend = [](MultiHeadAttention layer) {
    return refusal([&] { layer(Input({7, 2}), Input({4, 2})); });
  };
  EXPECT_EQ(attend({.num_heads = 0, .key_dim = 2}),
            "MultiHeadAttention: num_heads must be at least 1, got 0.");
  EXPECT_NE(attend({.num_heads = 1, .key_dim = 0}), "(not refused)");
  EXPECT_NE(attend({.num_heads = 1, .key_dim = 1, .value_dim = 0}), "(not refused)");
  EXPECT_NE(attend({.num_heads = 1, .key_dim = 1, .dropout = 1.5}), "(not refused)");
  EXPECT_EQ(attend({.num_heads = 1, .key_dim = 1, .sliding_window = 3}),
            "MultiHeadAttention: sliding_window = 3 leaves the last of 7 query steps without any "
            "of 4 value steps. Use a wider window.");
}

}  // namespace
}  // namespace sonde
