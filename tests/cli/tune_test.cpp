#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

class Tune : public ::testing::Test {
 protected:
  Tune() { save_task(program_); }

  /// A file of train with these tables, then the search.
  Result tune(const std::string& tables, const std::string& more = "", Index epochs = 2) {
    program_.write("search.toml",
                   "x = \"X.npy\"\ny = \"y.npy\"\nfilters = 2\nunits = 2\nepochs = " +
                       std::to_string(epochs) + "\n" + tables);
    return program_.run("tune search.toml --out tuned --threads 1 " + more);
  }
  std::string refusal(const std::string& tables) {
    const Result result = tune(tables);
    EXPECT_EQ(result.code, 2) << tables << result.err;
    EXPECT_FALSE(program_.has("tuned/trials")) << tables;
    return result.err;
  }
  Json trials() const { return Json::parse(program_.read("tuned/trials.json"))["trials"]; }
  double best_loss(const std::string& run) const {
    return Json::parse(program_.read(run + "/metrics.json"))["best"]["val_loss"];
  }

  Program program_;
};

const std::string grid = "[tune]\nsearch = \"grid\"\n[tune.values]\n";

TEST_F(Tune, tries_each_combination_and_writes_the_best_as_a_configuration) {
  const Result result = tune(grid + "seed = [1, 2]\nlearning_rate = [0.0001, 0.01]\n", "--json");
  ASSERT_EQ(result.code, 0) << result.err;
  const Json all = Json::parse(result.out);
  ASSERT_EQ(all["trials"].size(), 4u);
  std::vector<double> losses;
  for (const Json& each : all["trials"]) {
    EXPECT_EQ(each["status"], "finished");
    EXPECT_EQ(each["criterion"], "val_loss");
    losses.push_back(each["mean"]);
    // What a trial reached is what its options reach by themselves.
    const std::string line = "train --x X.npy --y y.npy --filters 2 --units 2 --epochs 2 --quiet";
    const std::string out = "alone" + std::to_string(each["trial"].get<int>());
    program_.run(line + " --seed " + each["values"]["seed"].dump() + " --learning-rate " +
                 each["values"]["learning_rate"].dump() + " --out " + out);
    EXPECT_EQ(best_loss(out), losses.back());
  }
  const auto least = std::min_element(losses.begin(), losses.end());
  EXPECT_EQ(all["best"], least - losses.begin() + 1);
  EXPECT_EQ(program_.run("train tuned/best.toml --out again").code, 0);
  EXPECT_EQ(best_loss("again"), *least);
  const std::string csv = program_.read("tuned/trials.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  EXPECT_PRED2(says, csv, "trial,status,epochs,learning_rate,seed,criterion,mean,deviation,reason");
}

TEST_F(Tune, draws_the_same_trials_again_and_others_from_another_seed) {
  const std::string random =
      "trials = 5\n[tune.values]\nlearning_rate = {from = 1e-4, to = 1e-1, log = true}\n"
      "units = {from = 1, to = 3}\n";
  const auto values = [&](const std::string& rules) {
    EXPECT_EQ(tune("[tune]\n" + rules + random, "--force", 1).code, 0);
    Json found;
    for (const Json& each : trials()) {
      found.push_back(each["values"]);
      EXPECT_GE(each["values"]["learning_rate"], 1e-4);
      EXPECT_LE(each["values"]["learning_rate"], 1e-1);
      EXPECT_TRUE(each["values"]["units"].is_number_integer());
    }
    EXPECT_EQ(found.size(), 5u);
    return found;
  };
  const Json first = values("seed = 3\n");
  EXPECT_EQ(values("seed = 3\n"), first);
  EXPECT_NE(values("seed = 4\n"), first);
}

TEST_F(Tune, notes_a_trial_that_diverges_and_goes_on) {
  const Result result = tune("loss = \"mse\"\noptimizer = \"sgd\"\nbatch_size = 4\n" + grid +
                             "learning_rate = [1e30, 0.01]\n");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(trials()[0]["status"], "diverged");
  EXPECT_PRED2(says, trials()[0]["reason"].get<std::string>(), "diverged");
  EXPECT_EQ(trials()[1]["status"], "finished");
  EXPECT_PRED2(says, program_.read("tuned/best.toml"), "learning_rate = 0.01");
}

TEST_F(Tune, says_why_when_nothing_worked) {
  const Result result = tune(grid + "validation_split = [0.9999]\n");
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_PRED2(says, result.err, "all 1 trials failed; the first one: sonde: ");
}

TEST_F(Tune, halving_trains_the_better_ones_longer) {
  const Result result = tune(
      "[tune]\nsearch = \"halving\"\ntrials = 6\nfirst_epochs = 1\nkeep_one_of = 2\n"
      "[tune.values]\nlearning_rate = {from = 1e-4, to = 1e-1, log = true}\n",
      "", 4);
  ASSERT_EQ(result.code, 0) << result.err;
  std::vector<Index> epochs;
  for (const Json& each : trials()) epochs.push_back(each["epochs"]);
  EXPECT_EQ(std::count(epochs.begin(), epochs.end(), 1), 3);
  EXPECT_EQ(std::count(epochs.begin(), epochs.end(), 2), 1);
  EXPECT_EQ(std::count(epochs.begin(), epochs.end(), 4), 2);
  // One that went on twice is where four epochs in one go would be.
  const auto longest = std::max_element(epochs.begin(), epochs.end()) - epochs.begin();
  const Json line = trials()[static_cast<std::size_t>(longest)];
  program_.run("train --x X.npy --y y.npy --filters 2 --units 2 --epochs 4 --quiet --out alone " +
               ("--learning-rate " + line["values"]["learning_rate"].dump()));
  EXPECT_EQ(best_loss("alone"), line["mean"].get<double>());
}

TEST_F(Tune, goes_on_after_an_interrupt_as_if_there_had_been_none) {
  const std::string tables = grid + "seed = [1, 2, 3]\n";
  ASSERT_EQ(tune(tables, "", 30).code, 0);
  const std::string whole = program_.read("tuned/trials.csv");
  std::filesystem::remove_all(program_.path("tuned"));
  for (const int signal : {SIGINT, SIGTERM}) {
    const Result stopped =
        program_.interrupt("tune search.toml --out tuned --threads 1", signal, "tuned/trials.csv");
    EXPECT_EQ(stopped.code, 128 + signal) << stopped.err;
    EXPECT_PRED2(says, stopped.err, "--resume --out tuned");
    EXPECT_FALSE(program_.has("tuned/best.toml"));
    const std::string first = "tuned/trials/0001/run.epochs-30.json";
    const auto written = std::filesystem::last_write_time(program_.path(first));
    const Result result = tune(tables, "--resume", 30);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(program_.read("tuned/trials.csv"), whole);
    EXPECT_EQ(std::filesystem::last_write_time(program_.path(first)), written);
    std::filesystem::remove_all(program_.path("tuned"));
  }
}

TEST_F(Tune, refuses_a_folder_in_use_and_another_search_in_it) {
  const std::string tables = grid + "seed = [1]\n";
  ASSERT_EQ(tune(tables).code, 0);
  Result result = tune(tables);
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "--resume");
  result = tune(grid + "seed = [2]\n", "--resume");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "other options or values");
  EXPECT_EQ(tune(tables, "--resume --force").code, 2);
  program_.write("file", "");
  EXPECT_EQ(program_.run("tune search.toml --out file").code, 5);
}

