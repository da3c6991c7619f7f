#include <gtest/gtest.h>
#include <signal.h>

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

/// A run of a few epochs that writes a checkpoint after every batch, and what it leaves.
class Resume : public ::testing::Test {
 protected:
  Resume() {
    save_task(program_);
    whole_ = what_is_left(run("whole", ""));
  }

  static std::string line(const std::string& out, const std::string& more) {
    return "train --x X.npy --y y.npy --filters 2 --kernel-size 2 --units 2 --batch-size 4 "
           "--early-stopping 50 --quiet --out " +
           out + " " + more;
  }
  std::string run(const std::string& out, const std::string& more) {
    const Result result = program_.run(line(out, "--epochs 4 --checkpoint-seconds 0 " + more));
    EXPECT_EQ(result.code, 0) << result.err;
    return out;
  }
  /// The files of a run that must not depend on how often it was ended.
  std::string what_is_left(const std::string& out) const {
    std::string all;
    for (const char* name : {"model.keras", "history.csv", "metrics.json"})
      all += name + std::string("\n") + program_.read(out + "/" + name);
    return all;
  }
#ifdef SONDE_FAILING_WRITES
  /// Preloads what fails at call `number`; nothing for 0. Without `dot`, which takes longer than
  /// all the rest.
  void fail_at(long number, const std::string& how) {
    program_.environment = {"PATH=/nowhere"};
    if (number > 0)
      program_.environment.insert(
          program_.environment.end(),
          {"LD_PRELOAD=" SONDE_FAILING_WRITES, fmt::format("SONDE_TEST_FAIL_AT={}", number),
           "SONDE_TEST_FAIL_HOW=" + how, "SONDE_TEST_COUNT_INTO=count"});
  }
  /// Lets each call that changes a file fail in turn; every time, going on must give the whole
  /// run's bytes. `code`: how the first run ends, or well where it can do without the call.
  void survives_all(const std::string& how, int code) {
    fail_at(1000000, how);
    run("counted", "");
    const long calls = std::stol(program_.read("count"));
    ASSERT_GT(calls, 150);  // else they were not seen
    int ended = 0;
    for (long number = 1; number <= calls; ++number) {
      const std::string out = fmt::format("{}{}", how, number);
      fail_at(number, how);
      const Result first = program_.run(line(out, "--epochs 4 --checkpoint-seconds 0 --resume"));
      if (first.code != 0) {
        ASSERT_EQ(first.code, code) << how << " at " << number << ": " << first.err;
        ++ended;
      }
      fail_at(0, "");
      run(out, "--resume");
      ASSERT_EQ(what_is_left(out), whole_) << how << " at " << number;
      for (const auto& entry : std::filesystem::directory_iterator(program_.folder() / out))
        ASSERT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
      std::filesystem::remove_all(program_.folder() / out);
    }
    EXPECT_GT(ended, calls / 2);
  }
#endif

  Program program_;
  std::string whole_;
};

#ifdef SONDE_FAILING_WRITES

TEST_F(Resume, gives_the_same_bytes_wherever_the_run_was_killed) {
  survives_all("kill", 128 + SIGKILL);
}

TEST_F(Resume, gives_the_same_bytes_after_a_write_of_which_half_arrived) {
  survives_all("torn", 128 + SIGKILL);
}

TEST_F(Resume, gives_the_same_bytes_after_the_disk_was_full) { survives_all("full", 5); }

TEST_F(Resume, gives_the_same_bytes_after_a_call_that_failed_once) { survives_all("error", 5); }

TEST_F(Resume, survives_two_hundred_kills_in_a_row) {
  const std::string command = line("often", "--epochs 250 --checkpoint-seconds 0 --resume");
  ASSERT_EQ(program_.run(line("straight", "--epochs 250")).code, 0);
  int kills = 0;
  for (std::uint32_t random = 1;; ++kills) {
    random = random * 1664525u + 1013904223u;
    // A run that goes on first writes four events for each epoch that it had.
    const std::string history = program_.read("often/history.csv");
    const long epochs = std::count(history.begin(), history.end(), '\n');
    fail_at(40 + 4 * epochs + static_cast<long>(random >> 27), random & 1024 ? "kill" : "torn");
    const Result result = program_.run(command);
    if (result.code == 0) break;
    ASSERT_EQ(result.code, 128 + SIGKILL) << result.err;
    ASSERT_LT(kills, 2000);
  }
  EXPECT_GE(kills, 200);
  EXPECT_EQ(what_is_left("often"), what_is_left("straight"));
}

#endif

