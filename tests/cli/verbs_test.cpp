#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>
#include <sonde/version.hpp>

#include "tests/support/near.hpp"
#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

/// A folder with data and a model that has seen them.
class Verbs : public ::testing::Test {
 protected:
  Verbs() {
    save_task(program_);
    Model model = make_network("conv-lstm", {40, 3}, {.filters = 4, .kernel_size = 3, .units = 4});
    model.compile({.loss = BinaryCrossentropy{}});
    save_model(model, program_.path("m.keras"));
  }
  Result run(const std::string& line) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, 0) << line << "\n" << result.err;
    return result;
  }
  Array x() { return load_npy(program_.path("X.npy")); }
  Array y() { return load_npy(program_.path("y.npy")); }
  Array predicted() { return load_model(program_.path("m.keras")).model.predict(x()); }

  Program program_;
};

// --- help ----------------------------------------------------------------------------------------

TEST_F(Verbs, have_help_with_defaults_and_an_example) {
  EXPECT_PRED2(says, run("--help").out, "sonde train --x X.npy --y y.npy --out run");
  for (const char* verb : {"train", "predict", "stream", "evaluate", "convert", "summary", "plot",
                           "inspect", "bench"}) {
    const std::string help = run(std::string(verb) + " --help").out;
    EXPECT_PRED2(says, help, std::string("  sonde ") + verb) << help;
  }
  const std::string help = run("train --help").out;
  for (const char* option : {"--epochs N=20", "--batch-size N=32", "--validation-split PART=0.2",
                             "--model NAME|FILE=conv-lstm", "--seed N=0", "--out FOLDER=run"})
    EXPECT_PRED2(says, help, option);
}

TEST_F(Verbs, list_networks_with_names_of_any_length) {
  for (const char* verb : {"train", "summary"})
    EXPECT_PRED2(says, run(std::string(verb) + " --help").out,
                 "  temporal-spatial-conv-lstm  Conv1D (same)");
}

TEST_F(Verbs, tell_the_version_of_the_project) {
  EXPECT_EQ(run("--version").out, "sonde " + std::string(version) + "\n");
  std::ifstream file(SONDE_SOURCE_DIR "/CMakeLists.txt");
  const std::string project{std::istreambuf_iterator<char>(file), {}};
  EXPECT_PRED2(says, project, "project(sonde VERSION " + std::string(version) + " ");
}

TEST_F(Verbs, fail_when_stdout_cannot_be_written) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--help"},
        {"summary", "conv-lstm"},
        {"predict", "m.keras", "X.npy"},
        {"evaluate", "m.keras", "--x", "X.npy", "--y", "y.npy", "--json"},
        {"inspect", "X.npy"}})
    EXPECT_EQ(program_.run(words, "/dev/full").code, 5) << words[0];
}

// --- predict -------------------------------------------------------------------------------------

TEST_F(Verbs, predict_writes_what_the_library_predicts) {
  run("predict m.keras X.npy -o p.npy");
  EXPECT_TRUE(same_bits<float>(load_npy(program_.path("p.npy")).values(), predicted().values()));
  EXPECT_EQ(load_npy(program_.path("p.npy")).shape(), (Shape{12, 40, 1}));
}

TEST_F(Verbs, predict_writes_a_table_with_sample_and_step) {
  const std::string table = run("predict m.keras X.npy").out;
  EXPECT_TRUE(table.starts_with("sample,step,y\n0,0,")) << table.substr(0, 100);
  run("predict m.keras X.npy -o p.csv");
  EXPECT_EQ(program_.read("p.csv"), table);
  const Table read = load_table(program_.path("p.csv"));
  ASSERT_EQ(read.values.shape(), (Shape{480, 3}));
  EXPECT_EQ(read.values(479, 0), 11);
  EXPECT_EQ(read.values(479, 1), 39);
  EXPECT_EQ(read.values(479, 2), predicted()(11, 39, 0));
}

TEST_F(Verbs, predict_gives_class_numbers_when_asked) {
  run("predict m.keras X.npy --labels -o l.npy");
  run("predict m.keras X.npy --labels --threshold 0.49 -o t.npy");
  const Array p = predicted(), l = load_npy(program_.path("l.npy")),
              t = load_npy(program_.path("t.npy"));
  for (Index i = 0; i < p.size(); ++i) {
    EXPECT_EQ(l.data()[i], p.data()[i] > 0.5f);
    EXPECT_EQ(t.data()[i], p.data()[i] > 0.49f);
  }
}

TEST_F(Verbs, predict_gives_the_number_of_the_largest_output_of_several) {
  Model model =
      make_network("conv-lstm", {40, 3}, {.outputs = 3, .activation = ActivationFunction::softmax});
  save_model(model, program_.path("m.keras"));
  run("predict m.keras X.npy --labels -o l.npy");
  const Array p = predicted(), l = load_npy(program_.path("l.npy"));
  ASSERT_EQ(l.shape(), (Shape{12, 40, 1}));
  for (Index i = 0; i < l.size(); ++i) {
    const float* each = p.data() + 3 * i;
    EXPECT_EQ(l.data()[i], static_cast<float>(std::max_element(each, each + 3) - each));
  }
}

