#include "formats/recordings/pattern.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sonde/error.hpp>

#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::refused_with;
using testing::TemporaryFolder;

std::optional<Captures> match(const char* pattern, const char* path) {
  return Pattern(pattern, "files").match(path);
}

TEST(Pattern, captures_text_between_the_known) {
  EXPECT_EQ(match("RawData/acc_exp{experiment}_user{user}.txt", "RawData/acc_exp01_user07.txt"),
            (Captures{{"experiment", "01"}, {"user", "07"}}));
  EXPECT_EQ(match("{a}-{b}", "x-y-z"), (Captures{{"a", "x"}, {"b", "y-z"}}));
  EXPECT_EQ(match("{a}-{b}_lb.txt", "x-y-1_lb.txt"), (Captures{{"a", "x"}, {"b", "y-1"}}));
  EXPECT_EQ(match("./a//{b}", "a/c"), (Captures{{"b", "c"}}));
  EXPECT_EQ(match("*.csv", "1.csv"), Captures{});
  EXPECT_EQ(match("*", ""), std::nullopt);
  EXPECT_EQ(match("{a}.csv", ".csv"), std::nullopt) << "a name is not empty";
  EXPECT_EQ(match("*.csv", "a/1.csv"), std::nullopt) << "a star stays within its part";
  EXPECT_EQ(match("a.csv", "abcsv"), std::nullopt) << "a point is a point";
}

TEST(Pattern, a_name_means_the_same_text_everywhere) {
  EXPECT_EQ(match("{user}/{user}_{run}.csv", "7/7_2.csv"), (Captures{{"user", "7"}, {"run", "2"}}));
  EXPECT_EQ(match("{user}/{user}_{run}.csv", "7/8_2.csv"), std::nullopt);
}

TEST(Pattern, two_stars_stand_for_folders) {
  EXPECT_EQ(match("**/{n}.csv", "1.csv"), (Captures{{"n", "1"}}));
  EXPECT_EQ(match("**/{n}.csv", "a/b/1.csv"), (Captures{{"n", "1"}}));
  EXPECT_EQ(match("a/**/b/*.csv", "a/x/b/1.csv"), Captures{});
  EXPECT_EQ(match("a/**/b/*.csv", "a/x/c/1.csv"), std::nullopt);
}

TEST(Pattern, many_stars_end_soon) {
  const std::string name(200, 'a');
  EXPECT_EQ(Pattern("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "files").match(name), std::nullopt);
  EXPECT_TRUE(Pattern("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", "files").match(name));
}

TEST(Pattern, refuses_what_cannot_be_meant) {
  const auto refusal = [](const char* text) {
    return refused_with<ArgumentError>([&] { Pattern(text, "signals 1: files"); });
  };
  const std::string braces =
      "signals 1: files: \"{0}\" has a brace without its other half or without a name. Write "
      "{user}.";
  for (const char* text : {"{a", "a}", "{}", "{a{b}}"}) {
    std::string expected = braces;
    expected.replace(expected.find("{0}"), 3, text);
    EXPECT_EQ(refusal(text), expected);
  }
  EXPECT_EQ(refusal("{a}_{a}.csv"),
            "signals 1: files: \"{a}_{a}.csv\" has {a} twice in "
            "\"{a}_{a}.csv\".");
  EXPECT_EQ(refusal(""), "signals 1: files: \"\" names no file.");
  EXPECT_EQ(refusal("a/**"), "signals 1: files: \"a/**\" names no file.");
  EXPECT_EQ(refusal("**/a/**/b"), "signals 1: files: \"**/a/**/b\" has ** twice.");
  EXPECT_EQ(refusal(std::string(5000, '*').c_str()),
            "signals 1: files: a pattern has at most 4096 bytes, got 5000.");
}

TEST(Pattern, finds_files_in_order) {
  const TemporaryFolder folder;
  for (const char* name : {"b/2", "b/1", "a/1"}) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / (std::string(name) + ".csv")) << "1\n";
  }
  std::filesystem::create_directories(folder / "b/3.csv");  // a folder is no file
  std::filesystem::create_directory_symlink(folder.path(), folder / "b/loop");
  const auto names = [&](const char* pattern) {
    std::vector<std::string> found;
    for (const auto& each : Pattern(pattern, "files").find(folder.path()))
      found.push_back(each.path.lexically_relative(folder.path()).generic_string());
    return found;
  };
  EXPECT_EQ(names("{set}/{n}.csv"), (std::vector<std::string>{"a/1.csv", "b/1.csv", "b/2.csv"}));
  EXPECT_EQ(names("**/1.csv"), (std::vector<std::string>{"a/1.csv", "b/1.csv"}));
  EXPECT_EQ(names("b/2.csv"), std::vector<std::string>{"b/2.csv"});
  EXPECT_EQ(names("a/../b/2.csv"), std::vector<std::string>{"b/2.csv"});
  EXPECT_EQ(names("c/*.csv"), std::vector<std::string>{});
}

TEST(Pattern, names_are_filled_in) {
  const Captures captures = {{"user", "07"}, {"experiment", "1"}};
  EXPECT_EQ(filled("{user}-{experiment}!", captures, "name"), "07-1!");
  EXPECT_EQ(filled("", captures, "name"), "");
  EXPECT_EQ(refused_with<ArgumentError>([&] { filled("{usr}", captures, "recordings: group"); }),
            "recordings: group: \"usr\" is not known. Did you mean \"user\"?");
}

}  // namespace
}  // namespace sonde::formats
