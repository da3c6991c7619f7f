#include <gtest/gtest.h>

#include <sonde/layers.hpp>
#include <sonde/model.hpp>
#include <string>

#include "model/table.hpp"
#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::says;

BoxTable chain_table(std::vector<std::vector<std::string>> rows) {
  return {{{"Layer (type)", 0.45}, {"Output Shape", 0.8}, {"Param #", 1, true}}, std::move(rows)};
}

// --- the table, as rich 15 draws it for the widths that Keras gives it
// -----------------------------

TEST(BoxTable, draws_three_columns_as_rich_does) {
  const BoxTable table =
      chain_table({{"input_layer (InputLayer)", "(None, 400, 16)", "0"},
                   {"a_very_long_layer_name_that_does_not_fit_anywhere (BatchNormalization)",
                    "[(None, 400, 32), (None, 32), (None, 32)]", "8,320"}});
  EXPECT_EQ(draw(table, 76),
            R"(┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ input_layer (InputLayer)        │ (None, 400, 16)        │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ a_very_long_layer_name_that_do… │ [(None, 400, 32),      │         8,320 │
│ (BatchNormalization)            │ (None, 32), (None,     │               │
│                                 │ 32)]                   │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
)");
}

TEST(BoxTable, draws_four_columns_as_rich_does) {
  const BoxTable table{
      {{"Layer (type)", 0.3}, {"Output Shape", 0.56}, {"Param #", 0.74, true}, {"Connected to"}},
      {{"x (InputLayer)", "(None, 40, 3)", "0", "-"},
       {"add (Add)", "(None, 40, 4)", "0", "conv1d[0][0], conv1d[1][0], x[0][0]"}}};
  EXPECT_EQ(draw(table, 76),
            R"(┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩
│ x (InputLayer)      │ (None, 40, 3)     │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ add (Add)           │ (None, 40, 4)     │          0 │ conv1d[0][0],     │
│                     │                   │            │ conv1d[1][0],     │
│                     │                   │            │ x[0][0]           │
└─────────────────────┴───────────────────┴────────────┴───────────────────┘
)");
}

TEST(BoxTable, has_the_widths_of_a_wide_terminal) {
  const std::string text = draw(chain_table({}), 88);
  EXPECT_TRUE(text.starts_with(
      "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓\n"))
      << text;
}

TEST(BoxTable, survives_cells_that_are_empty_or_not_ASCII) {
  const std::string text = draw(chain_table({{"", "µ-σ ñandú", "0"}}), 76);
  EXPECT_TRUE(
      says(text, "│                                 │ µ-σ ñandú              │             0 │"))
      << text;
}

// --- the summary of a model ----------------------------------------------------------------------

TEST(Summary, of_a_chain_is_Keras_text_and_what_a_labeller_needs) {
  auto x = Input({400, 16});
  auto h = Conv1D{.filters = 32, .kernel_size = 8, .padding = Padding::same}(x);
  h = LSTM{.units = 32, .return_sequences = true}(h);
  Model model(x, Dense{.units = 1, .activation = Activation::sigmoid}(h));
  EXPECT_EQ(model.summary_text(), R"(Model: "functional"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ input_layer (InputLayer)        │ (None, 400, 16)        │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ conv1d (Conv1D)                 │ (None, 400, 32)        │         4,128 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ lstm (LSTM)                     │ (None, 400, 32)        │         8,320 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 400, 1)         │            33 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 12,481 (48.75 KB)
 Trainable params: 12,481 (48.75 KB)
 Non-trainable params: 0 (0.00 B)
 Steps in: 400
 Steps out: 400
 Receptive field: all earlier steps
 Lookahead: 4 steps
 Streaming: yes
)");
}

TEST(Summary, of_a_model_that_needs_the_whole_signal_says_so_for_both_ends) {
  const Tensor x = Input({40, 4});
  const std::vector<Model> models = [&] {
    std::vector<Model> all;
    all.emplace_back(x, Attention{}({x, x}));
    all.emplace_back(x, Bidirectional{.layer = LSTM{.units = 2, .return_sequences = true}}(x));
    return all;
  }();
  for (const Model& model : models)
    EXPECT_TRUE(says(model.summary_text(),
                     " Receptive field: the whole signal\n Lookahead: the whole signal\n"))
        << model.summary_text();
}

