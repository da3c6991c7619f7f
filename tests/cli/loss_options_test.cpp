#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>

#include "cli/loss_text.hpp"
#include "tests/support/program.hpp"

// What losses look at: their arguments, and labels that are ignored.
namespace sonde::testing {
namespace {

using Json = nlohmann::json;

TEST(LossText, says_arguments_behind_the_name_and_is_read_back) {
  for (const char* text :
       {"tversky(alpha=0.7, beta=0.3)", "dice", "mean_squared_error(reduction=sum)",
        "binary_focal_crossentropy(apply_class_balancing=true, gamma=1.5, label_smoothing=0.1)",
        "categorical_focal_crossentropy(alpha=0.3)", "dice(axis=[1, 2])",
        "sparse_categorical_crossentropy(ignore_class=-1)", "huber_loss(delta=2)"})
    EXPECT_EQ(cli::loss_text(cli::read_loss(text)), text);
  EXPECT_EQ(cli::loss_text(cli::read_loss("bce(label_smoothing=0)")), "binary_crossentropy")
      << "what is as usual is not said";
  EXPECT_EQ(cli::read_loss(" Tversky ( beta = 0.3,alpha=0.7 ) "),
            Loss(Tversky{.alpha = 0.7, .beta = 0.3}));
  EXPECT_EQ(cli::read_loss("mse()"), Loss(MeanSquaredError{}));
}

TEST(LossText, is_refused_with_what_is_near) {
  const auto refusal = [](const char* text) {
    return refused_with<ArgumentError>([&] { cli::read_loss(text); });
  };
  EXPECT_EQ(refusal("tversky(alhpa=0.7)"),
            "loss: tversky: \"alhpa\" is not known. Did you mean \"alpha\"?");
  EXPECT_EQ(refusal("tversky(alpha=much)"),
            "loss: tversky: alpha must be a number, got \"much\" (a text).");
  EXPECT_EQ(refusal("tverski(alpha=0.7)"),
            "loss: \"tverski\" is not known. Did you mean \"Tversky\"?");
  EXPECT_PRED2(says, refusal("tversky(alpha=0.7"), "loss: there is no ) at the end in \"");
  EXPECT_PRED2(says, refusal("tversky(0.7)"), "loss: \"0.7\" is no argument with its value in \"");
  EXPECT_PRED2(says, refusal("mse(reduction=sum, reduction=sum)"), "loss: reduction stands twice");
}

class LossOptions : public ::testing::Test {
 protected:
  LossOptions() { save_task(program_); }

  Result run(const std::vector<std::string>& words) {
    const Result result = program_.run(words);
    EXPECT_EQ(result.code, 0) << result.err;
    return result;
  }
  std::string history(const std::string& run) { return program_.read(run + "/history.csv"); }

