#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/labeller.hpp>
#include <sonde/networks.hpp>

#include "tests/support/near.hpp"
#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

/// A model with a recipe, and two recordings as tables with channels in another order.
class PredictFiles : public ::testing::Test {
 protected:
  PredictFiles() {
    save(program_.path("one.csv"), 1);
    save(program_.path("two.csv"), 2);
    Recipe recipe{.channels = {"b", "a"},
                  .frequency = 50,
                  .normalizer = Normalizer{Scaling::per_channel, {0.5, -0.5}, {2, 0.25}},
                  .temperature = 0.1,
                  .classes = {"rest", "move, \"fast\""}};
    save_labeller(recipe);
    // A threshold in the middle of what the network says, so that there are labels of both kinds.
    const Array p = labelled("one.csv").probabilities;
    std::vector<float> sorted(p.values().begin(), p.values().end());
    std::sort(sorted.begin(), sorted.end());
    recipe.post_processing = {.threshold = static_cast<double>(sorted[sorted.size() / 2]),
                              .duration_seconds = 0.06};
    save_labeller(recipe);
  }
  void save_labeller(const Recipe& recipe) {
    Labeller(make_network("conv-lstm", {dynamic, 2}, {.filters = 3, .kernel_size = 3, .units = 3}),
             recipe)
        .save(program_.path("m.keras"));
  }
  void save(const std::string& path, std::uint32_t state) {
    Array table({90, 3});
    for (float& value : table.values()) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
    }
    save_csv(path, table, {"a", "extra", "b"});
  }
  LabelledRecording labelled(const std::string& name) {
    const Table table = load_table(program_.path(name));
    Recording recording;
    recording.signal = table.values;
    recording.channels = table.columns;
    return Labeller::load(program_.path("m.keras")).label(recording);
  }
  Result run(const std::string& line) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, 0) << line << "\n" << result.err;
    return result;
  }
  std::string refusal(const std::string& line, int code) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, code) << line << "\n" << result.err;
    return result.err;
  }

  Program program_;
};

TEST_F(PredictFiles, writes_stretches_in_seconds_with_the_names_of_the_model) {
  const Result result = run("predict m.keras one.csv --intervals");
  const LabelledRecording found = labelled("one.csv");
  ASSERT_GT(found.intervals.size(), 2u);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'),
            static_cast<std::ptrdiff_t>(found.intervals.size() + 1));
  EXPECT_PRED2(says, result.out, "recording,onset,offset,label,probability\none,");
  EXPECT_PRED2(says, result.out, "\"move, \"\"fast\"\"\"");
  const FoundInterval& first = found.intervals[0];
  char line[100];
  std::snprintf(line, sizeof line, "\none,%g,%g,", static_cast<double>(first.begin) / 50,
                static_cast<double>(first.end) / 50);
  EXPECT_PRED2(says, result.out, line);
  for (const FoundInterval& each : found.intervals) EXPECT_GE(each.steps(), 3);
}

TEST_F(PredictFiles, fills_a_folder_with_labels_of_each_recording) {
  run("predict m.keras one.csv two.csv -o labelled --probabilities");
  for (const std::string name : {"one", "two"}) {
    const LabelledRecording found = labelled(name + ".csv");
    const Array labels = load_npy(program_.path("labelled/" + name + ".labels.npy"));
    ASSERT_EQ(labels.shape(), (Shape{90}));
    for (Index t = 0; t < 90; ++t)
      EXPECT_EQ(labels(t), static_cast<float>(found.labels[static_cast<std::size_t>(t)]));
    EXPECT_TRUE(same_bits<float>(
        load_npy(program_.path("labelled/" + name + ".probabilities.npy")).values(),
        found.probabilities.values()));
    EXPECT_PRED2(says, program_.read("labelled/intervals.csv"), "\n" + name + ",");
  }
  run("predict m.keras one.csv two.csv -o all.csv");
  EXPECT_EQ(program_.read("all.csv"), program_.read("labelled/intervals.csv"));
  EXPECT_EQ(run("predict m.keras one.csv two.csv").out, program_.read("all.csv"));
}

