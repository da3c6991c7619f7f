#include <gtest/gtest.h>

#include <limits>
#include <sonde/keras.hpp>
#include <sonde/networks.hpp>
#include <sonde/recipe.hpp>

#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

Recipe full_recipe() {
  return {.channels = {"MLII", "V5"},
          .frequency = 250,
          .normalizer = Normalizer{Scaling::per_channel, {1.5, -0.1}, {2, 0.3}},
          .windows = PredictionWindows{400, 100},
          .temperature = 1.7,
          .post_processing = {.class_factors = {1, 2.5, 1},
                              .threshold = 0.4,
                              .low_threshold = 0.2,
                              .switch_probability = 0.01,
                              .median_seconds = 0.1,
                              .gap_seconds = 0.04,
                              .duration_seconds = 0.05},
          .classes = {"none", "QRS", "T"},
          .background = 0};
}

std::string refusal(Value extra) {
  return refused_with<FormatError>([&] { recipe_of(extra, "m.keras"); });
}
std::string refusal(std::string_view key, Value value) {
  Value extra;
  extra.set(key, std::move(value));
  return refusal(extra);
}

TEST(Recipe, comes_back_from_a_model_file_with_every_field) {
  const testing::TemporaryFolder folder;
  const Model model = make_network("conv-lstm", {40, 2}, {.filters = 2, .units = 2, .outputs = 3});
  save_model(model, folder / "m.keras", to_extra(full_recipe()));
  const Recipe read = recipe_of(load_model(folder / "m.keras").extra, "m.keras");
  EXPECT_EQ(to_config(read), to_config(full_recipe()));
  EXPECT_EQ(read.post_processing, full_recipe().post_processing);
  EXPECT_EQ(*read.windows, (PredictionWindows{400, 100}));
  EXPECT_EQ(read.normalizer->scale, (std::vector<double>{2, 0.3}));
  EXPECT_EQ(read.name_of(1), "QRS");
  EXPECT_EQ(Recipe{}.name_of(1), "1");
}

TEST(Recipe, leaves_no_trace_where_nothing_is_to_be_said) {
  EXPECT_TRUE(to_extra({}).is_null());
  EXPECT_EQ(to_config(recipe_of({}, "m.keras")), to_config(Recipe{}));
  const Value one = to_extra({.frequency = 100});
  EXPECT_EQ(one.as<Value::Dict>()->size(), 1u);
}

TEST(Recipe, refuses_keys_it_does_not_know_by_name) {
  EXPECT_PRED2(says, refusal("frequenzy", 1.0), "m.keras: ");
  EXPECT_PRED2(says, refusal("frequenzy", 1.0), "\"frequenzy\"");
  EXPECT_PRED2(says, refusal("frequenzy", 1.0), "frequency");
  EXPECT_PRED2(says, refusal("post_processing", Value::Dict{{"treshold", 0.5}}), "\"treshold\"");
  EXPECT_PRED2(says, refusal("windows", Value::Dict{{"step", 1}}), "\"step\"");
  EXPECT_PRED2(says, refusal("normalizer", Value::Dict{{"sigma", 1}}), "\"sigma\"");
}

TEST(Recipe, refuses_values_that_no_recording_could_be_labelled_with) {
  const double infinite = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  for (const double wrong : {-1.0, nan, infinite, 1e12})
    EXPECT_PRED2(says, refusal("frequency", wrong), "frequency must be at least 0") << wrong;
  for (const double wrong : {-1.0, 0.0, nan, infinite})
    EXPECT_PRED2(says, refusal("temperature", wrong), "temperature must be above 0") << wrong;
  for (const char* key : {"median_seconds", "gap_seconds", "duration_seconds"})
    for (const double wrong : {-1.0, nan, infinite, 1e9})
      EXPECT_PRED2(says, refusal("post_processing", Value::Dict{{key, wrong}}),
                   std::string("post_processing: ") + key + " must be at ")
          << wrong;
  for (const double wrong : {-0.1, 1.1, nan})
    EXPECT_PRED2(says, refusal("post_processing", Value::Dict{{"threshold", wrong}}),
                 "threshold must be from 0 to 1");
  EXPECT_PRED2(says, refusal("post_processing", Value::Dict{{"class_factors", Value::List{1, 0}}}),
               "class_factors must be above 0");
  EXPECT_PRED2(says, refusal("windows", Value::Dict{{"length", 0}, {"hop", 1}}),
               "length must be at least 1");
  EXPECT_PRED2(says, refusal("windows", Value::Dict{{"length", 10}, {"hop", 11}}),
               "hop must be from 1 to the length");
  EXPECT_PRED2(says, refusal("windows", Value::Dict{{"length", 10}}), "hop must be from 1");
  EXPECT_PRED2(says, refusal("background", -1), "background must be the number of a class");
  EXPECT_PRED2(
      says,
      refusal("normalizer", Value::Dict{{"center", Value::List{1.0}}, {"scale", Value::List{0.0}}}),
      "a spread above 0 for each channel");
  EXPECT_PRED2(says,
               refusal("normalizer",
                       Value::Dict{{"center", Value::List{1.0, 2.0}}, {"scale", Value::List{1.0}}}),
               "a spread above 0 for each channel");
}

TEST(Recipe, refuses_other_kinds_of_values) {
  EXPECT_PRED2(says, refusal(Value("text")), "must be a table");
  EXPECT_PRED2(says, refusal("normalizer", "text"), "m.keras: normalizer must be a table");
  EXPECT_PRED2(says, refusal("windows", 3), "m.keras: windows must be a table");
  EXPECT_PRED2(says, refusal("post_processing", Value::List{}), "must be a table");
  EXPECT_PRED2(says, refusal("channels", "MLII"), "must be a list");
  EXPECT_PRED2(says, refusal("classes", Value::List{1}), "classes");
}

TEST(Recipe, refuses_names_that_would_spoil_tables_and_terminals) {
  EXPECT_PRED2(says, refusal("classes", Value::List{"a", "a"}), "\"a\" is there twice");
  EXPECT_PRED2(says, refusal("classes", Value::List{"a", ""}), "name 1 must have");
  EXPECT_PRED2(says, refusal("channels", Value::List{"a\x1b[2J"}), "none of them a control");
  EXPECT_PRED2(says, refusal("channels", Value::List{std::string(1000, 'x')}), "name 0 must have");
  EXPECT_PRED2(says, refusal("channels", Value::List(70'000, Value("x"))), "limit of 65536");
  Value more;
  more.set("classes", Value::List{"a", "b"});
  more.set("background", 2);
  EXPECT_PRED2(says, refusal(more), "background must be");
}

}  // namespace
}  // namespace sonde
