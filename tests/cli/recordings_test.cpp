#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/options.hpp"
#include "cli/recording_set.hpp"
#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

namespace fs = std::filesystem;

struct Documented {
  std::string name, text;
};

/// The configurations of docs/recordings.md: blocks that begin with "# NAME.toml".
std::vector<Documented> configurations() {
  std::ifstream page(SONDE_SOURCE_DIR "/docs/recordings.md");
  std::vector<Documented> found;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```toml" || line == "```") {
      inside = line == "```toml";
      if (inside) found.emplace_back();
    } else if (inside) {
      if (found.back().name.empty()) found.back().name = line.substr(2);
      found.back().text += line + "\n";
    }
  }
  return found;
}

void make_folders(const Program& program) {
  for (const char* folder : {"walks", "gait", "pump", "pump/a", "nights", "ecg"})
    fs::create_directories(program.path(folder));
  program.write("walks/ann_1.csv",
                "time;acc_x;acc_y;note\n0.00;0.1;9.7;start\n0.02;0.2;9.8;\n0.04;0.3;9.9;\n");
  program.write("walks/bob_1.csv", "time;acc_x;acc_y;note\n0.00;0.5;9.7;start\n0.02;0.6;9.8;\n");
  program.write("walks/marks.csv",
                "person;walk;from;to;what\nann;1;0.02;0.04;step\nbob;01;0;0.02;turn\n");
  program.write("gait/7_left.txt", "100 Hz\nPacketCounter\tx\n0\t1\n1\t2\n3\t4\n");
  program.write("gait/7_right.txt", "100 Hz\nPacketCounter\tx\n1\t5\n2\t6\n3\t7\n4\t8\n");
  program.write("gait/7.json", R"({"LeftFootEvents": [[1, 3]]})");
  program.write("pump/a/1.csv",
                "when;Current;Pressure;anomaly\n2020;1;2;ok\n2020;1;2;1.0\n2020;1;2;?\n");
  for (const char* ending : {".hea", ".dat", ".q1c"})
    fs::copy_file(std::string(SONDE_SOURCE_DIR "/data/ecg-qtdb/sel100") + ending,
                  program.path(std::string("ecg/sel100") + ending));
  // Two records of a second: an EEG of 4 values, a breath of 2, and annotations.
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(width, ' ');
    return text;
  };
  std::string edf = padded("0", 8) + padded("X X X X", 80) + padded("Startdate X X X X", 80) +
                    "12.08.0916.15.00" + padded("1024", 8) + padded("EDF+D", 44) + padded("2", 8) +
                    padded("1", 8) + padded("3", 4);
  const auto field = [&](std::array<const char*, 3> values, std::size_t width) {
    for (const char* each : values) edf += padded(each, width);
  };
  field({"EEG Fpz-Cz", "Resp", "EDF Annotations"}, 16);
  field({"", "", ""}, 80);
  field({"uV", "V", ""}, 8);
  field({"-2048", "-2048", "-1"}, 8);
  field({"2047", "2047", "1"}, 8);
  field({"-2048", "-2048", "-32768"}, 8);
  field({"2047", "2047", "32767"}, 8);
  field({"", "", ""}, 80);
  field({"4", "2", "24"}, 8);
  field({"", "", ""}, 32);
  const auto record = [&](std::initializer_list<int> values, std::string marks) {
    for (const int value : values)
      edf += {static_cast<char>(value & 255), static_cast<char>(value >> 8)};
    marks.resize(48, '\0');
    edf += marks;
  };
  record({1000, 2000, 0, 0, 7, 7}, std::string("+0\x14\x14\0+0.5\x15"
                                               "0.25\x14spindle\x14\0",
                                               24));
  record({3, 4, 5, 6, 9, 9}, std::string("+3\x14\x14\0+3\x14wake\x14\0", 15));
  program.write("nights/1.edf", edf);
}

