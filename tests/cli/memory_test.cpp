#include <gtest/gtest.h>
#include <signal.h>

#include <fmt/format.h>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

#ifdef SONDE_FAILING_MEMORY

/// A run in which one call for memory after the other fails must end with exit code 6, or well, but
/// never by a signal; and going on must give what a run gives that never failed.
TEST(Memory, that_runs_out_ends_a_run_with_its_own_exit_code_and_loses_nothing) {
  Program program;
  save_task(program);
  const std::string line =
      "train --x X.npy --y y.npy --filters 2 --kernel-size 2 --units 2 --batch-size 4 --epochs 2 "
      "--quiet --checkpoint-seconds 0 --resume --out ";
  program.environment = {"PATH=/nowhere"};
  ASSERT_EQ(program.run(line + "whole").code, 0);
  const std::string whole = program.read("whole/model.keras") + program.read("whole/history.csv");

  const auto fail_at = [&](long number) {
    program.environment = {"PATH=/nowhere", "LD_PRELOAD=" SONDE_FAILING_MEMORY,
                           fmt::format("SONDE_TEST_FAIL_AT={}", number),
                           "SONDE_TEST_COUNT_INTO=count"};
  };
  fail_at(0);
  ASSERT_EQ(program.run(line + "counted").code, 0);
  const long calls = std::stol(program.read("count"));
  ASSERT_GT(calls, 60);

  int ended = 0, tried = 0;
  for (long number = 1; number <= calls; ++number) {
    const std::string out = fmt::format("out{}", number);
    fail_at(number);
    const Result result = program.run(line + out);
    ++tried;
    if (result.code == 6) {
      ++ended;
      EXPECT_PRED2(says, result.err, "out of memory");
    } else {
      ASSERT_EQ(result.code, 0) << "call " << number << ": " << result.err;
    }
    program.environment = {"PATH=/nowhere"};
    ASSERT_EQ(program.run(line + out).code, 0) << number;
    ASSERT_EQ(program.read(out + "/model.keras") + program.read(out + "/history.csv"), whole)
        << number;
    std::filesystem::remove_all(program.folder() / out);
  }
  EXPECT_GT(ended, 60) << tried;
}

#endif

}  // namespace
}  // namespace sonde::testing
