#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

/// Runs after runs: what a second line may rely on when the first one ended well.
class GoingOn : public ::testing::Test {
 protected:
  GoingOn() { save_task(program_); }

  Result train(const std::string& options) {
    return program_.run(
        "train --x X.npy --y y.npy --filters 2 --kernel-size 2 --units 2 --epochs 1 --quiet " +
        options);
  }
  void good(const Result& result) { EXPECT_EQ(result.code, 0) << result.err; }

  Program program_;
};

TEST_F(GoingOn, every_loss_can_be_evaluated_repeated_and_resumed) {
  for (const std::string loss :
       {"huber", "mse", "mae", "bce", "binary_crossentropy", "mean_absolute_error"}) {
    good(train("--loss " + loss + " --out " + loss));
    good(program_.run("evaluate " + loss + "/model.keras --x X.npy --y y.npy"));
    good(program_.run("train " + loss + "/config.toml --quiet --out again-" + loss));
    good(train("--resume --loss " + loss + " --out " + loss));
    EXPECT_EQ(program_.read(loss + "/model.keras"),
              program_.read("again-" + loss + "/model.keras"));
  }
}

TEST_F(GoingOn, the_same_rate_may_be_given_again) {
  good(train("--learning-rate 0.00012345678901 --out run"));
  good(train("--learning-rate 0.00012345678901 --out run --resume"));
  EXPECT_EQ(train("--learning-rate 0.0002 --out run --resume").code, 2);
}

TEST_F(GoingOn, a_rate_that_falls_to_0_does_not_go_on_behind_its_end) {
  good(train("--decay cosine --out run"));
  EXPECT_EQ(program_.run("train --resume --out run --epochs 1").code, 0);
  const Result longer = program_.run("train --resume --out run --epochs 2");
  EXPECT_EQ(longer.code, 2);
  EXPECT_PRED2(says, longer.err, "falls to 0 over its 1 epochs, so that it cannot go on for 2");
}

TEST_F(GoingOn, a_model_file_goes_on_with_its_optimizer) {
  good(train("--optimizer sgd --learning-rate 0.05 --out first"));
  good(train("--model first/model.keras --out second"));
  const LoadedModel second = load_model(program_.path("second/model.keras"));
  ASSERT_TRUE(std::holds_alternative<SGD>(second.model.compiled()->optimizer));
  EXPECT_FLOAT_EQ(static_cast<float>(second.model.learning_rate()), 0.05f);
  EXPECT_EQ(second.model.iterations(), 2);  // one batch in each run
  // Unless another one is asked for.
  good(train("--model first/model.keras --optimizer adam --out third"));
  const LoadedModel third = load_model(program_.path("third/model.keras"));
  EXPECT_TRUE(std::holds_alternative<Adam>(third.model.compiled()->optimizer));
  EXPECT_EQ(third.model.iterations(), 1);
}

TEST_F(GoingOn, force_leaves_a_run_alone_that_is_still_working) {
  program_.meanwhile(
      "train --x X.npy --y y.npy --epochs 100000 --checkpoint-seconds 0 --quiet --out busy",
      "busy/last.checkpoint.before", [&] {
        const Result result = train("--out busy --force");
        EXPECT_EQ(result.code, 5) << result.err;
      });
  EXPECT_TRUE(program_.has("busy/last.checkpoint") || program_.has("busy/last.checkpoint.next"));
  EXPECT_TRUE(program_.has("busy/config.toml"));
}

TEST_F(GoingOn, labels_that_only_judge_are_seen_before_training) {
  Array y = load_npy(program_.path("y.npy"));
  y(11, 5, 0) = std::nanf("");
  save_npy(program_.path("nan.npy"), y);
  Result result = program_.run("train --x X.npy --y nan.npy --out a --quiet");
  EXPECT_EQ(result.code, 3);
  EXPECT_PRED2(says, result.err, "1 of 480 labels are NaN or infinite; the first at (11, 5, 0)");
  EXPECT_FALSE(program_.has("a/model.keras"));

  // Classes that occur in the judging part only are classes all the same.
  y(11, 5, 0) = 2;
  save_npy(program_.path("three.npy"), y);
  result =
      program_.run("train --x X.npy --y three.npy --out b --epochs 1 --json --filters 2 --units 2");
  good(result);
  EXPECT_EQ(Json::parse(result.out)["scores"]["classes"].size(), 3u);
  std::string csv = "a,b,label\n";
  for (int t = 0; t < 200; ++t)
    csv += std::to_string(t % 7) + "," + std::to_string(t % 5) + "," +
           (t > 180 ? "3" : std::to_string(t % 3)) + "\n";
  program_.write("walk.csv", csv);
  result = program_.run(
      "train --x walk.csv --label-column label --window 20 --epochs 1 --out c --json --filters 2");
  good(result);
  EXPECT_EQ(Json::parse(result.out)["scores"]["classes"].size(), 4u);
}

TEST_F(GoingOn, missing_labels_are_asked_for_by_the_right_option) {
  const Result result = train("--validation-x X.npy --out run");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err, "sonde: there are no labels for X.npy. Give --validation-y FILE.\n");
}

TEST_F(GoingOn, labels_alone_are_no_signal) {
  save_npz(program_.path("only.npz"), {{"y", load_npy(program_.path("y.npy"))}});
  const Result result = program_.run("train --x only.npz --out run");
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("has no array x or X"), std::string::npos) << result.err;
}

TEST_F(GoingOn, a_stderr_that_takes_nothing_changes_no_exit_code) {
  for (const char* place : {"/dev/full", "/dev/null"}) {
    program_.errors_to(place);
    EXPECT_EQ(program_.run("summary nope").code, 2) << place;
    EXPECT_EQ(program_.run("train --x X.npy --y y.npy --epochs 1 --force --out run").code, 0);
  }
}

}  // namespace
}  // namespace sonde::testing
