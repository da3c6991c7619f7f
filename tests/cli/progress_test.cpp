#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

class Progress : public ::testing::Test {
 protected:
  Progress() { save_task(program_); }
  Result train(const std::string& options) {
    return program_.run("train --x X.npy --y y.npy --filters 2 --units 2 --epochs 3 " + options);
  }
  static std::vector<std::string> lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> found;
    for (std::string line; std::getline(stream, line);) found.push_back(line);
    return found;
  }

  Program program_;
};

TEST_F(Progress, is_one_line_for_each_epoch_in_a_file) {
  const Result result = train("--out run");
  EXPECT_EQ(result.code, 0);
  int epochs = 0;
  for (const std::string& line : lines(result.err)) epochs += line.starts_with("Epoch ");
  EXPECT_EQ(epochs, 3);
  EXPECT_EQ(result.err.find_first_of("\r\b\x1b"), std::string::npos);
}

TEST_F(Progress, as_json_is_one_object_on_each_line_of_stderr) {
  const Result result = train("--out run --json --progress json --early-stopping 50");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(Json::parse(result.out)["status"], "finished");
  std::map<std::string, std::vector<Json>> events;
  for (const std::string& line : lines(result.err)) {
    const Json event = Json::parse(line);
    events[event["event"].get<std::string>()].push_back(event);
  }
  ASSERT_EQ(events["begin"].size(), 1u);
  EXPECT_EQ(events["begin"][0]["epochs"], 3);
  EXPECT_EQ(events["begin"][0]["resumed"], false);
  ASSERT_EQ(events["epoch"].size(), 3u);
  for (int e = 0; e < 3; ++e) {
    const Json& epoch = events["epoch"][static_cast<std::size_t>(e)];
    EXPECT_EQ(epoch["epoch"], e + 1);
    EXPECT_EQ(epoch["batch"], epoch["batches"]);
    EXPECT_GT(epoch["samples_per_second"].get<double>(), 0);
    EXPECT_EQ(epoch["seconds_left"].get<double>() == 0, e == 2);
    for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"})
      EXPECT_TRUE(epoch["values"][name].is_number()) << name;
  }
  EXPECT_GT(events["message"].size(), 2u);
  ASSERT_EQ(events["end"].size(), 1u);
  EXPECT_EQ(events["end"][0]["status"], "finished");
}

TEST_F(Progress, as_json_says_how_a_run_ended_badly) {
  const Result result = train(
      "--out run --progress json --loss mse --optimizer sgd "
      "--learning-rate 1e30 --batch-size 4");
  EXPECT_EQ(result.code, 7);
  const std::vector<std::string> all = lines(result.err);
  ASSERT_GT(all.size(), 2u);
  EXPECT_EQ(Json::parse(all[all.size() - 2])["status"], "diverged");
  EXPECT_TRUE(all.back().starts_with("sonde: training diverged"));
}

TEST_F(Progress, none_is_silent_and_other_words_are_refused) {
  EXPECT_EQ(train("--out run --progress none").err, "");
  const Result result = train("--out other --progress jsn");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "--progress");
  EXPECT_PRED2(says, result.err, "json");
}

}  // namespace
}  // namespace sonde::testing
