#include <gtest/gtest.h>

#include <sonde/formats.hpp>

#include "tests/support/train_recordings.hpp"

namespace sonde::testing {
namespace {

/// Recordings of two leads, each of which is shown to a network of one channel.
class TrainChannels : public TrainRecordings {
 protected:
  void leave_together(const std::string& more = "") {
    configure("validation = [\"sel103\"]\ntest = [\"sele*\"]\n", more);
  }
  void take_apart(const std::string& more = "") {
    leave_together(more);
    std::string text = program_.read("recording.toml");
    text.replace(text.find("[recordings]\n"), 13, "[recordings]\none_channel_each = true\n");
    program_.write("recording.toml", text);
  }
};

TEST_F(TrainChannels, learn_from_mixtures_that_nobody_is_judged_by) {
  take_apart();
  train("--normalize range --out plain");
  take_apart("mixtures = 3\n");
  train("--normalize range --out mixed");
  const Json plain = json("plain/metrics.json"), mixed = json("mixed/metrics.json");
  EXPECT_EQ(plain["split"], mixed["split"]);
  EXPECT_EQ(mixed["scores"]["recordings"], 4) << "two leads of each test record";
  EXPECT_EQ(mixed["scores"]["groups"], 2);
  EXPECT_NE(program_.read("plain/history.csv"), program_.read("mixed/history.csv"));
  EXPECT_PRED2(says, program_.read("mixed/log.txt"), "mixtures:   9 recordings");
  const std::string page = program_.read("mixed/report.html");
  EXPECT_EQ(program_.run("report mixed -o again.html").code, 0);
  EXPECT_EQ(program_.read("again.html"), page);
  // The model labels each lead of a record by itself, at any rate.
  const Result found = program_.run("predict mixed/model.keras ecg/sel100.hea -o labelled");
  EXPECT_EQ(found.code, 0) << found.err;
  const WfdbRecord record = load_wfdb(program_.path("ecg/sel100"));
  for (const std::string& lead : record.channels)
    EXPECT_EQ(load_npy(program_.path("labelled/sel100-" + lead + ".labels.npy")).size(),
              record.signal.shape()[0]);
  leave_together("mixtures = 3\n");
  const Result refused = program_.run("train recording.toml --out wrong");
  EXPECT_EQ(refused.code, 2);
  EXPECT_PRED2(says, refused.err, "one_channel_each = true");
}

TEST_F(TrainChannels, are_judged_and_labelled_as_wholes_if_asked) {
  take_apart();
  train("--normalize range --out apart");
  train("--normalize range --combine-channels --post-process auto --out whole");
  EXPECT_EQ(json("apart/metrics.json")["scores"]["recordings"], 4) << "two leads of each";
  const Json scores = json("whole/metrics.json")["scores"];
  EXPECT_EQ(scores["recordings"], 2);
  EXPECT_EQ(scores["by_group"][0]["recordings"], 1);
  EXPECT_NE(scores["figures"]["accuracy"],
            json("apart/metrics.json")["scores"]["figures"]["accuracy"]);
  EXPECT_EQ(program_.read("apart/history.csv").substr(0, 40),
            program_.read("whole/history.csv").substr(0, 40));
  // The page shows both leads of a record, under their names.
  const WfdbRecord record = load_wfdb(program_.path("ecg/sel100"));
  EXPECT_PRED2(says, program_.read("whole/report.html"), record.channels[1]);
  EXPECT_EQ(program_.run("report whole -o again.html").code, 0);
  EXPECT_EQ(program_.read("again.html"), program_.read("whole/report.html"));
  // It is what the file says of any recording of several channels, taken apart by the table or not.
  leave_together();
  const Result judged =
      program_.run("evaluate whole/model.keras recording.toml --part test --json");
  ASSERT_EQ(judged.code, 0) << judged.err;
  Json again = Json::parse(judged.out);
  EXPECT_EQ(again["figures"], scores["figures"]);
  const Result found = program_.run("predict whole/model.keras ecg/sel100.hea -o labelled");
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_EQ(load_npy(program_.path("labelled/sel100.labels.npy")).size(), record.signal.shape()[0]);
  const Result refused = program_.run("train recording.toml --combine-channels --out wrong");
  EXPECT_EQ(refused.code, 2);
  EXPECT_PRED2(says, refused.err, "--combine-channels needs recordings of one channel each");
}

}  // namespace
}  // namespace sonde::testing