TEST_F(PredictFiles, writes_stretches_as_annotations_of_EDF) {
  run("predict m.keras one.csv -o labelled --edf");
  const LabelledRecording found = labelled("one.csv");
  const EdfFile edf = load_edf(program_.path("labelled/one.labels.edf"));
  ASSERT_EQ(edf.annotations.size(), found.intervals.size());
  for (std::size_t i = 0; i < found.intervals.size(); ++i) {
    EXPECT_NEAR(edf.annotations[i].onset, static_cast<double>(found.intervals[i].begin) / 50, 1e-6);
    EXPECT_NEAR(edf.annotations[i].duration, static_cast<double>(found.intervals[i].steps()) / 50,
                1e-6);
    EXPECT_EQ(edf.annotations[i].text, "move, \"fast\"");
  }
}

TEST_F(PredictFiles, takes_empty_cells_for_missing_and_leaves_other_columns_alone) {
  std::string text = "time,b,a\n";
  for (int i = 0; i < 30; ++i)
    text += "12:00:" + std::to_string(i) + (i == 7 ? ",,\n" : ",0.5,-0.25\n");
  program_.write("clock.csv", text);
  run("predict m.keras clock.csv -o labelled --probabilities");
  const Array p = load_npy(program_.path("labelled/clock.probabilities.npy"));
  for (Index t = 0; t < 30; ++t) EXPECT_EQ(std::isnan(p(t, 0)), t == 7);
}

TEST_F(PredictFiles, keeps_recordings_of_one_name_apart) {
  std::filesystem::create_directory(program_.path("other"));
  save(program_.path("other/one.csv"), 7);
  run("predict m.keras one.csv other/one.csv -o labelled");
  EXPECT_TRUE(program_.has("labelled/one.labels.npy"));
  EXPECT_TRUE(program_.has("labelled/one-2.labels.npy"));
}

TEST_F(PredictFiles, labels_arrays_with_the_settings_of_the_model_too) {
  Array x({2, 90, 2});
  for (const Index sample : {0, 1}) {
    const Table table = load_table(program_.path(sample == 0 ? "one.csv" : "two.csv"));
    for (Index t = 0; t < 90; ++t) {
      x(sample, t, 0) = table.values(t, 2);
      x(sample, t, 1) = table.values(t, 0);
    }
  }
  save_npy(program_.path("X.npy"), x);
  run("predict m.keras X.npy --labels -o labels.npy");
  run("predict m.keras X.npy -o p.npy");
  const Array labels = load_npy(program_.path("labels.npy")), p = load_npy(program_.path("p.npy"));
  for (const Index sample : {0, 1}) {
    const LabelledRecording found = labelled(sample == 0 ? "one.csv" : "two.csv");
    for (Index t = 0; t < 90; ++t) {
      EXPECT_EQ(labels(sample, t, 0),
                static_cast<float>(found.labels[static_cast<std::size_t>(t)]));
      EXPECT_NEAR(p(sample, t, 0), found.probabilities(t, 0), 1e-6);
    }
  }
  // A threshold that is given wins.
  run("predict m.keras X.npy --labels --threshold 0 -o all.npy");
  const Array all = load_npy(program_.path("all.npy"));
  for (const float label : all.values()) EXPECT_EQ(label, 1);
}

TEST_F(PredictFiles, refuses_what_the_model_cannot_label) {
  save_csv(program_.path("short.csv"), Array({5, 2}), {"a", "c"});
  EXPECT_PRED2(says, refusal("predict m.keras short.csv --intervals", 3),
               "there is no column \"b\"");
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --intervals --rate 100", 3),
               "100 steps per second, the model was trained with 50");
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --intervals -o a.npy", 2), "a .csv file or");
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --probabilities", 2), "--out FOLDER");
  EXPECT_PRED2(says, refusal("predict m.keras one.csv -o labels.txt", 2), "or be a folder");
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --labels --threshold 2", 2),
               "threshold must be from 0 to 1");
  refusal("predict m.keras one.csv missing.csv", 5);
  save_npy(program_.path("X.npy"), Array({2, 9, 2}));
  EXPECT_PRED2(says, refusal("predict m.keras X.npy --intervals", 3), "expected one recording");
  save_model(make_network("conv-pool-lstm-last", {40, 2}, {.filters = 2, .units = 2}),
             program_.path("last.keras"));
  EXPECT_PRED2(says, refusal("predict last.keras one.csv --intervals", 2),
               "one label for each step");
}

TEST_F(PredictFiles, refuses_a_model_file_whose_recipe_it_does_not_know) {
  Value extra;
  extra.set("postprocessing", 1);
  save_model(make_network("conv-lstm", {dynamic, 2}), program_.path("new.keras"), extra);
  EXPECT_PRED2(says, refusal("predict new.keras one.csv", 4), "\"postprocessing\"");
}

}  // namespace
}  // namespace sonde::testing
