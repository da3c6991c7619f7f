#include <gtest/gtest.h>

#include <sonde/archive.hpp>
#include <sonde/error.hpp>

namespace sonde {
namespace {

struct Everything {
  bool flag = false;
  std::int64_t number = 0;
  double real = 0;
  std::string text;
  std::optional<double> maybe, none = 1.0;
  std::vector<std::string> words;
  std::map<std::string, std::vector<double>> table;
  std::vector<Array> arrays;

  void archive(Archive& a) { a(flag, number, real, text, maybe, none, words, table, arrays); }
};

std::vector<std::byte> written() {
  Everything all{true, -7, 0.1, "steps", 2.5, {}, {"", "a"}, {{"loss", {1, 2}}, {"auc", {}}}, {}};
  all.arrays = {Array({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}), Array()};
  Archive a;
  all.archive(a);
  return a.written();
}

TEST(Archive, gives_back_what_it_was_given) {
  const std::vector<std::byte> bytes = written();
  Everything all;
  Archive a(bytes);
  all.archive(a);
  EXPECT_EQ(a.left(), 0u);
  EXPECT_TRUE(all.flag);
  EXPECT_EQ(all.number, -7);
  EXPECT_EQ(all.real, 0.1);
  EXPECT_EQ(all.text, "steps");
  EXPECT_EQ(all.maybe, 2.5);
  EXPECT_EQ(all.none, std::nullopt);
  EXPECT_EQ(all.words, (std::vector<std::string>{"", "a"}));
  EXPECT_EQ(all.table, (std::map<std::string, std::vector<double>>{{"loss", {1, 2}}, {"auc", {}}}));
  ASSERT_EQ(all.arrays.size(), 2u);
  EXPECT_EQ(all.arrays[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(all.arrays[0](1, 2), 6);
  EXPECT_TRUE(all.arrays[1].empty());
}

TEST(Archive, refuses_bytes_that_end_early_wherever_they_end) {
  const std::vector<std::byte> bytes = written();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Everything all;
    const std::span<const std::byte> all_bytes = bytes;
    Archive a(all_bytes.first(size));
    EXPECT_THROW(all.archive(a), FormatError) << size;
  }
}

TEST(Archive, allocates_nothing_for_a_length_that_the_bytes_only_claim) {
  std::vector<std::byte> bytes(16, std::byte{0x7f});
  std::string text;
  EXPECT_THROW(Archive(std::span<const std::byte>(bytes))(text), FormatError);
  std::vector<double> list;
  EXPECT_THROW(Archive(std::span<const std::byte>(bytes))(list), FormatError);
}

TEST(Archive, refuses_numbers_where_there_are_more_or_less_now) {
  std::vector<float> three(3), four(4);
  Archive a;
  a.numbers(three);
  EXPECT_THROW(Archive(std::span<const std::byte>(a.written())).numbers(four), FormatError);
}

}  // namespace
}  // namespace sonde