  Program program_;
};

TEST_F(LossOptions, arguments_train_are_kept_and_are_repeated) {
  const std::vector<std::string> line = {"train", "--x",      "X.npy", "--y",
                                         "y.npy", "--epochs", "2",     "--loss"};
  const auto with = [&](const std::string& loss, const std::string& out) {
    auto words = line;
    words.insert(words.end(), {loss, "--out", out});
    return run(words);
  };
  with("tversky", "plain");
  EXPECT_PRED2(says, with("tversky(alpha=0.9, beta=0.1)", "run").err,
               "loss tversky(alpha=0.9, beta=0.1)");
  EXPECT_NE(history("run"), history("plain"));
  EXPECT_PRED2(says, program_.read("run/config.toml"), "loss = \"tversky(alpha=0.9, beta=0.1)\"");
  run({"train", "run/config.toml", "--out", "again"});
  EXPECT_EQ(history("run"), history("again"));
  const Model model = Model::load(program_.path("run/model.keras"));
  EXPECT_EQ(model.compiled()->loss[0], Loss(Tversky{.alpha = 0.9, .beta = 0.1}));
  // A model that goes on does so with them, and says them too.
  run({"train", "--x", "X.npy", "--y", "y.npy", "--epochs", "1", "--model", "run/model.keras",
       "--out", "on"});
  EXPECT_PRED2(says, program_.read("on/config.toml"), "loss = \"tversky(alpha=0.9, beta=0.1)\"");
}

TEST_F(LossOptions, tune_tries_arguments_of_losses) {
  program_.write("search.toml",
                 "x = \"X.npy\"\ny = \"y.npy\"\nepochs = 1\n[tune]\nsearch = \"grid\"\n"
                 "[tune.values]\nloss = [\"dice\", \"tversky(alpha=0.9, beta=0.1)\"]\n");
  run({"tune", "search.toml", "--out", "tuned"});
  EXPECT_PRED2(says, program_.read("tuned/trials/0002/config.toml"),
               "loss = \"tversky(alpha=0.9, beta=0.1)\"");
  EXPECT_PRED2(says, program_.read("tuned/trials.csv"), "\"tversky(alpha=0.9, beta=0.1)\"");
}

TEST_F(LossOptions, ignored_labels_count_as_those_of_weight_0_do) {
  Array labels = load_npy(program_.path("y.npy")), weights({12, 40});
  for (Index i = 0; i < 12; ++i)
    for (Index t = 0; t < 40; ++t) {
      const bool is_known = (i + t) % 5 != 0;
      weights(i, t) = is_known ? 1 : 0;
      if (!is_known) labels(i, t, 0) = -1;
    }
  save_npy(program_.path("labels.npy"), labels);
  save_npy(program_.path("flat.npy"), labels.reshaped({12, 40}));
  save_npy(program_.path("w.npy"), weights);
  const std::string line = "train --x X.npy --epochs 2 --class-weight auto --y ";
  const Result ignored = program_.run(line + "labels.npy --ignore-label -1 --json --out a");
  ASSERT_EQ(ignored.code, 0) << ignored.err;
  EXPECT_EQ(Json::parse(ignored.out)["scores"]["count"], 96);  // of 3 * 40
  ASSERT_EQ(program_.run(line + "labels.npy --sample-weight w.npy --out b").code, 0);
  EXPECT_EQ(history("a"), history("b"));
  ASSERT_EQ(program_.run(line + "flat.npy --ignore-label -1 --out c").code, 0);
  EXPECT_EQ(history("a"), history("c"));
  ASSERT_EQ(program_.run("train a/config.toml --out d").code, 0);
  EXPECT_EQ(history("a"), history("d")) << "the configuration holds it";
  const Result judged =
      program_.run("evaluate a/model.keras --x X.npy --y labels.npy --ignore-label -1 --json");
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(Json::parse(judged.out)["count"], 384);  // of 12 * 40
  EXPECT_EQ(program_.run("report a").code, 0);
  // Together with weights: a label counts where both let it.
  for (Index t = 0; t < 40; ++t) weights(11, t) = 0;
  save_npy(program_.path("w.npy"), weights);
  EXPECT_EQ(
      Json::parse(program_
                      .run("evaluate a/model.keras --x X.npy --y labels.npy --ignore-label -1 "
                           "--sample-weight w.npy --json")
                      .out)["count"],
      352);
}

TEST_F(LossOptions, labels_of_several_numbers_cannot_be_ignored_by_one) {
  save_npy(program_.path("hot.npy"), Array({12, 40, 2}));
  const Result result = program_.run("train --x X.npy --y hot.npy --ignore-label 0");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err,
               "--ignore-label is for labels of one number; those of hot.npy have 2. Give them "
               "weights instead: --sample-weight FILE.");
}

TEST_F(LossOptions, a_clock_among_the_signals_of_a_table_is_warned_of_once) {
  std::string rows = "time,a,label\n";
  for (int i = 0; i < 300; ++i)
    rows +=
        std::to_string(i * 0.02) + "," + std::to_string(i % 7) + "," + std::to_string(i % 2) + "\n";
  program_.write("walk.csv", rows);
  const Result result =
      program_.run("train --x walk.csv --label-column label --window 20 --epochs 1");
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string warning =
      "warning: walk.csv: the column \"time\" rises by 0.02 from row to row, as a clock does, and "
      "is "
      "taken for a signal: ";
  EXPECT_PRED2(says, result.err, warning);
  EXPECT_EQ(result.err.find(warning), result.err.rfind(warning));
  EXPECT_PRED2(says, result.err,
               "time = \"time\" in [[recordings.signals]]: see docs/recordings.md.");
  EXPECT_PRED2(says, program_.read("run/log.txt"), warning);
  // A model that has learned from a clock is not praised without a word.
  const Result judged =
      program_.run("evaluate run/model.keras --x walk.csv --label-column label --json");
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_PRED2(says, judged.err, "sonde: " + warning);
  EXPECT_TRUE(Json::parse(judged.out).contains("accuracy"));
}

/// Six recordings of a clock, a signal and labels 0, 1 and 9, which is none.
TEST_F(LossOptions, recordings_ignore_labels_that_are_no_classes_and_warn_of_clocks_once) {
  std::filesystem::create_directory(program_.path("r"));
  for (int k = 0; k < 6; ++k) {
    std::string rows = "t,a,label\n";
    for (int i = 0; i < 120; ++i)
      rows += std::to_string(i) + "," + std::to_string((i * (k + 3)) % 11) + "," +
              std::to_string(i % 4 == 3 ? 9 : i / 10 % 2) + "\n";
    program_.write("r/" + std::to_string(k) + ".csv", rows);
  }
  program_.write("r.toml",
                 "filters = 2\nunits = 2\nkernel_size = 3\nwindow = 20\nwindows_per_epoch = 8\n"
                 "epochs = 1\n[recordings]\nfolder = \"r\"\nclasses = [\"no\", \"yes\"]\n"
                 "[[recordings.signals]]\nfiles = \"{who}.csv\"\nfrequency = 10\n"
                 "[recordings.labels]\ncolumn = \"label\"\n[split]\ntest_share = 0.3\n");
  EXPECT_PRED2(says, program_.run("train r.toml").err, "the label \"9\" is no class");
  const Result result = program_.run("train r.toml --ignore-label 9 --json");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["scores"]["steps"]["count"], 2 * 90);
  const std::string warning = "the column \"t\" rises by 1 from row to row";
  EXPECT_PRED2(says, result.err, warning);
  EXPECT_EQ(result.err.find(warning), result.err.rfind(warning));
  EXPECT_PRED2(says, result.err, "time = \"t\" and time_unit = \"samples\"");
  // Several trainings say it once, and evaluate takes the label from the run's configuration.
  const Result folds = program_.run("train r.toml --ignore-label 9 --folds 3 --out folds");
  ASSERT_EQ(folds.code, 0) << folds.err;
  EXPECT_EQ(folds.err.find(warning), folds.err.rfind(warning));
  const Result judged = program_.run("evaluate run/model.keras run/config.toml --part test --json");
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(Json::parse(judged.out)["steps"]["count"], 2 * 90);
  EXPECT_EQ(program_.run("inspect run/config.toml").code, 0);
  // A class that is known may be ignored, too.
  const Result zeros =
      program_.run("evaluate run/model.keras r.toml --part all --ignore-label 9 --json");
  ASSERT_EQ(zeros.code, 0) << zeros.err;
  EXPECT_EQ(Json::parse(zeros.out)["steps"]["count"], 6 * 90);
}

}  // namespace
}  // namespace sonde::testing