TEST(Summary, counts_the_optimizer_once_it_has_taken_a_step) {
  // keras/src/utils/summary_utils_test.py: 29 = 9 + 20.
  auto x = Input({2});
  Model model(x, Dense{.units = 3}(x));
  model.compile({.optimizer = Adam{}, .loss = MeanSquaredError{}});
  EXPECT_TRUE(says(model.summary_text(), " Total params: 9 (36.00 B)\n"));
  EXPECT_FALSE(says(model.summary_text(), "Optimizer params"));
  model.fit(Array({4, 2}), Array({4, 3}), {.verbose = false});
  const std::string text = model.summary_text();
  EXPECT_TRUE(says(text, " Total params: 29 (116.00 B)\n")) << text;
  EXPECT_TRUE(says(text, " Trainable params: 9 (36.00 B)\n")) << text;
  EXPECT_TRUE(says(text, " Non-trainable params: 0 (0.00 B)\n")) << text;
  EXPECT_TRUE(says(text, " Optimizer params: 20 (80.00 B)\n")) << text;
}

TEST(Summary, of_a_graph_says_what_each_layer_is_connected_to) {
  auto x = Input({40, 3}, {.name = "x"});
  Conv1D shared{.filters = 3, .kernel_size = 5, .padding = Padding::same};
  auto once = shared(x);
  auto twice = shared(once);
  auto y = Add{}({twice, x});
  Model model(x, y);
  const std::string text = model.summary_text();
  EXPECT_TRUE(
      says(text,
           "│ conv1d (Conv1D)     │ (None, 40, 3)     │         48 │ x[0][0],          │\n"
           "│                     │                   │            │ conv1d[0][0]      │\n"))
      << text;
  EXPECT_TRUE(
      says(text,
           "│ add (Add)           │ (None, 40, 3)     │          0 │ conv1d[1][0],     │\n"
           "│                     │                   │            │ x[0][0]           │\n"))
      << text;
  EXPECT_TRUE(says(text, " Total params: 48 "));
}

TEST(Summary, lists_all_outputs_of_a_layer_and_where_they_go) {
  auto x = Input({40, 3});
  auto lstm = LSTM{.units = 4, .return_sequences = true, .return_state = true}.outputs(x);
  auto decoded = LSTM{.units = 4, .name = "decoder"}(lstm[0], {lstm[1], lstm[2]});
  const std::string text = Model(x, decoded).summary_text();
  EXPECT_TRUE(says(text, "[(None, 40, 4),")) << text;
  EXPECT_TRUE(says(text, "lstm[0][0],")) << text;
  EXPECT_TRUE(says(text, "lstm[0][1],")) << text;
  EXPECT_TRUE(says(text, "lstm[0][2]")) << text;
}

TEST(Summary, counts_frozen_weights_as_not_trainable) {
  auto x = Input({10, 2});
  auto h = Dense{.units = 5, .trainable = false}(x);
  const std::string text = Model(x, BatchNormalization{}(h)).summary_text();
  // Dense: 15 frozen; BatchNormalization: 10 that train and 10 moving ones.
  EXPECT_TRUE(says(text, " Trainable params: 10 (40.00 B)\n")) << text;
  EXPECT_TRUE(says(text, " Non-trainable params: 25 (100.00 B)\n")) << text;
}

TEST(Summary, says_why_a_model_cannot_stream) {
  auto x = Input({10, 2});
  const std::string text =
      Model(x, LSTM{.units = 2, .return_sequences = true, .go_backwards = true}(x)).summary_text();
  EXPECT_TRUE(says(text, " Lookahead: the whole signal\n")) << text;
  EXPECT_TRUE(says(text, " Streaming: no. LSTM \"lstm\": cannot stream: ")) << text;
}

TEST(Summary, of_an_open_time_axis_says_any_number_of_steps) {
  auto x = Input({dynamic, 2});
  const std::string text = Model(x, Dense{.units = 2}(x)).summary_text();
  EXPECT_TRUE(says(text, "(None, None, 2)")) << text;
  EXPECT_TRUE(says(text,
                   " Steps in: any number\n Steps out: any number\n Receptive field: 1 step\n"
                   " Lookahead: 0 steps\n"))
      << text;
}

TEST(Summary, without_time_says_nothing_of_it) {
  auto x = Input({7});
  EXPECT_FALSE(says(Model(x, Dense{.units = 2}(x)).summary_text(), "Steps"));
}

}  // namespace
}  // namespace sonde
