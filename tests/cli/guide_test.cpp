#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sonde/formats.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

/// The lines of docs/guide.md that are commands, in their order.
std::vector<std::string> commands() {
  std::ifstream guide(SONDE_SOURCE_DIR "/docs/guide.md");
  std::vector<std::string> found;
  for (std::string line; std::getline(guide, line);)
    if (line.starts_with("    sonde ")) found.push_back(line.substr(10));
  return found;
}

TEST(Guide, every_command_runs_as_it_stands) {
  Program program;
  save_task(program);
  program.write("recording.toml",
                "x = \"X.npy\"\ny = \"y.npy\"\nepochs = 50\nlearning_rate = 0.002\n");
  program.write(
      "search.toml",
      "x = \"X.npy\"\ny = \"y.npy\"\nepochs = 9\n[tune]\nsearch = \"halving\"\ntrials = 6\n"
      "first_epochs = 1\n[tune.values]\nunits = [16, 32]\n"
      "learning_rate = {from = 1e-4, to = 1e-2, log = true}\n");
  std::string walk = "a,b,label\n", signal = "a,b\n";
  for (int i = 0; i < 3000; ++i) {
    walk += "0.5,-1.25," + std::to_string(i % 2) + "\n";
    signal += "0.5,-1.25\n";
  }
  program.write("walk.csv", walk);
  program.write("signal.csv", signal);

  ASSERT_GT(commands().size(), 12u);
  for (const std::string& command : commands()) {
    const std::string line = "cd '" + program.folder().path().string() +
                             "' && '" SONDE_PROGRAM_PATH "' " + command + " > .out 2> .err";
    // A command that redirects by itself does so first.
    const bool redirects = command.find('>') != std::string::npos;
    const int status =
        std::system(redirects ? line.substr(0, line.rfind(" > .out")).c_str() : line.c_str());
    EXPECT_EQ(status, 0) << command << "\n" << program.read(".err");
  }
  for (const char* name :
       {"run/model.keras", "labels.npy", "labels.csv", "walk_labels.csv", "best/model.keras",
        "walk_intervals.csv", "labelled/walk.labels.npy", "signal_labels.csv", "again.keras"})
    EXPECT_TRUE(program.has(name)) << name;
}

}  // namespace
}  // namespace sonde::testing