TEST_F(Tune, refuses_what_cannot_be_tried) {
  EXPECT_PRED2(says, refusal(""), "has no table [tune]");
  EXPECT_PRED2(says, refusal("[tune]\n"), "[tune.values] is missing or empty");
  EXPECT_PRED2(says, refusal("[tune]\n[tune.values]\n"), "missing or empty");
  EXPECT_PRED2(says, refusal("[tune]\ntrails = 3\n[tune.values]\nseed = [1]\n"), "trials");
  EXPECT_PRED2(says, refusal(grid + "unit = [1]\n"), "units");
  EXPECT_PRED2(says, refusal(grid + "units = [\"many\"]\n"), "units must be");
  EXPECT_PRED2(says, refusal(grid + "units = 3\n"), "a list of values");
  EXPECT_PRED2(says, refusal(grid + "units = []\n"), "a list of values");
  EXPECT_PRED2(says, refusal(grid + "units = {from = 1, to = 8}\n"), "a grid needs count");
  EXPECT_PRED2(says, refusal(grid + "units = {from = 8, to = 1, count = 3}\n"), "from below to");
  EXPECT_PRED2(says, refusal(grid + "units = {from = 8, step = 1}\n"), "step");
  EXPECT_PRED2(says, refusal(grid + "units = {from = 1, to = 8, count = 1}\n"), "from 2 to");
  EXPECT_PRED2(says,
               refusal("[tune]\n[tune.values]\nlearning_rate = {from = 0, to = 1, log = true}\n"),
               "log needs from above 0");
  EXPECT_PRED2(says, refusal(grid + "out = [\"a\"]\n"), "out is set by the search itself");
  EXPECT_PRED2(says, refusal("[tune]\nsearch = \"halving\"\n[tune.values]\nepochs = [1]\n"),
               "epochs is set by the search itself");
  EXPECT_PRED2(says, refusal(grid + "batch_size = [0]\n"), "--batch-size must be at least 1");
  EXPECT_PRED2(says, refusal("[tune]\ntrials = 0\n[tune.values]\nseed = [1]\n"), "trials must be");
  EXPECT_PRED2(says, refusal("[tune]\nfolds = 1\n[tune.values]\nseed = [1]\n"), "folds must be 0");
  EXPECT_EQ(program_.run("tune missing.toml").code, 5);
}

TEST_F(Tune, refuses_a_criterion_that_no_run_has) {
  const Result result =
      tune("[tune]\nsearch = \"grid\"\ncriterion = \"val_f1\"\n[tune.values]\nseed = [1]\n");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "\"val_f1\" is none of the values of a run: ");
  EXPECT_PRED2(says, result.err, "val_accuracy");
}

TEST_F(Tune, judges_by_a_value_where_more_is_better) {
  const Result result = tune(
      "[tune]\nsearch = \"grid\"\ncriterion = \"val_accuracy\"\n[tune.values]\nseed = [1, 2, 3]\n",
      "--json");
  ASSERT_EQ(result.code, 0) << result.err;
  const Json all = Json::parse(result.out);
  double most = 0;
  for (const Json& each : all["trials"]) most = std::max(most, each["mean"].get<double>());
  EXPECT_EQ(all["trials"][all["best"].get<std::size_t>() - 1]["mean"], most);
}

}  // namespace
}  // namespace sonde::testing
