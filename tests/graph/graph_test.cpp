#include <gtest/gtest.h>

#include <functional>
#include <sonde/graph.hpp>
#include <sonde/layers.hpp>

namespace sonde {
namespace {

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> list;
  for (const auto& instance : graph.layers()) list.push_back(instance->name);
  return list;
}

TEST(Graph, orders_layers_as_Keras_does) {
  // Observed in Keras 3.15: branches a → zz and a → aa → bb, merged as [zz, bb].
  auto x = Input({4, 2}, {.name = "input"});
  auto zz = Dense{.units = 2, .name = "zz"}(x);
  auto aa = Dense{.units = 2, .name = "aa"}(x);
  auto bb = Dense{.units = 2, .name = "bb"}(aa);
  auto y = Add{.name = "add"}({zz, bb});
  const Graph graph({x}, {y});
  EXPECT_EQ(names(graph), (std::vector<std::string>{"input", "aa", "zz", "bb", "add"}));
}

TEST(Graph, counts_the_operations_that_compute_masks_where_it_orders_layers) {
  // Observed in Keras 3.15.1: by its place among the layers "a" would come after "c".
  auto x = Input({6, 3}, {.name = "input"});
  auto masked = Masking{.name = "masking"}(x);
  auto a = LSTM{.units = 4, .return_sequences = true, .name = "a"}(masked);
  auto d = LSTM{.units = 4, .name = "d"}(Concatenate{.name = "join"}({a, masked}));
  auto c = LSTM{.units = 4, .return_sequences = true, .name = "c"}(x);
  auto p = Dense{.units = 4, .name = "p"}(GlobalMaxPooling1D{.name = "pool"}(c));
  auto y = Add{.name = "add"}({d, Dense{.units = 4, .name = "q"}(p)});
  EXPECT_EQ(names(Graph({x}, {y})), (std::vector<std::string>{"input", "masking", "a", "c", "pool",
                                                              "join", "p", "d", "q", "add"}));
}

TEST(Graph, orders_layers_as_a_file_does_and_only_the_graph_that_is_told_so) {
  auto x = Input({4, 2}, {.name = "input"});
  auto a = Dense{.units = 2, .name = "a"}(x);
  auto b = Dense{.units = 2, .name = "b"}(x);
  auto y = Add{.name = "add"}({a, b});
  const auto layer = [](const Tensor& t) { return t.node()->instance.get(); };
  const Graph told({x}, {y}, {layer(x), layer(b), layer(a), layer(y)});
  EXPECT_EQ(names(told), (std::vector<std::string>{"input", "b", "a", "add"}));
  for (const Graph::Call& call : told.calls())
    EXPECT_EQ(&told.layer(call), call.node->instance.get());
  EXPECT_EQ(names(Graph({x}, {y})), (std::vector<std::string>{"input", "a", "b", "add"}));
}

TEST(Graph, orders_calls_of_one_depth_as_Keras_does) {
  // Observed in Keras 3.15 (_nodes_by_depth): the call of "norm" that reads "dense" comes first.
  auto x = Input({4, 2}, {.name = "input"});
  const BatchNormalization norm{.name = "norm"};
  auto left = Dense{.units = 2, .name = "left"}(norm(x));
  auto right = Dense{.units = 2, .name = "right"}(norm(Dense{.units = 2, .name = "dense"}(x)));
  const Graph graph({x}, {Concatenate{.name = "both"}({left, right})});
  std::vector<std::string> read;  // by the calls of "norm"
  for (const Graph::Call& call : graph.calls())
    if (graph.layer(call).name == "norm")
      read.push_back(
          graph.layer(graph.calls()[static_cast<std::size_t>(call.inputs[0].call)]).name);
  EXPECT_EQ(read, (std::vector<std::string>{"dense", "input"}));
}

TEST(Graph, names_layers_by_their_kind_and_number) {
  auto x = Input({20, 3});
  auto h = Conv1D{.filters = 2, .kernel_size = 3}(x);
  h = MaxPooling1D{}(Conv1D{.filters = 2, .kernel_size = 3}(h));
  const Graph graph({x}, {h});
  EXPECT_EQ(names(graph),
            (std::vector<std::string>{"input_layer", "conv1d", "conv1d_1", "max_pooling1d"}));
}

TEST(Graph, gives_Keras_snake_case_names) {
  // keras/src/utils/naming_test.py and keras.src.utils.naming.to_snake_case
  EXPECT_EQ(snake_case("Conv1D"), "conv1d");
  EXPECT_EQ(snake_case("LSTM"), "lstm");
  EXPECT_EQ(snake_case("GlobalAveragePooling1D"), "global_average_pooling1d");
  EXPECT_EQ(snake_case("UpSampling1D"), "up_sampling1d");
  EXPECT_EQ(snake_case("LeakyReLU"), "leaky_re_lu");
  EXPECT_EQ(snake_case("BatchNormalization"), "batch_normalization");
}

TEST(Graph, shares_weights_between_calls_of_one_layer_object_but_not_of_copies) {
  auto x = Input({4, 2});
  const Dense first{.units = 2};
  const Dense copy = first;
  auto y = Add{}({first(x), first(x), copy(x)});
  const Graph graph({x}, {y});
  EXPECT_EQ(graph.layers().size(), 4u);  // input, two Dense, Add
  EXPECT_EQ(graph.weights(1)->entries().size(), 4u);
}

TEST(Graph, draws_weights_from_seed_and_name_alone) {
  const auto kernel = [](std::uint64_t seed, bool other_first) {
    auto x = Input({4, 2});
    if (other_first) Dense{.units = 9}(x);
    auto y = Dense{.units = 3, .name = "head"}(x);
    const Graph graph({x}, {y});
    const auto block = graph.weights(seed);
    const auto values = block->values(block->entries()[0]);
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_EQ(kernel(1, false), kernel(1, true));
  EXPECT_NE(kernel(1, false), kernel(2, false));
}

TEST(Graph, lets_a_second_model_share_trained_layers) {
  auto x = Input({4, 2});
  auto h = Dense{.units = 3}(x);
  auto y = Dense{.units = 1}(h);
  const Graph whole({x}, {y});
  const auto block = whole.weights(1);
  const Graph front({x}, {h});
  EXPECT_EQ(front.weights(99), block);
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Graph, refuses_an_output_that_needs_an_input_left_out) {
  auto a = Input({4, 2}, {.name = "left"}), b = Input({4, 2}, {.name = "right"});
  auto y = Add{}({a, b});
  EXPECT_NE(refusal([&] { Graph({a}, {y}); }).find("\"right\""), std::string::npos);
}

TEST(Graph, refuses_two_layers_of_one_name) {
  auto x = Input({4, 2});
  auto y = Dense{.units = 2, .name = "d"}(Dense{.units = 2, .name = "d"}(x));
  EXPECT_NE(refusal([&] { Graph({x}, {y}); }).find("two layers are named \"d\""),
            std::string::npos);
}

TEST(Graph, refuses_a_layer_changed_between_two_calls) {
  auto x = Input({4, 2});
  Dense shared{.units = 2};
  shared(x);
  shared.units = 3;
  EXPECT_NE(refusal([&] { shared(x); }).find("changed between two calls"), std::string::npos);
}

}  // namespace
}  // namespace sonde
