#include "base/thread_pool.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "tests/support/no_allocation.hpp"

namespace sonde {
namespace {

constexpr int most = 7;

TEST(ThreadPool, every_worker_enters_once) {
  for (int threads = 1; threads <= most; ++threads) {
    ThreadPool pool(threads, Cap::none);
    ASSERT_EQ(pool.size(), threads);
    std::array<std::atomic<int>, most> entered{};
    for (int call = 0; call < 20; ++call)
      pool.run([&](int worker, Team& team) {
        EXPECT_EQ(team.size(), threads);
        ++entered[static_cast<std::size_t>(worker)];
      });
    for (int worker = 0; worker < most; ++worker)
      EXPECT_EQ(entered[static_cast<std::size_t>(worker)], worker < threads ? 20 : 0);
  }
}

TEST(ThreadPool, the_caller_is_worker_0) {
  ThreadPool pool(3, Cap::none);
  std::array<std::thread::id, 3> ids;
  pool.run([&](int worker, Team&) {
    ids[static_cast<std::size_t>(worker)] = std::this_thread::get_id();
  });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST(ThreadPool, after_a_barrier_everyone_sees_what_was_written_before) {
  for (int threads : {2, 3, 5}) {
    ThreadPool pool(threads, Cap::none);
    std::array<int, most> cells{};  // plain: the thread sanitizer watches
    int wrong[most] = {};
    pool.run([&](int worker, Team& team) {
      for (int round = 1; round <= 200; ++round) {
        cells[static_cast<std::size_t>(worker)] = round;
        team.barrier();
        if (std::accumulate(cells.begin(), cells.end(), 0) != round * team.size()) ++wrong[worker];
        team.barrier();
      }
    });
    EXPECT_EQ(std::accumulate(wrong, wrong + most, 0), 0);
  }
}

TEST(ThreadPool, what_workers_wrote_is_there_when_run_returns) {
  ThreadPool pool(4, Cap::none);
  for (int call = 0; call < 200; ++call) {
    int cells[4] = {};
    pool.run([&](int worker, Team&) { cells[worker] = worker + call; });
    EXPECT_EQ(std::accumulate(cells, cells + 4, 0), 6 + 4 * call);
  }
}

TEST(ThreadPool, wakes_workers_that_went_to_sleep) {
  ThreadPool pool(3, Cap::none);
  std::atomic<int> entered{0};
  for (int call = 0; call < 3; ++call) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.run([&](int worker, Team& team) {
      if (worker == 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      team.barrier();
      ++entered;
    });
  }
  EXPECT_EQ(entered, 9);
}

TEST(ThreadPool, a_run_within_a_run_is_a_team_of_one) {
  ThreadPool pool(3, Cap::none);
  std::atomic<int> inner{0}, larger{0};
  pool.run([&](int, Team&) {
    pool.run([&](int worker, Team& team) {
      team.barrier();
      if (team.size() != 1 || worker != 0) ++larger;
      ++inner;
    });
  });
  EXPECT_EQ(inner, 3);
  EXPECT_EQ(larger, 0);
}

TEST(ThreadPool, calls_from_several_threads_all_finish) {
  ThreadPool pool(3, Cap::none);
  std::atomic<long> sum{0};
  const auto call = [&] {
    for (int i = 0; i < 200; ++i)
      pool.run([&](int worker, Team& team) {
        for (int part = worker; part < 6; part += team.size()) sum += part;
        team.barrier();
      });
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(sum, 2 * 200 * 15);
}

TEST(ThreadPool, run_allocates_nothing) {
  ThreadPool pool(3, Cap::none);
  const std::array<double, 64> large{};  // too large for the room inside a std::function
  std::array<Index, 3> made{};
  const auto call = [large, &made, &pool](int worker, Team& team) {
    const Index before = testing::allocations();
    if (large[0] != 0 || team.size() > pool.size()) std::abort();
    team.barrier();
    made[static_cast<std::size_t>(worker)] += testing::allocations() - before;
  };
  pool.run(call);
  const Index before = testing::allocations();
  for (int i = 0; i < 10; ++i) pool.run(call);
  EXPECT_EQ(testing::allocations(), before);
  EXPECT_EQ(made, (std::array<Index, 3>{}));
}

TEST(ThreadPool, denormals_are_zero_within_a_run_and_not_after_it) {
  ThreadPool pool(3, Cap::none);
  volatile float tiny = std::numeric_limits<float>::min();
  ASSERT_GT(tiny / 4, 0.0f);
  std::array<float, 3> made{1, 1, 1};
  pool.run([&](int worker, Team&) { made[static_cast<std::size_t>(worker)] = tiny / 4; });
  EXPECT_EQ(made, (std::array<float, 3>{}));
  EXPECT_GT(tiny / 4, 0.0f);
}

TEST(ThreadPool, the_callers_rounding_mode_changes_nothing_and_comes_back) {
  ThreadPool pool(2, Cap::none);
  volatile float third = 3;
  std::fesetround(FE_UPWARD);
  std::array<float, 2> made{};
  pool.run([&](int worker, Team&) { made[static_cast<std::size_t>(worker)] = 1 / third; });
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(made[0], 1 / third);
  EXPECT_EQ(made[1], 1 / third);
}

TEST(ThreadPool, has_at_most_one_worker_per_core) {
  EXPECT_GE(available_cores(), 1);
  EXPECT_EQ(ThreadPool().size(), available_cores());
  EXPECT_EQ(ThreadPool(100000).size(), available_cores());
  EXPECT_EQ(ThreadPool(1).size(), 1);
  EXPECT_EQ(ThreadPool(-3).size(), available_cores());
}

TEST(ThreadPoolDeathTest, an_exception_in_a_worker_ends_the_process) {
  EXPECT_DEATH(
      {
        ThreadPool pool(2, Cap::none);
        pool.run([](int worker, Team&) {
          if (worker == 1) throw 1;
        });
      },
      "");
}

}  // namespace
}  // namespace sonde
