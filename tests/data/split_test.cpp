#include <gtest/gtest.h>

#include "base/file.hpp"
#include "sonde/recordings.hpp"
#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;

Recording recording(const std::string& name, const std::vector<float>& labels = {0},
                    const std::vector<float>& weights = {1}) {
  const auto steps = static_cast<Index>(labels.size());
  return {.name = name,
          .signal = Array({steps, 1}),
          .labels = Array({steps, 1}, labels),
          .weights = Array({steps}, weights),
          .frequency = 250,
          .channels = {"a"}};
}

std::vector<std::string> names(const std::vector<Recording>& recordings) {
  std::vector<std::string> found;
  for (const Recording& each : recordings) found.push_back(each.name);
  return found;
}

Split split_of(std::string_view text) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "split.csv", text);
  return load_split(folder / "split.csv");
}

TEST(Split, deals_recordings_out) {
  const Split split = split_of("record,part\r\na,train\nb,test\n\nc,validation\nd,train");
  std::vector<Recording> all;
  for (const char* name : {"d", "c", "b", "a"}) all.push_back(recording(name));
  const Parts parts = divide(std::move(all), split);
  EXPECT_EQ(names(parts.train), (std::vector<std::string>{"d", "a"}));
  EXPECT_EQ(names(parts.validation), std::vector<std::string>{"c"});
  EXPECT_EQ(names(parts.test), std::vector<std::string>{"b"});
}

TEST(Split, refuses_recordings_and_lines_without_each_other) {
  const auto refused = [](std::vector<Recording> recordings, const Split& split) {
    return refused_with<DataError>([&] { divide(std::move(recordings), split); });
  };
  const Split split = {{"a", "train"}};
  EXPECT_EQ(refused({recording("a"), recording("b")}, split),
            "split: recording \"b\" has no part. Add a line for it.");
  EXPECT_EQ(refused({}, split), "split: there is no recording \"a\". Take its line out.");
  EXPECT_EQ(refused({recording("a"), recording("a")}, split),
            "split: two recordings have the name \"a\".");
}

TEST(Split, refuses_other_files) {
  const auto refused = [](std::string_view text) {
    return refused_with<DataError>([&] { split_of(text); });
  };
  EXPECT_PRED2(says, refused("a,train\n"), "line 1: expected the header \"record,part\"");
  EXPECT_PRED2(says, refused("record,part\na,training\n"),
               "line 2: expected train, validation or test, got \"training\"");
  EXPECT_PRED2(says, refused("record,part\na\n"),
               "line 2: expected a recording's name, a comma and its part");
  EXPECT_PRED2(says, refused("record,part\na,train\na,test\n"), "line 3: \"a\" stands there twice");
}

// sklearn.utils.class_weight.compute_class_weight("balanced", …) over the labelled steps 0 0 0 1
// 1 2.
TEST(ClassWeights, make_every_class_weigh_the_same) {
  const std::vector<Recording> recordings = {recording("a", {0, 0, 1, 3}, {1, 1, 1, 0}),
                                             recording("b", {0, 1, 2}, {1, 1, 1})};
  EXPECT_EQ(class_weights(recordings, 3), (std::vector<float>{6.0f / 9, 1, 2}));
  EXPECT_EQ(class_weights(recordings, 4).at(3), 0);  // the only 3 has no weight
  const std::vector<Recording> half = {recording("a", {0, 1}, {0.5f, 1})};
  EXPECT_EQ(class_weights(half, 2), (std::vector<float>{1.5f, 0.75f}));
}

TEST(ClassWeights, refuse_labels_that_are_no_class) {
  for (const float label : {2.0f, -1.0f, 0.5f, std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<Recording> recordings = {recording("a", {0, label}, {1, 1})};
    EXPECT_PRED2(says, refused_with<DataError>([&] { class_weights(recordings, 2); }),
                 "recording \"a\": the label at step 1 must be a class number below 2");
  }
}

}  // namespace
}  // namespace sonde
