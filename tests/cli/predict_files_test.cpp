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

TEST_F(PredictFiles, heads_probabilities_with_the_name_of_their_class) {
  const auto head = [&](const std::string& words) {
    const std::string out = run("predict m.keras " + words).out;
    return out.substr(0, out.find('\n'));
  };
  EXPECT_EQ(head("one.csv"), "\"move, \"\"fast\"\"\"") << "one output is of the second class";
  EXPECT_EQ(head("one.csv --labels"), "y");
  save_npy(program_.path("X.npy"), Array({2, 30, 2}));
  EXPECT_EQ(head("X.npy"), "sample,step,\"move, \"\"fast\"\"\"");
  const auto three = [&](const std::vector<std::string>& classes) {
    Labeller(make_network("conv-lstm", {dynamic, 2},
                          {.filters = 3,
                           .kernel_size = 3,
                           .units = 3,
                           .outputs = 3,
                           .activation = ActivationFunction::softmax}),
             {.channels = {"b", "a"}, .classes = classes})
        .save(program_.path("m.keras"));
  };
  three({"none", "step", "turn"});
  EXPECT_EQ(head("one.csv"), "none,step,turn");
  EXPECT_EQ(head("X.npy"), "sample,step,y0,y1,y2") << "a class is called as the step is";
  program_.input_from(program_.path("one.csv"));
  EXPECT_EQ(run("stream m.keras").out.substr(0, 15), "none,step,turn\n");
  EXPECT_EQ(run("stream m.keras --labels").out.substr(0, 2), "y\n");
  three({"0", "1", "2"});
  EXPECT_EQ(head("one.csv"), "y0,y1,y2") << "numbers would look like a line of them";
  three({});
  EXPECT_EQ(head("one.csv"), "y0,y1,y2");
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

TEST_F(PredictFiles, missing_numbers_of_an_array_are_the_middle_of_their_channel) {
  Array signal({60, 2}), filled;
  for (Index i = 0; i < signal.size(); ++i) signal.data()[i] = static_cast<float>(i % 9) / 9;
  filled = signal;
  for (const Index step : {3, 4, 30}) {
    signal(step, 0) = std::nanf("");
    filled(step, 0) = 0.5f;  // the recipe's center
  }
  save_npy(program_.path("gaps.npy"), signal);
  save_npy(program_.path("filled.npy"), filled);
  run("predict m.keras gaps.npy -o a.npy");
  run("predict m.keras filled.npy -o b.npy");
  EXPECT_EQ(program_.read("a.npy"), program_.read("b.npy"));
  std::filesystem::create_directory(program_.path("other"));
  std::filesystem::rename(program_.path("filled.npy"), program_.path("other/gaps.npy"));
  EXPECT_EQ(run("predict m.keras gaps.npy --intervals").out,
            run("predict m.keras other/gaps.npy --intervals").out);
  signal(50, 1) = std::numeric_limits<float>::infinity();
  save_npy(program_.path("huge.npy"), signal);
  for (const char* how : {"", " --intervals"})
    EXPECT_PRED2(says, refusal(std::string("predict m.keras huge.npy") + how, 3),
                 "1 of 120 numbers are infinite");
  // Of several samples nobody knows whether NaN is a gap or a mistake.
  save_npy(program_.path("samples.npy"), signal.reshaped({2, 30, 2}));
  EXPECT_PRED2(says, refusal("predict m.keras samples.npy", 3),
               "4 of 120 numbers are NaN or infinite");
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
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --intervals --rate 99.12345", 2),
               "resample: from 99.12345 to 50 Hz is no ratio of whole numbers");
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

TEST_F(PredictFiles, takes_columns_by_the_names_of_the_model_in_every_form_of_its_answer) {
  const LabelledRecording found = labelled("one.csv");
  run("predict m.keras one.csv -o p.npy");
  run("predict m.keras one.csv --labels -o labels.npy");
  const Array p = load_npy(program_.path("p.npy")), labels = load_npy(program_.path("labels.npy"));
  ASSERT_EQ(p.shape(), (Shape{1, 90, 1}));
  for (Index t = 0; t < 90; ++t) {
    EXPECT_NEAR(p(0, t, 0), found.probabilities(t, 0), 1e-6);
    EXPECT_EQ(labels(0, t, 0), static_cast<float>(found.labels[static_cast<std::size_t>(t)]));
  }
  // Without names, columns go by place: b, a is the order of the model.
  const Table table = load_table(program_.path("one.csv"), {.columns = {"b", "a"}});
  save_csv(program_.path("bare.csv"), table.values);
  run("predict m.keras bare.csv -o bare.npy");
  EXPECT_TRUE(same_bits<float>(load_npy(program_.path("bare.npy")).values(), p.values()));
  std::string stretches = run("predict m.keras one.csv --intervals").out;
  for (std::size_t at = 0; (at = stretches.find("\none,", at)) != std::string::npos; ++at)
    stretches.replace(at, 5, "\nbare,");
  EXPECT_EQ(run("predict m.keras bare.csv --intervals").out, stretches);
}

TEST_F(PredictFiles, refuses_a_table_without_the_columns_of_the_model_with_the_list) {
  save_csv(program_.path("short.csv"), Array({5, 2}), {"a", "c"});
  for (const char* form : {"", " --labels", " --intervals"})
    EXPECT_PRED2(says, refusal(std::string("predict m.keras short.csv") + form, 3),
                 "there is no column \"b\". There are: a, c.");
}

TEST_F(PredictFiles, judges_and_goes_on_with_the_channels_that_the_model_names) {
  // The label column stands among the others; "extra" is no channel of the model.
  const Table one = load_table(program_.path("one.csv"));
  Array judged({90, 4}), bare({90, 3});
  for (Index t = 0; t < 90; ++t) {
    judged(t, 0) = one.values(t, 0);
    judged(t, 1) = bare(t, 2) = static_cast<float>(t % 2);
    judged(t, 2) = one.values(t, 1);
    judged(t, 3) = bare(t, 0) = one.values(t, 2);
    bare(t, 1) = one.values(t, 0);
  }
  save_csv(program_.path("judged.csv"), judged, {"a", "label", "extra", "b"});
  save_csv(program_.path("bare.csv"), bare);
  const std::string expected = run("evaluate m.keras --x bare.csv --label-column 2").out;
  EXPECT_EQ(run("evaluate m.keras --x judged.csv --label-column label").out, expected);
  EXPECT_EQ(run("evaluate m.keras --x judged.csv --label-column 1").out, expected);
  for (const std::string x : {"judged", "bare"})
    run("train --quiet --model m.keras --epochs 1 --window 10 --x " + x + ".csv --label-column " +
        (x == "bare" ? "2" : "label") + " --out " + x);
  EXPECT_EQ(program_.read("judged/history.csv"), program_.read("bare/history.csv"));
}

TEST_F(PredictFiles, counts_channels_that_are_called_by_numbers) {
  Labeller(make_network("conv-lstm", {dynamic, 2}), {.channels = {"4", "2"}})
      .save(program_.path("m.keras"));
  program_.write("wide.csv", "10:00,1,0,2,1\n10:01,3,1,4,0\n");
  program_.write("clean.csv", "7,1,0,2,1\n7,3,1,4,0\n");
  program_.write("place.csv", "2,1\n4,3\n");
  const std::string expected = run("predict m.keras place.csv").out;
  EXPECT_EQ(run("predict m.keras wide.csv").out, expected);
  EXPECT_EQ(run("predict m.keras wide.csv --label-column 2").out, expected);
  EXPECT_EQ(run("predict m.keras wide.csv --labels").out,
            run("predict m.keras place.csv --labels").out);
  program_.input_from(program_.path("wide.csv"));
  EXPECT_EQ(run("stream m.keras").out, expected);
  // The column of labels is counted from 0, as everywhere in its option.
  save_npy(program_.path("x.npy"), load_csv(program_.path("place.csv")).reshaped({1, 2, 2}));
  save_npy(program_.path("y.npy"), Array({1, 2, 1}, std::vector<float>{0, 1}));
  EXPECT_EQ(run("evaluate m.keras --x clean.csv --label-column 2").out,
            run("evaluate m.keras --x x.npy --y y.npy").out);
}

TEST_F(PredictFiles, names_the_option_for_a_column_of_labels) {
  save_model(make_network("conv-lstm", {dynamic, 2}), program_.path("plain.keras"));
  program_.write("walk.csv", "x,y,label\n1,2,0\n3,4,1\n");
  program_.write("words.csv", "x,y,label\n1,2,rest\n3,4,walk\n");
  program_.write("bare.csv", "1,2,0\n3,4,1\n");
  for (const std::string form : {"", " --intervals"}) {
    EXPECT_PRED2(
        says, refusal("predict plain.keras walk.csv" + form, 3),
        "walk.csv: 3 columns (x, y, label), but the model takes 2 channels. If one of them "
        "holds labels, leave it out with --label-column NAME.");
    EXPECT_PRED2(says, refusal("predict plain.keras bare.csv" + form, 3),
                 "with --label-column N, counted from 0.");
    run("predict plain.keras bare.csv --label-column -1" + form);
  }
  // What is left out may hold anything.
  EXPECT_EQ(run("predict plain.keras words.csv --label-column label").out,
            run("predict plain.keras walk.csv --label-column label").out);
  EXPECT_EQ(run("predict plain.keras words.csv --label-column label -o words").code, 0);
}

TEST_F(PredictFiles, of_another_rate_are_resampled_and_their_own_steps_labelled) {
  const Table table = load_table(program_.path("one.csv"));
  Recording fast;
  fast.signal = table.values, fast.channels = table.columns, fast.frequency = 125;
  const LabelledRecording found = Labeller::load(program_.path("m.keras")).label(fast);
  run("predict m.keras one.csv --rate 125 -o labelled --probabilities");
  const Array labels = load_npy(program_.path("labelled/one.labels.npy"));
  ASSERT_EQ(labels.size(), 90);
  for (Index t = 0; t < 90; ++t)
    EXPECT_EQ(labels.data()[t], static_cast<float>(found.labels[static_cast<std::size_t>(t)]));
  EXPECT_TRUE(same_bits<float>(load_npy(program_.path("labelled/one.probabilities.npy")).values(),
                               found.probabilities.values()));
  // So does the form without stretches.
  run("predict m.keras one.csv --rate 125 -o p.npy");
  EXPECT_TRUE(
      same_bits<float>(load_npy(program_.path("p.npy")).values(), found.probabilities.values()));
  run("predict m.keras one.csv --rate 125 --labels -o l.npy");
  EXPECT_TRUE(same_bits<float>(load_npy(program_.path("l.npy")).values(), labels.values()));
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --rate 125.12345 -o p.npy", 2),
               "resample: from 125.12345 to 50 Hz");
}