TEST_F(Verbs, predict_labels_a_recording_line_by_line) {
  save_model(make_network("conv-lstm", {dynamic, 3}), program_.path("m.keras"));
  save_npy(program_.path("r.npy"), x().reshaped({480, 3}));
  save_csv(program_.path("r.csv"), x().reshaped({480, 3}));
  const std::string table = run("predict m.keras r.npy").out;
  EXPECT_TRUE(table.starts_with("y\n0."));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 481);
  EXPECT_EQ(run("predict m.keras r.csv").out, table);
}

// --- evaluate ------------------------------------------------------------------------------------

TEST_F(Verbs, evaluate_scores_perfect_and_chance_predictions) {
  // The labels are what the model says: all scores are 1. The other way round: all are 0.
  Array labels = predicted();
  float middle = 0;
  for (const float p : labels.values()) middle += p / static_cast<float>(labels.size());
  (void)middle;
  for (float& p : labels.values()) p = p > 0.5f;
  save_npy(program_.path("same.npy"), labels);
  const Json same = Json::parse(run("evaluate m.keras --x X.npy --y same.npy --json").out);
  for (const char* score : {"accuracy", "balanced_accuracy", "f1", "auc"})
    EXPECT_EQ(same[score], 1) << score;
  for (float& p : labels.values()) p = 1 - p;
  save_npy(program_.path("other.npy"), labels);
  const Json other = Json::parse(run("evaluate m.keras --x X.npy --y other.npy --json").out);
  for (const char* score : {"accuracy", "balanced_accuracy", "f1", "auc"})
    EXPECT_EQ(other[score], 0) << score;
  EXPECT_EQ(other["confusion"][0][1], same["confusion"][1][1]);
}

TEST_F(Verbs, evaluate_says_the_prevalence_beside_the_accuracy) {
  const Json scores = Json::parse(run("evaluate m.keras --x X.npy --y y.npy --json").out);
  double ones = 0;
  const Array labels = y();
  for (const float v : labels.values()) ones += static_cast<double>(v) / 480;
  EXPECT_NEAR(scores["prevalence"].get<double>(), std::max(ones, 1 - ones), 1e-6);
  EXPECT_NEAR(scores["classes"][1]["share"].get<double>(), ones, 1e-6);
  EXPECT_EQ(scores["count"], 480);
  const std::string text = run("evaluate m.keras --x X.npy --y y.npy").out;
  for (const char* word :
       {"loss ", "accuracy ", "(always the most frequent: ", "balanced accuracy ", "F1 ", "AUC ",
        "precision", "recall", "label \\ found"})
    EXPECT_PRED2(says, text, word);
}

TEST_F(Verbs, evaluate_leaves_out_what_has_no_weight) {
  Array weights({12, 40});
  for (Index i = 0; i < 12; ++i) weights(i, 3) = 1;
  save_npy(program_.path("w.npy"), weights);
  const Json scores =
      Json::parse(run("evaluate m.keras --x X.npy --y y.npy --sample-weight w.npy --json").out);
  EXPECT_EQ(scores["count"], 12);
  Array some({12});
  some(5) = 2;
  save_npy(program_.path("w.npy"), some);
  EXPECT_EQ(
      Json::parse(
          run("evaluate m.keras --x X.npy --y y.npy --sample-weight w.npy --json").out)["count"],
      40);
}

TEST_F(Verbs, evaluate_judges_measured_values_by_their_distance) {
  Model model = make_network("conv-lstm", {40, 3}, {.activation = ActivationFunction::linear});
  save_model(model, program_.path("m.keras"));
  Array values = predicted();
  for (Index i = 0; i < values.size(); ++i) values.data()[i] += i % 2 ? 3.0f : -1.0f;
  save_npy(program_.path("v.npy"), values);
  const Json scores = Json::parse(run("evaluate m.keras --x X.npy --y v.npy --json").out);
  EXPECT_NEAR(scores["mean_absolute_error"].get<double>(), 2, 1e-5);
  EXPECT_NEAR(scores["root_mean_squared_error"].get<double>(), std::sqrt(5), 1e-5);
  EXPECT_NEAR(scores["loss"].get<double>(), 5, 1e-5);
}

