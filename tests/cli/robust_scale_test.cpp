#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

TEST(RobustScale, that_leaves_a_channel_as_large_as_it_is_is_told_of) {
  Program program;
  std::filesystem::create_directory(program.path("r"));
  for (int k = 0; k < 6; ++k) {
    std::string rows = "a,burst,label\n";
    for (int i = 0; i < 120; ++i)
      rows += std::to_string((i * (k + 3)) % 11) + "," +
              std::to_string(i % 10 == 0 && k > 1 ? 5000 : i % (k > 1 ? 1000 : 7) == 0) + "," +
              std::to_string(i / 10 % 2) + "\n";
    program.write("r/" + std::to_string(k) + ".csv", rows);
  }
  program.write("r.toml",
                "filters = 2\nunits = 2\nkernel_size = 3\nwindow = 20\nwindows_per_epoch = 8\n"
                "epochs = 1\n[recordings]\nfolder = \"r\"\nname = \"{who}\"\n"
                "classes = [\"no\", \"yes\"]\n[[recordings.signals]]\nfiles = \"{who}.csv\"\n"
                "frequency = 10\n[recordings.labels]\ncolumn = \"label\"\n[split]\n"
                "validation = [\"3\"]\ntest = [\"4\", \"5\"]\n");
  const auto said = [&](const std::string& how) {
    const Result result = program.run("train r.toml --force --normalize " + how);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.err;
  };
  EXPECT_PRED2(says, said("recording"), "hint:   channel \"burst\" of recording \"0\": half of");
  EXPECT_PRED2(says, said("recording"), "; so it is in 6 recordings. --normalize zscore or range");
  EXPECT_PRED2(says, said("robust"), "hint:   channel \"burst\": half of its values");
  for (const char* wider : {"range", "zscore"})
    EXPECT_EQ(said(wider).find("hint:   channel"), std::string::npos) << wider;
}

}  // namespace
}  // namespace sonde::testing
