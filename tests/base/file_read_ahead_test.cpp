#include "base/file_read_ahead.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <sonde/mapped_array.hpp>
#include <thread>

#include "tests/support/files.hpp"

// Pieces of mapped files that are read while something else is computed.
namespace sonde {
namespace {

constexpr Index row = 6000;  // 24 kB: begins and ends inside of blocks

class ReadAheadTest : public ::testing::Test {
 protected:
  ReadAheadTest() {
    std::vector<float> numbers(static_cast<std::size_t>(20 * row));
    std::iota(numbers.begin(), numbers.end(), 0.0f);
    testing::write_past_the_cache(folder_ / "x", numbers);
    x_ = MappedArray(folder_ / "x", 0, {20, row});
  }

  const float* begin(Index i) const { return x_.data() + i * row; }
  void ask(Index i) const { read_ahead(begin(i), begin(i + 1)); }
  const float* at_hand_of(Index i) const { return at_hand(begin(i), begin(i + 1)); }
  /// Not in memory, and not asked of a file system that has no other files.
  bool is_on_a_disk(Index i) const {
    return place_in_file(begin(i)).file && !is_cached(begin(i), begin(i + 1));
  }
  static bool is_row(const float* numbers, Index i) {
    for (Index k = 0; k < row; ++k)
      if (numbers[k] != static_cast<float>(i * row + k)) return false;
    return true;
  }

  const testing::TemporaryFolder folder_;
  MappedArray x_;
  FileReadAhead ahead_{0};
};

TEST_F(ReadAheadTest, has_at_hand_what_was_asked_for_before_the_turn) {
  if (!is_on_a_disk(19)) GTEST_SKIP() << "no files past the system's cache here";
  const ReadAhead::Use use(&ahead_);
  for (const Index i : {7, 0, 19, 7}) ask(i);
  EXPECT_EQ(at_hand_of(7), begin(7));
  ahead_.turn();
  ask(3);
  for (const Index i : {0, 7, 19}) {
    EXPECT_NE(at_hand_of(i), begin(i)) << i;
    EXPECT_TRUE(is_row(at_hand_of(i), i)) << i;
  }
  EXPECT_EQ(at_hand_of(3), begin(3));
  EXPECT_TRUE(is_on_a_disk(19));  // nothing went through the cache
  ahead_.turn();
  EXPECT_TRUE(is_row(at_hand_of(3), 3));
  EXPECT_NE(at_hand_of(3), begin(3));
  EXPECT_EQ(at_hand_of(7), begin(7));
}

TEST_F(ReadAheadTest, leaves_what_is_in_memory_where_it_is) {
  EXPECT_TRUE(is_row(begin(5), 5));  // now it is
  const ReadAhead::Use use(&ahead_);
  ask(5);
  ahead_.turn();
  EXPECT_EQ(at_hand_of(5), begin(5));
}

TEST_F(ReadAheadTest, leaves_a_file_that_fits_into_memory_to_the_system) {
  FileReadAhead careful;
  const ReadAhead::Use use(&careful);
  ask(6);
  careful.turn();
  EXPECT_EQ(at_hand_of(6), begin(6));
}

TEST_F(ReadAheadTest, gives_no_more_than_was_read) {
  const ReadAhead::Use use(&ahead_);
  ask(4);
  ahead_.turn();
  EXPECT_EQ(at_hand(begin(4), begin(6)), begin(4));
  EXPECT_EQ(at_hand(begin(4) + 1, begin(5)), begin(4) + 1);
}

TEST_F(ReadAheadTest, belongs_to_the_threads_that_use_it) {
  ask(1);  // nobody does
  const ReadAhead::Use use(&ahead_);
  ask(2);
  ahead_.turn();
  std::thread([&] { EXPECT_EQ(at_hand_of(2), begin(2)); }).join();
  FileReadAhead other(0);
  {
    const ReadAhead::Use inner(&other);
    EXPECT_EQ(at_hand_of(2), begin(2));
  }
  EXPECT_TRUE(is_row(at_hand_of(2), 2));
}

TEST_F(ReadAheadTest, has_many_readers_and_turns) {
  for (Index turn = 0; turn < 50; ++turn) {
    const auto work = [&](Index from) {
      const ReadAhead::Use use(&ahead_);
      for (Index i = from; i < 20; i += 2) ask((i + turn) % 20);
      for (Index i = from; turn > 0 && i < 20; i += 2) {  // what is looked at before is cached
        const Index last = (i + turn + 19) % 20;
        EXPECT_TRUE(is_row(at_hand_of(last), last)) << turn << " " << i;
      }
    };
    std::thread first(work, 0), second(work, 1);
    first.join();
    second.join();
    ahead_.turn();
  }
  if (!is_on_a_disk(0)) GTEST_SKIP() << "no files past the system's cache here";
  const ReadAhead::Use use(&ahead_);
  EXPECT_NE(at_hand_of(0), begin(0));
}

}  // namespace
}  // namespace sonde