TEST(RecordingsPage, every_configuration_loads_and_every_command_runs) {
  Program program;
  make_folders(program);
  const auto all = configurations();
  ASSERT_EQ(all.size(), 5u);
  for (const Documented& each : all) {
    program.write(each.name, each.text);
    const auto set = cli::read_recording_set(program.path(each.name));
    EXPECT_FALSE(load_recordings(set).empty()) << each.name;
  }
  std::ifstream page(SONDE_SOURCE_DIR "/docs/recordings.md");
  int commands = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("    sonde ")) continue;
    std::string words = line.substr(10);
    const Result result =
        program.run(words.replace(words.find("walks.toml"), 10, program.path("walks.toml")));
    EXPECT_EQ(result.code, 0) << line << "\n" << result.err;
    ++commands;
  }
  EXPECT_EQ(commands, 2);
}

TEST(RecordingsPage, the_recordings_are_what_the_page_says) {
  Program program;
  make_folders(program);
  std::map<std::string, std::vector<Recording>> loaded;
  for (const Documented& each : configurations()) {
    program.write(each.name, each.text);
    loaded[each.name] = load_recordings(cli::read_recording_set(program.path(each.name)));
  }
  const auto list = [](const Array& array) {
    return std::vector<float>(array.values().begin(), array.values().end());
  };
  using Floats = std::vector<float>;
  EXPECT_EQ(list(loaded["walks.toml"][0].labels), (Floats{0, 1, 0}));
  EXPECT_EQ(list(loaded["walks.toml"][1].labels), (Floats{2, 0}));
  EXPECT_EQ(loaded["walks.toml"][1].group, "bob");
  EXPECT_EQ(list(loaded["gait.toml"][0].signal), (Floats{2, 5, 3, 6, 4, 7}));
  EXPECT_EQ(list(loaded["gait.toml"][0].labels), (Floats{1, 1, 0}));
  EXPECT_EQ(list(loaded["pump.toml"][0].weights), (Floats{1, 1, 1, 0, 0, 0}));
  const Recording& night = loaded["nights.toml"][0];
  ASSERT_EQ(night.signal.shape(), (Shape{16, 2}));
  EXPECT_FLOAT_EQ(night.signal(0, 0), 1);  // 1000 uV
  EXPECT_TRUE(std::isnan(night.signal(4, 0)) && std::isnan(night.signal(10, 1)));
  EXPECT_FLOAT_EQ(night.signal(12, 0), 0.003f);
  EXPECT_EQ(list(night.labels), (Floats{0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(list(night.weights), (Floats{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}))
      << "half-way between two breaths, the later one counts: it is in the pause";
  EXPECT_EQ(loaded["ecg.toml"].size(), 2u);
}

TEST(InspectRecordings, counts_what_is_there) {
  Program program;
  make_folders(program);
  program.write("walks.toml", configurations().at(0).text);
  const Result result = program.run("inspect " + program.path("walks.toml") + " --json");
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out)["files"][0];
  EXPECT_EQ(json["recordings"], 2);
  EXPECT_EQ(json["groups"], 2);
  EXPECT_EQ(json["steps"], 5);
  EXPECT_EQ(json["classes"][1]["class"], "step");
  EXPECT_EQ(json["classes"][1]["steps"], 1);
  EXPECT_EQ(json["classes"][0]["stretches"], 3);
  EXPECT_EQ(json["files"].size(), 3u);
  EXPECT_EQ(json["files"]["bob_1.csv"],  // what sha256sum says
            "c43c706c2dc7771a88f79029ccbc57db"
            "fdc5d737971519e537c459d1241e748f");
}

TEST(InspectRecordings, says_what_looks_like_a_clock_and_which_rows_are_left_out) {
  Program program;
  make_folders(program);
  std::string text = configurations().at(0).text;
  text.erase(text.find("columns = "), text.find("frequency") - text.find("columns = "));
  text.insert(text.find("onset"), "unmatched = \"ignored\"\n");
  program.write("walks.toml", text);
  program.write("walks/marks.csv",
                "person;walk;from;to;what\nann;1;0.02;0.04;step\neve;2;0;0.02;turn\n");
  program.write("walks/bob_1.csv", "time;acc_x;acc_y;note\n0.00;0.5;9.7;start\n0.02;0.6;9.8;\n");
  const Result result = program.run("inspect " + program.path("walks.toml"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_PRED2(says, result.out, "\n  warning: signals 1: ");
  EXPECT_PRED2(says, result.out, "the column \"time\" rises by 0.02 from row to row");
  EXPECT_PRED2(
      says, result.out,
      "\n  labels 1: 1 of 2 rows of \"marks.csv\" are for none of the 2 recordings and are "
      "left out, as unmatched = \"ignored\" says; they tell of 1 other.\n");
  const Result json = program.run("inspect --json " + program.path("walks.toml"));
  EXPECT_EQ(nlohmann::json::parse(json.out)["files"][0]["remarks"].size(), 2u);
}

TEST(InspectRecordings, refuses_files_that_say_nothing_of_recordings) {
  Program program;
  program.write("a.toml", "epochs = 3\n");
  Result result = program.run("inspect " + program.path("a.toml"));
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(says(result.err, "there is no table [recordings]. ")) << result.err;
  program.write("a.toml", "[recordngs]\nfolder = \"x\"\n");
  result = program.run("inspect " + program.path("a.toml"));
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(says(result.err, "there is no table [recordings], but \"recordngs\".")) << result.err;
  program.write("a.toml", "[recordings]\nfoldr = \"x\"\n");
  result = program.run("inspect " + program.path("a.toml"));
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(says(result.err, "recordings: \"foldr\" is not known. Did you mean \"folder\"?"))
      << result.err;
  program.write("a.toml", "[recordings]\n[recordings.signals]\nfiles = \"*.csv\"\n");
  result = program.run("inspect " + program.path("a.toml"));
  EXPECT_EQ(result.code, 3);
  EXPECT_TRUE(says(result.err, "matches \"*.csv\"")) << result.err;
}

TEST(Recipes, come_back_from_the_configuration_of_a_run) {
  constexpr cli::OptionText texts[] = {{"Data", "recordings", "", "the recordings"}};
  const Program program;
  const Value set = to_value(cli::read_recording_set(SONDE_SOURCE_DIR "/recipes/gait-imu.toml"));
  program.write("config.toml", cli::write_toml({{"recordings", set}}, texts));
  RecordingSet read;
  from_value(cli::read_toml(program.path("config.toml")).at(0).second, "recordings", read);
  EXPECT_EQ(to_value(read), set);
}

TEST(Recipes, are_understood) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(SONDE_SOURCE_DIR "/recipes")) {
    if (entry.path().extension() != ".toml") continue;
    ++count;
    EXPECT_FALSE(cli::read_recording_set(entry.path().string()).signals.empty()) << entry.path();
  }
  EXPECT_EQ(count, 5);
}

TEST(Recipes, the_waves_that_ship_are_those_of_load_ecg_qtdb) {
  const auto set = cli::read_recording_set(SONDE_SOURCE_DIR "/recipes/ecg-qtdb.toml");
  const auto found = find_recordings(set);
  auto expected = load_ecg_qtdb(SONDE_SOURCE_DIR "/data/ecg-qtdb");
  ASSERT_EQ(found.size(), expected.size());
  std::sort(expected.begin(), expected.end(),
            [](const Recording& a, const Recording& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Recording recording = load_recording(set, found[i]);
    EXPECT_EQ(recording.name, expected[i].name);
    for (const auto part : {&Recording::signal, &Recording::labels, &Recording::weights})
      EXPECT_TRUE(std::ranges::equal((recording.*part).values(), (expected[i].*part).values()))
          << recording.name;
  }
}

}  // namespace
}  // namespace sonde::testing
