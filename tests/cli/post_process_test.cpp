#include "cli/post_process.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/support/files.hpp"

namespace sonde::cli {
namespace {

using testing::refused_with;
using testing::says;

/// Samples of 200 steps, every other 20 of class 1; one step in ten is sure of the contrary.
struct Planted {
  Data data;
  Array predictions{Shape{4, 200, 1}};

  Planted() {
    data.x = Array({4, 200, 2});
    data.y = Array({4, 200, 1});
    std::mt19937 random(1);
    for (Index i = 0; i < 800; ++i) {
      const bool label = i / 20 % 2 != 0, wrong = random() % 10 == 0;
      data.y.data()[i] = static_cast<float>(label);
      predictions.data()[i] = label != wrong ? 0.999f : 0.001f;
    }
  }
  Task task() const { return task_of(data.y, data.weights, 200, "auto"); }
};

TEST(PostProcess, finds_temperature_and_settings_for_the_recipe) {
  const Planted planted;
  Recipe recipe;
  const std::string words = tune_recipe(recipe, planted.task(), planted.predictions, planted.data);
  // Nine of ten right: the log loss is least where 0.9 is said, at the odds of 999 to the power of
  // 1 / temperature.
  EXPECT_NEAR(recipe.temperature, std::log(999.0) / std::log(0.9 / 0.1), 0.3);
  EXPECT_NE(recipe.post_processing, PostProcessing{});
  EXPECT_PRED2(says, words, "macro F1 of steps 0.");
  check(recipe, "tuned");
}

TEST(PostProcess, does_not_look_at_what_nobody_labelled) {
  Planted planted, garbled;
  planted.data.weights = Array({4, 200});
  for (Index i = 0; i < 800; ++i) planted.data.weights.data()[i] = i >= 200;
  garbled.data.weights = planted.data.weights;
  for (Index i = 0; i < 200; ++i) garbled.data.y.data()[i] = std::nanf("");
  Recipe a, b;
  tune_recipe(a, planted.task(), planted.predictions, planted.data);
  tune_recipe(b, planted.task(), garbled.predictions, garbled.data);
  EXPECT_EQ(to_config(a), to_config(b));
}

TEST(PostProcess, refuses_labels_that_are_no_classes_of_steps) {
  Planted planted;
  Recipe recipe;
  Task values = planted.task();
  values.labels = Labels::values;
  const auto message = [&](const Task& task, const Array& predictions) {
    return refused_with<ArgumentError>(
        [&] { tune_recipe(recipe, task, predictions, planted.data); });
  };
  EXPECT_PRED2(says, message(values, planted.predictions), "one for each step");
  EXPECT_PRED2(says, message(planted.task(), Array({4, 1})), "one for each step");
}

}  // namespace
}  // namespace sonde::cli