TEST_F(PredictFiles, of_many_channels_are_labelled_one_by_one_where_the_model_knows_one) {
  Labeller one(
      make_network("conv-lstm", {dynamic, 1}, {.filters = 3, .kernel_size = 3, .units = 3}),
      {.each_channel = true, .frequency = 50});
  one.save(program_.path("each.keras"));
  const Table table = load_table(program_.path("one.csv"));
  Recording all;
  all.name = "one", all.signal = table.values, all.channels = table.columns, all.frequency = 50;
  run("predict each.keras one.csv -o labelled --probabilities");
  for (Index c = 0; c < 3; ++c) {
    const Recording channel = channel_of(all, c);
    const std::string stem = "labelled/one-" + table.columns[static_cast<std::size_t>(c)];
    EXPECT_TRUE(same_bits<float>(load_npy(program_.path(stem + ".probabilities.npy")).values(),
                                 one.label(channel).probabilities.values()));
    EXPECT_TRUE(program_.has(stem + ".labels.npy"));
  }
  EXPECT_PRED2(says, refusal("predict each.keras one.csv -o p.npy", 3),
               "has 3 channels, and the model labels each by itself");
}

TEST_F(PredictFiles, of_many_channels_have_one_labelling_where_the_model_combines_them) {
  Labeller one(
      make_network("conv-lstm", {dynamic, 1}, {.filters = 3, .kernel_size = 3, .units = 3}),
      {.each_channel = true, .combine_channels = true, .frequency = 50});
  one.save(program_.path("together.keras"));
  const Table table = load_table(program_.path("one.csv"));
  Recording all;
  all.name = "one", all.signal = table.values, all.channels = table.columns, all.frequency = 50;
  const LabelledRecording found = one.label(all);
  run("predict together.keras one.csv -o labelled --probabilities");
  run("predict together.keras one.csv -o p.npy");
  save_npy(program_.path("all.npy"), all.signal);
  run("predict together.keras all.npy -o q.npy");
  for (const char* file : {"labelled/one.probabilities.npy", "p.npy", "q.npy"})
    EXPECT_TRUE(
        same_bits<float>(load_npy(program_.path(file)).values(), found.probabilities.values()))
        << file;
  run("predict together.keras one.csv --each-channel -o apart");
  for (const std::string& channel : table.columns)
    EXPECT_TRUE(program_.has("apart/one-" + channel + ".labels.npy"));
  EXPECT_PRED2(says, refusal("predict m.keras one.csv --each-channel -o wrong", 2),
               "takes all channels of a recording together");
}