TEST_F(Verbs, evaluate_leaves_out_steps_that_a_mask_leaves_out) {
  // The last steps of each sample are padding: 10 of 40, or 20.
  Array padded = x();
  Index counted = 0;
  const auto is_padding = [](Index sample, Index step) { return step >= (sample % 2 ? 20 : 30); };
  for (Index i = 0; i < 12; ++i)
    for (Index t = 0; t < 40; ++t) {
      if (!is_padding(i, t)) ++counted;
      for (Index c = 0; c < 3 && is_padding(i, t); ++c) padded(i, t, c) = -7;
    }
  save_npy(program_.path("padded.npy"), padded);
  const Tensor in = Input({40, 3});
  const Tensor h = LSTM{.units = 4, .return_sequences = true}(Masking{.mask_value = -7}(in));
  Model model(in, Dense{.units = 1, .activation = Activation::sigmoid}(h));
  const Array p = model.predict(padded), labels = y();
  save_model(model, program_.path("masked.keras"));
  Index right = 0;
  for (Index i = 0; i < 12; ++i)
    for (Index t = 0; t < 40; ++t)
      if (!is_padding(i, t)) right += (p(i, t, 0) > 0.5f) == (labels(i, t, 0) > 0.5f);

  const std::string line = "evaluate masked.keras --x padded.npy --y y.npy --json";
  const Json scores = Json::parse(run(line).out);
  EXPECT_EQ(scores["count"], counted);
  EXPECT_NEAR(scores["accuracy"].get<double>(),
              static_cast<double>(right) / static_cast<double>(counted), 1e-6);
  // Sample weights leave out more.
  Array weights({12});
  std::fill(weights.values().begin() + 2, weights.values().end(), 1.0f);
  save_npy(program_.path("w.npy"), weights);
  EXPECT_EQ(Json::parse(run(line + " --sample-weight w.npy").out)["count"], counted - 30 - 20);

  const Json trained =
      Json::parse(run("train --x padded.npy --y y.npy --model masked.keras --epochs 1 --json").out);
  EXPECT_EQ(trained["scores"]["count"], 20 + 30 + 20) << "samples 9, 10 and 11 judge";
  EXPECT_EQ(Json::parse(run("report run --json").out)["scores"]["count"], 20 + 30 + 20);
}

// --- summary and inspect -------------------------------------------------------------------------

TEST_F(Verbs, summary_shows_a_network_and_a_file) {
  EXPECT_PRED2(says, run("summary conv-lstm --input 400,16").out,
               " Total params: 12,481 (48.75 KB)\n");
  EXPECT_PRED2(says, run("summary conv-lstm --input None,16").out, "(None, None, 16)");
  EXPECT_PRED2(says, run("summary m.keras").out, "(None, 40, 1)");
  const Json json = Json::parse(run("summary conv-lstm --input 400,16 --outputs 4 --json").out);
  EXPECT_EQ(json["parameters"], 4128 + 8320 + 132);
  EXPECT_EQ(json["lookahead"], 4);
  EXPECT_EQ(json["layers"][3]["output_shapes"][0], Json::parse("[null, 400, 4]"));
}

TEST_F(Verbs, inspect_counts_what_is_in_arrays) {
  Array bad = x();
  bad(3, 17, 2) = std::numeric_limits<float>::quiet_NaN();
  save_npy(program_.path("bad.npy"), bad);
  const Json json = Json::parse(run("inspect bad.npy y.npy --json").out)["files"];
  EXPECT_EQ(json[0]["arrays"]["bad.npy"]["nan"], 1);
  EXPECT_EQ(json[0]["arrays"]["bad.npy"]["first_bad"], Json::parse("[3, 17, 2]"));
  EXPECT_EQ(json[0]["arrays"]["bad.npy"]["dtype"], "<f4");
  const Json labels = json[1]["arrays"]["y.npy"]["labels"];
  EXPECT_EQ(labels["0"].get<int>() + labels["1"].get<int>(), 480);
  const std::string text = run("inspect bad.npy y.npy").out;
  EXPECT_PRED2(says, text,
               "bad.npy: (12, 40, 3) <f4\n  NaN 1, infinite 0, the first at (3, 17, 2)\n");
}

TEST_F(Verbs, inspect_looks_into_npz_tables_and_models) {
  save_npz(program_.path("d.npz"), {{"x", x()}, {"y", y()}});
  program_.write("t.csv", "a;b\n1,5;2\n");
  const std::string text = run("inspect d.npz t.csv m.keras").out;
  for (const char* part :
       {"x: (12, 40, 3)", "y: (12, 40, 1)", "t.csv: (1, 2)", "columns: a, b", "Total params: "})
    EXPECT_PRED2(says, text, part);
}

TEST_F(Verbs, bench_prints_a_time_for_each_epoch) {
  const Json json =
      Json::parse(run("bench --epochs 2 --samples 8 --input 20,3 --threads 2 --json").out);
  EXPECT_EQ(json["epoch_seconds"].size(), 2u);
  EXPECT_GT(json["epoch_seconds"][0].get<double>(), 0);
}

TEST_F(Verbs, inspect_leaves_out_names_that_recordings_do_not_have) {
  std::filesystem::create_directory(program_.path("r"));
  save_csv(program_.path("r/r0.csv"), x().slice(0, 1).reshaped({40, 3}));
  save_npy(program_.path("r/r0.npy"), y().slice(0, 1).reshaped({40}));
  program_.write("r.toml",
                 "[recordings]\nfolder = \"r\"\n[[recordings.signals]]\nfiles = \"{name}.csv\"\n"
                 "frequency = 10\n[recordings.labels]\nkind = \"steps\"\nfiles = "
                 "\"{name}.npy\"\n");
  const std::string text = run("inspect r.toml").out;
  EXPECT_PRED2(says, text, "\n  r0: 40 steps, 100.00 % count\n");
}

}  // namespace
}  // namespace sonde::testing
