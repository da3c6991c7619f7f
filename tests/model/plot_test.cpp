#include <sonde/plot.hpp>

#include <gtest/gtest.h>

#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::says;

Index count(const std::string& text, const std::string& part) {
  Index found = 0;
  for (std::size_t i = text.find(part); i != text.npos; i = text.find(part, i + 1)) ++found;
  return found;
}

Model small() {
  const Tensor x = Input({40, 3}, {.name = "signal"});
  const Tensor h = LSTM{.units = 4, .return_sequences = true, .name = "memory"}(x);
  return Model(x, Dense{.units = 1, .activation = Activation::sigmoid, .name = "labels"}(h));
}

TEST(Plot, draws_a_node_for_each_layer_and_an_edge_for_each_input) {
  const std::string dot = to_dot(small());
  EXPECT_TRUE(dot.starts_with("digraph model {\n")) << dot;
  EXPECT_TRUE(dot.ends_with("}\n")) << dot;
  EXPECT_EQ(count(dot, "[label=<"), 3);
  EXPECT_PRED2(says, dot, "<b>LSTM</b>");
  EXPECT_PRED2(says, dot, "  n0 -> n1;\n  n1 -> n2;\n");
  EXPECT_PRED2(says, dot, "rankdir=TB, dpi=200");
  // As in Keras, more is shown only where it is asked for.
  for (const char* part : {"shape", "memory", "float32", "sigmoid", "Trainable"})
    EXPECT_EQ(count(dot, part), part == std::string("shape") ? 1 : 0)
        << part;  // node [shape=plain]
}

TEST(Plot, shows_what_is_asked_for) {
  Model model = small();
  const std::string dot = to_dot(model, {.show_shapes = true,
                                         .show_dtype = true,
                                         .show_layer_names = true,
                                         .rankdir = "LR",
                                         .dpi = 96,
                                         .show_layer_activations = true,
                                         .show_trainable = true});
  EXPECT_PRED2(says, dot, "rankdir=LR, dpi=96");
  EXPECT_PRED2(says, dot, "<b>memory</b> (LSTM)");
  EXPECT_EQ(count(dot, "(None, 40, 3)"), 2);  // out of the Input, into the LSTM
  EXPECT_EQ(count(dot, "(None, 40, 4)"), 2);
  EXPECT_EQ(count(dot, "(None, 40, 1)"), 1);
  EXPECT_EQ(count(dot, "float32"), 3);
  EXPECT_EQ(count(dot, ">tanh<"), 1);
  EXPECT_EQ(count(dot, ">sigmoid<"), 1);
  EXPECT_EQ(count(dot, ">True<"), 2);
}

TEST(Plot, draws_a_shared_layer_once_with_all_that_it_is_given) {
  const Tensor a = Input({40, 3}), b = Input({20, 3});
  const Dense shared{.units = 2};
  const Tensor left = GlobalMaxPooling1D{}(shared(a)), right = GlobalMaxPooling1D{}(shared(b));
  const std::string dot =
      to_dot(Model({a, b}, {Concatenate{}({left, right})}), {.show_shapes = true});
  EXPECT_EQ(count(dot, "<b>Dense</b>"), 1);
  EXPECT_PRED2(says, dot, "(None, 20, 3), (None, 40, 3)");
  EXPECT_PRED2(says, dot, "[(None, 2), (None, 2)]");
  EXPECT_EQ(count(dot, " -> "), 6);
}

TEST(Plot, opens_models_in_the_model_where_asked) {
  const Tensor x = Input({40, 3});
  const Model inner(x, Dense{.units = 2, .name = "inside"}(x), {.name = "encoder"});
  const Tensor y = Input({40, 3});
  const Model outer(y, LSTM{.units = 4}(inner(y)));
  const std::string closed = to_dot(outer, {.show_layer_names = true});
  EXPECT_PRED2(says, closed, "<b>encoder</b> (Functional)");
  EXPECT_EQ(count(closed, "inside"), 0);
  EXPECT_EQ(count(closed, "subgraph"), 0);
  const std::string open = to_dot(outer, {.show_layer_names = true, .expand_nested = true});
  EXPECT_PRED2(says, open, "subgraph cluster_1 {\n    label=<<b>encoder</b> (Functional)>");
  EXPECT_PRED2(says, open, "<b>inside</b> (Dense)");
  EXPECT_EQ(count(open, " -> "), 3);  // input → inner input → inside → LSTM
}

TEST(Plot, names_what_a_wrapper_holds) {
  const Tensor x = Input({40, 3});
  const Model model(x, Bidirectional{.layer = GRU{.units = 2}}(x));
  EXPECT_PRED2(says, to_dot(model), "<b>Bidirectional of GRU</b>");
}

// Names come from files, and files from anybody.
TEST(Plot, takes_names_for_text_whatever_they_hold) {
  const auto drawn = [](const std::string& name) {
    const Tensor x = Input({4, 1});
    return to_dot(Model(x, Dense{.units = 1, .name = name}(x)), {.show_layer_names = true});
  };
  EXPECT_PRED2(says, drawn("a<b>&\"c\""), "<b>a&lt;b&gt;&amp;&quot;c&quot;</b>");
  EXPECT_PRED2(says, drawn(">]; n9 [label=\"x\"];"), "<b>&gt;]; n9 [label=&quot;x&quot;];</b>");
  EXPECT_PRED2(says, drawn("two\nlines\x01"), "<b>two lines </b>");
  EXPECT_PRED2(says, drawn("Größe → λ"), "<b>Größe → λ</b>");
  EXPECT_PRED2(says, drawn("no\xff utf\xc3"), "<b>no? utf?</b>");
}

TEST(Plot, refuses_other_directions_and_no_dots) {
  EXPECT_PRED2(says,
               testing::refused_with<ArgumentError>([] { to_dot(small(), {.rankdir = "up"}); }),
               "rankdir must be TB, LR, BT or RL, got \"up\".");
  EXPECT_PRED2(says, testing::refused_with<ArgumentError>([] { to_dot(small(), {.dpi = 0}); }),
               "dpi must be at least 1, got 0.");
}

}  // namespace
}  // namespace sonde