TEST_F(PredictFiles, a_model_file_whose_recipe_is_of_another_network_contradicts_itself) {
  const Model two = make_network("conv-lstm", {dynamic, 2}, {.filters = 3, .kernel_size = 3});
  save_model(two, program_.path("torn.keras"), to_extra({.channels = {"a", "b", "c"}}));
  for (const char* line : {"predict torn.keras one.csv", "predict torn.keras one.csv --intervals",
                           "inspect torn.keras"})
    EXPECT_PRED2(says, refusal(line, 4), "the recipe has 3 channels, model");
}

TEST_F(PredictFiles, give_the_same_labels_with_and_without_stretches) {
  // Windows of the file, and a step that was not recorded.
  Recipe recipe{.channels = {"b", "a"},
                .frequency = 50,
                .windows = PredictionWindows{.length = 20, .hop = 10},
                .temperature = 0.1};
  save_labeller(recipe);
  const Table table = load_table(program_.path("one.csv"));
  Array gap = table.values;
  gap(40, 0) = gap(40, 2) = std::nanf("");
  save_csv(program_.path("gap.csv"), gap, table.columns);
  run("predict m.keras gap.csv -o labelled --probabilities");
  run("predict m.keras gap.csv -o p.npy");
  run("predict m.keras gap.csv --labels -o l.npy");
  const Array p = load_npy(program_.path("p.npy")), l = load_npy(program_.path("l.npy"));
  EXPECT_EQ(p.shape(), (Shape{1, 90, 1}));
  EXPECT_TRUE(std::isnan(p.data()[40])) << "a pause";
  EXPECT_TRUE(same_bits<float>(p.values(),
                               load_npy(program_.path("labelled/gap.probabilities.npy")).values()));
  EXPECT_TRUE(
      same_bits<float>(l.values(), load_npy(program_.path("labelled/gap.labels.npy")).values()));
}

