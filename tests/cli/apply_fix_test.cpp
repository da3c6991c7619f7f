#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/networks.hpp>
#include <sonde/recipe.hpp>

#include "tests/support/program.hpp"

// What `sonde train` says when model and data do not fit, and what --apply-fix makes of them.
namespace sonde::testing {
namespace {

using Json = nlohmann::json;

class ApplyFix : public ::testing::Test {
 protected:
  ApplyFix() { save_task(program_); }

  /// The numbered changes that are offered, as --json lists them.
  Json fixes(const std::string& options) {
    const Result result = program_.run("train --json --out none " + options);
    EXPECT_NE(result.code, 0) << options;
    EXPECT_PRED2(says, result.err, "Add --apply-fix N to train with change N of these.");
    return Json::parse(result.out)["fixes"];
  }
  /// Trains with each of them, and looks at what came of it.
  void train_all(const std::string& options) {
    const Json offered = fixes(options);
    ASSERT_FALSE(offered.empty()) << options;
    for (std::size_t i = 0; i < offered.size(); ++i) {
      const std::string out = "fix" + std::to_string(i + 1);
      const Result result = program_.run("train --epochs 1 --force --out " + out + " --apply-fix " +
                                         std::to_string(i + 1) + " " + options);
      EXPECT_EQ(result.code, 0) << options << "\n" << offered[i] << "\n" << result.err;
      const Model model = Model::load(program_.path(out + "/model.keras"));
      Index parameters = 0;
      for (const Array& each : model.get_weights()) parameters += each.size();
      EXPECT_EQ(parameters, offered[i]["parameters"].get<Index>()) << offered[i];
    }
  }
  void save(const std::string& name, const Array& array) { save_npy(program_.path(name), array); }
  Array x() { return load_npy(program_.path("X.npy")); }
  Array y() { return load_npy(program_.path("y.npy")); }

  Program program_;
};

TEST_F(ApplyFix, lists_what_would_fit_with_numbers) {
  const Result result = program_.run("train --x X.npy --y y.npy --model conv-pool-lstm-last");
  EXPECT_EQ(result.code, 3);
  for (const char* line :
       {"Time:", "  max_pooling1d: 33 → 8 (pool_size 4, padding \"valid\")",
        "  lstm: return_sequences is false, time ends here", "Changes that fit:",
        "  1. conv1d: padding = \"same\"; max_pooling1d left out; lstm: return_sequences = true\n"
        "     → output (None, 40, 1), 9,153 parameters",
        "  2. dense: units = 40; y reshaped to (n, 40)\n     → output (None, 40), ",
        "UpSampling1D(4) before dense", "Add --apply-fix N to train with change N of these."})
    EXPECT_PRED2(says, result.err, line);
  EXPECT_FALSE(program_.has("run"));
}

TEST_F(ApplyFix, trains_the_changed_network_on_the_changed_labels) {
  train_all("--x X.npy --y y.npy --model conv-pool-lstm-last");
  const Model wide = Model::load(program_.path("fix2/model.keras"));
  EXPECT_EQ(wide.graph().output_tensors()[0].shape(), (Shape{40}));
}

TEST_F(ApplyFix, repeats_a_run_from_its_configuration) {
  const std::string first =
      "train --x X.npy --y y.npy --model conv-pool-lstm-last --epochs 2 --apply-fix 3";
  ASSERT_EQ(program_.run(first).code, 0);
  ASSERT_EQ(program_.run("train run/config.toml --out again").code, 0);
  EXPECT_EQ(program_.read("run/history.csv"), program_.read("again/history.csv"));
}

TEST_F(ApplyFix, turns_channels_and_time_around) {
  const Array given = x();
  Array swapped({12, 3, 40});
  for (Index i = 0; i < 12; ++i)
    for (Index t = 0; t < 40; ++t)
      for (Index c = 0; c < 3; ++c) swapped(i, c, t) = given(i, t, c);
  save("swapped.npy", swapped);
  const Json offered = fixes("--x swapped.npy --y y.npy");
  EXPECT_EQ(offered[0]["edits"],
            (Json{"X transposed to (n, 40, 3)", "input_layer: shape (40, 3)"}));
  // The run is the one of the data as they should have been.
  ASSERT_EQ(program_.run("train --epochs 2 --x swapped.npy --y y.npy --apply-fix 1").code, 0);
  ASSERT_EQ(program_.run("train --epochs 2 --x X.npy --y y.npy --out straight").code, 0);
  EXPECT_EQ(program_.read("run/history.csv"), program_.read("straight/history.csv"));
}

TEST_F(ApplyFix, mends_labels_at_another_rate_kernels_too_long_and_labels_of_whole_signals) {
  save("slow.npy", y().reshaped({12, 40}).reshaped({12, 10, 4}).reshaped({48, 10, 1}).slice(0, 12));
  train_all("--x X.npy --y slow.npy");
  train_all("--x X.npy --y y.npy --model conv-pool-lstm-last --kernel-size 41");
  save("whole.npy", y().reshaped({12, 40}).reshaped({480}).slice(0, 12));
  train_all("--x X.npy --y whole.npy");
  train_all(
      "--x X.npy --y y.npy --loss sparse_categorical_crossentropy --model "
      "conv-pool-lstm-wide");
}

TEST_F(ApplyFix, goes_on_with_a_model_of_other_channels) {
  ASSERT_EQ(program_.run("train --x X.npy --y y.npy --epochs 1").code, 0);
  Array narrow({12, 40, 2});
  for (Index i = 0; i < narrow.size(); ++i) narrow.data()[i] = x().data()[i];
  save("narrow.npy", narrow);
  train_all("--x narrow.npy --y y.npy --model run/model.keras");
}

TEST_F(ApplyFix, keeps_the_scale_that_each_recording_has_of_itself) {
  save_model(make_network("conv-lstm", {40, 3}, {.filters = 3, .kernel_size = 3, .units = 3}),
             program_.path("m.keras"),
             to_extra({.channels = {"a", "b", "c"},
                       .normalizer = Normalizer{Scaling::per_recording_robust, {}, {}}}));
  Array narrow({12, 40, 2});
  for (Index i = 0; i < narrow.size(); ++i) narrow.data()[i] = 100 * x().data()[i];
  save("narrow.npy", narrow);
  const std::string line =
      "train --epochs 1 --x narrow.npy --y y.npy --model m.keras --apply-fix 1";
  const Result result = program_.run(line);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_PRED2(says, result.err, "scale:  that of m.keras");
  const LoadedModel loaded = load_model(program_.path("run/model.keras"));
  const Value* kept = loaded.extra.find("normalizer");
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept->find("scaling")->as<std::string>(), "per_recording_robust");
  EXPECT_FALSE(loaded.extra.find("channels")) << "names of three channels, and there are two";
  EXPECT_EQ(program_.run("predict run/model.keras narrow.npy -o p.npy").code, 0);
}

TEST_F(ApplyFix, is_refused_where_all_fits_and_beyond_the_list) {
  const Result fits = program_.run("train --x X.npy --y y.npy --apply-fix 1");
  EXPECT_EQ(fits.code, 2);
  EXPECT_PRED2(says, fits.err, "--apply-fix: model and data fit as they are. Leave it out.");
  const Result beyond =
      program_.run("train --x X.npy --y y.npy --model conv-pool-lstm-last --apply-fix 6");
  EXPECT_EQ(beyond.code, 2);
  EXPECT_PRED2(says, beyond.err, "--apply-fix 6: there are 5 changes.");
  EXPECT_FALSE(program_.has("run"));
}

}  // namespace
}  // namespace sonde::testing
