#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

constexpr const char* page = SONDE_SOURCE_DIR "/docs/first_recordings.md";

/// The folder that the page makes with Python: noise, shaken for 60 steps now and then.
void make_walks(const Program& program) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise;
  std::uniform_real_distribution<double> part;
  std::filesystem::create_directory(program.path("walks"));
  std::string marks = "person,walk,from,to,what\n";
  for (int p = 0; p < 12; ++p)
    for (int walk = 1; walk <= 2; ++walk) {
      std::string rows = "acc_x,acc_y\n";
      const std::string person = "p" + std::to_string(p);
      int begin = 0, end = -1;
      for (int t = 0; t < 1500; ++t) {
        if (t >= end && part(random) < 0.01) {
          begin = t, end = t + 60;
          marks += person + "," + std::to_string(walk) + "," + std::to_string(begin / 50.0) + "," +
                   std::to_string(std::min(end, 1500) / 50.0) + ",step\n";
        }
        const double shake = t < end ? std::sin((t - begin) / 3.0) : 0;
        rows += std::to_string(shake + 0.4 * noise(random)) + "," +
                std::to_string(9.8 + 0.2 * noise(random)) + "\n";
      }
      program.write("walks/" + person + "_" + std::to_string(walk) + ".csv", rows);
    }
  program.write("walks/marks.csv", marks);
}

TEST(FirstRecordings, every_command_of_the_page_runs_and_events_are_found) {
  Program program;
  make_walks(program);
  std::ifstream file(page);
  std::string toml;
  std::vector<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```toml" || line == "```" || line == "```python") inside = line == "```toml";
    else if (inside) toml += line + "\n";
    else if (line.starts_with("    sonde ")) commands.push_back(line.substr(10));
  }
  program.write("walks.toml", toml);
  ASSERT_EQ(commands.size(), 3u);
  for (const std::string& command : commands) {
    const Result result = program.run(command);
    EXPECT_EQ(result.code, 0) << command << "\n" << result.err;
  }
  const auto metrics = nlohmann::json::parse(program.read("run/metrics.json"));
  EXPECT_EQ(metrics["scored_on"], "test");
  EXPECT_GT(metrics["scores"]["figures"]["event_f1"]["value"], 0.5);
  EXPECT_LT(metrics["scores"]["position_only"]["event_f1"],
            metrics["scores"]["figures"]["event_f1"]["value"]);
  // Both walks of a person are on one side.
  std::multiset<std::string> sides;
  for (const auto& part : metrics["split"])
    for (const auto& group : part["groups"]) sides.insert(group.get<std::string>());
  EXPECT_EQ(sides.size(), 12u);
  EXPECT_EQ(std::set<std::string>(sides.begin(), sides.end()).size(), 12u);
  const auto folds = nlohmann::json::parse(program.read("folds/metrics.json"));
  EXPECT_EQ(folds["scores"]["seeds"][0]["groups"], 12);
}

TEST(FirstRecordings, a_person_on_two_sides_is_refused) {
  Program program;
  make_walks(program);
  std::ifstream file(page);
  std::string toml;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```toml" || line == "```") inside = line == "```toml";
    else if (inside) toml += (line.starts_with("test_share") ? "test = [\"p3-1\"]" : line) + "\n";
  }
  program.write("walks.toml", toml);
  const Result result = program.run("train walks.toml --epochs 1");
  EXPECT_EQ(result.code, 3);
  EXPECT_PRED2(says, result.err, "group \"p3\" would stand on two sides");
  EXPECT_FALSE(program.has("run"));
}

}  // namespace
}  // namespace sonde::testing