TEST_F(PredictFiles, no_file_of_labels_is_written_over_by_another_channel) {
  Labeller(make_network("conv-lstm", {dynamic, 1}, {.filters = 3, .kernel_size = 3, .units = 3}),
           {.each_channel = true})
      .save(program_.path("each.keras"));
  Array two({20, 2});
  for (Index i = 0; i < two.size(); ++i) two.data()[i] = static_cast<float>(i % 7);
  save_csv(program_.path("night.csv"), two, {"C3/A2", "C3-A2"});
  run("predict each.keras night.csv -o labelled");
  EXPECT_TRUE(program_.has("labelled/night-C3-A2.labels.npy"));
  EXPECT_TRUE(program_.has("labelled/night-C3-A2-2.labels.npy"));
}

TEST_F(PredictFiles, says_whose_rate_is_taken_where_the_file_says_none) {
  EXPECT_PRED2(says, run("predict m.keras one.csv --intervals").err,
               "one.csv does not say its rate: 50 steps per second are taken");
  EXPECT_EQ(run("predict m.keras one.csv --intervals --rate 50").err, "");
  EXPECT_PRED2(says, refusal("predict m.keras one.csv two.csv --labels", 2),
               "--labels is the label of each step of one file");
}

TEST_F(PredictFiles, a_threshold_is_of_two_classes) {
  Labeller(make_network("conv-lstm", {dynamic, 2},
                        {.outputs = 3, .activation = ActivationFunction::softmax}),
           {.classes = {"a", "b", "c"}})
      .save(program_.path("three.keras"));
  EXPECT_PRED2(says, refusal("predict three.keras one.csv --threshold 0.9 --labels", 2),
               "class_factors");
}

TEST_F(PredictFiles, evaluate_says_that_arrays_are_judged_without_post_processing) {
  save_npy(program_.path("y.npy"), Array({90, 1}));
  const std::string line = "evaluate m.keras --x one.csv --y y.npy";
  EXPECT_PRED2(says, run(line).err,
               "hint: the model file's temperature and post-processing are not applied to --x");
  save_labeller({.channels = {"b", "a"}});
  EXPECT_EQ(run(line).err, "");
}

}  // namespace
}  // namespace sonde::testing