TEST_F(Resume, goes_on_in_the_middle_of_an_epoch_after_a_signal) {
  const std::string command = line("run", "--epochs 300 --checkpoint-seconds 0");
  const Result ended = program_.interrupt(command, SIGTERM, "run/last.checkpoint.before");
  EXPECT_EQ(ended.code, 143);
  EXPECT_NE(ended.err.find("`sonde train --resume --out run` goes on"), std::string::npos);
  ASSERT_EQ(program_.run("train --out run --resume --quiet --checkpoint-seconds 60").code, 0);
  ASSERT_EQ(program_.run(line("straight", "--epochs 300")).code, 0);
  EXPECT_EQ(what_is_left("run"), what_is_left("straight"));
}

TEST_F(Resume, goes_on_in_another_voice) {
  const std::string options =
      "train --x X.npy --y y.npy --filters 2 --kernel-size 2 --units 2 --batch-size 4 "
      "--early-stopping 50 --epochs 300 --checkpoint-seconds 0 --out run";
  ASSERT_EQ(program_.interrupt(options, SIGTERM, "run/last.checkpoint.before").code, 143);
  ASSERT_EQ(program_
                .interrupt("train --out run --resume --progress json", SIGINT,
                           "run/last.checkpoint.before")
                .code,
            130);
  ASSERT_EQ(program_.run("train --out run --resume --quiet --checkpoint-seconds 60").code, 0);
  ASSERT_EQ(program_.run(line("straight", "--epochs 300")).code, 0);
  EXPECT_EQ(what_is_left("run"), what_is_left("straight"));
}

TEST_F(Resume, trains_longer_what_was_finished) {
  ASSERT_EQ(program_.run("train --out whole --resume --quiet --epochs 7").code, 0);
  ASSERT_EQ(program_.run(line("seven", "--epochs 7")).code, 0);
  EXPECT_EQ(what_is_left("whole"), what_is_left("seven"));
}

TEST_F(Resume, refuses_other_options_and_other_data) {
  Result result = program_.run("train --out whole --resume --units 3");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(
      result.err,
      "sonde: --resume goes on with what whole/config.toml says, units = 2; --units was given "
      "as 3. Leave it out, or start another run.\n");

  result = program_.run("train --out nowhere --resume");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err,
            "sonde: --resume: \"nowhere\" holds no run to go on with. Start one with --x FILE.\n");

  program_.write("y.npy", program_.read("y.npy").substr(0, 128) + std::string(12 * 40 * 4, '\0'));
  result = program_.run("train --out whole --resume");
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("y \"y.npy\" is not the file that this run began with"),
            std::string::npos)
      << result.err;
}

TEST_F(Resume, falls_back_on_the_generation_before_and_refuses_when_none_is_whole) {
  std::string newest = program_.read("whole/last.checkpoint");
  newest[newest.size() / 2] ^= 1;
  program_.write("whole/last.checkpoint", newest);
  run("whole", "--resume");
  EXPECT_EQ(what_is_left("whole"), whole_);

  for (const char* name : {"whole/last.checkpoint", "whole/last.checkpoint.before"})
    program_.write(name, "SONDECP1");
  const Result result = program_.run("train --out whole --resume");
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.err.find("is a whole checkpoint. Start the run anew."), std::string::npos)
      << result.err;
}

TEST_F(Resume, refuses_a_folder_in_which_another_run_works) {
  program_.meanwhile(
      line("busy", "--epochs 100000 --checkpoint-seconds 0"), "busy/last.checkpoint", [&] {
        const Result result = program_.run("train --out busy --resume --quiet");
        EXPECT_EQ(result.code, 5);
        const std::string holder = program_.read("busy/lock");
        ASSERT_TRUE(std::regex_match(holder, std::regex("process [0-9]+ on .+\n"))) << holder;
        EXPECT_EQ(result.err, "sonde: another run works in \"busy\" (" +
                                  holder.substr(0, holder.size() - 1) +
                                  "). Wait for its end, or choose another --out.\n");
      });
}

TEST_F(Resume, removes_what_was_being_written_and_nothing_else) {
  for (const char* name : {"model.keras.17-3.tmp", "last.checkpoint.next.4-0.tmp",
                           "metrics.json.part", "notes.tmp", "model.keras.old.tmp"})
    program_.write(std::string("whole/") + name, "half");
  ASSERT_EQ(program_.run("train --out whole --resume --quiet --epochs 5").code, 0);
  for (const char* name : {"whole/model.keras.17-3.tmp", "whole/last.checkpoint.next.4-0.tmp",
                           "whole/metrics.json.part"})
    EXPECT_FALSE(program_.has(name)) << name;
  EXPECT_TRUE(program_.has("whole/notes.tmp"));
  EXPECT_TRUE(program_.has("whole/model.keras.old.tmp"));
}

}  // namespace
}  // namespace sonde::testing
