#include <gtest/gtest.h>

#include <numeric>
#include <sonde/array.hpp>
#include <sonde/large_arrays.hpp>

#include "tests/support/files.hpp"

// Arrays that are more than memory may hold lie in files.
namespace sonde {
namespace {

using testing::refused_with;
using testing::says;

constexpr Index megabyte = Index{1} << 20;
constexpr Index numbers_of_one = megabyte / 4;

class LargeArraysTest : public ::testing::Test {
 protected:
  ~LargeArraysTest() override { keep_large_arrays_on_disk({}); }
  const testing::TemporaryFolder folder_;
};

TEST_F(LargeArraysTest, lie_in_memory_until_it_is_full_and_then_in_files) {
  keep_large_arrays_on_disk({.memory = 3 * megabyte, .folder = folder_ / ""});
  const Array small({1000}), first({numbers_of_one}), second({numbers_of_one});
  EXPECT_FALSE(first.is_on_disk() || second.is_on_disk());
  {
    Array third({2, numbers_of_one});
    EXPECT_TRUE(third.is_on_disk());
    EXPECT_GE(bytes_on_disk(), 2 * megabyte);
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / ""));  // its file has no name
    // Zeros at first, then what was written.
    EXPECT_EQ(std::accumulate(third.values().begin(), third.values().end(), 0.0f), 0);
    std::iota(third.values().begin(), third.values().end(), 0.0f);
    third.will_need(0, third.size());
    third.will_need(5, 5);
    const Array copy = third, row = third.slice(1, 2);
    EXPECT_TRUE(copy.is_on_disk() && row.is_on_disk());
    EXPECT_EQ(copy(1, numbers_of_one - 1), static_cast<float>(2 * numbers_of_one - 1));
    EXPECT_EQ(row(0, 7), static_cast<float>(numbers_of_one + 7));
    Array moved = std::move(third);
    EXPECT_TRUE(moved.is_on_disk());
    EXPECT_EQ(moved(0, 3), 3);
    EXPECT_FALSE(Array({1000}).is_on_disk());  // not worth a file
  }
  EXPECT_EQ(bytes_on_disk(), 0);
}

TEST_F(LargeArraysTest, leave_room_in_memory_when_they_go) {
  keep_large_arrays_on_disk({.memory = 3 * megabyte, .folder = folder_ / ""});
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Array({2 * numbers_of_one}).is_on_disk()) << i;
  Array kept({2 * numbers_of_one});
  EXPECT_TRUE(Array({2 * numbers_of_one}).is_on_disk());
  kept = Array({10});
  EXPECT_FALSE(Array({2 * numbers_of_one}).is_on_disk());
}

TEST_F(LargeArraysTest, stay_in_memory_without_a_limit) {
  keep_large_arrays_on_disk({.memory = 0, .folder = folder_ / ""});
  EXPECT_FALSE(Array({8 * numbers_of_one}).is_on_disk());
  EXPECT_EQ(bytes_on_disk(), 0);
}

TEST_F(LargeArraysTest, say_where_there_was_no_room_and_what_helps) {
  keep_large_arrays_on_disk({.memory = 1, .folder = folder_ / "none"});
  const std::string text = refused_with<IoError>([] { Array({64 * numbers_of_one}); });
  EXPECT_FALSE(Array({numbers_of_one}).is_on_disk());  // a small one stays in memory
  EXPECT_PRED2(says, text, "none");
  EXPECT_PRED2(says, text, "TMPDIR");
  EXPECT_PRED2(says, text, "no file can be made");
}

}  // namespace
}  // namespace sonde
