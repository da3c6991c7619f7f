#include "formats/csv.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/file.hpp"
#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;

Floats values(const Table& table) {
  return {table.values.values().begin(), table.values.values().end()};
}

void expect_table(std::string_view text, const Names& columns, const Shape& shape,
                  const Floats& numbers, CsvOptions options = {}) {
  const Table table = read_csv(text, "x.csv", options);
  EXPECT_EQ(table.columns, columns) << text;
  EXPECT_EQ(table.values.shape(), shape) << text;
  EXPECT_EQ(values(table), numbers) << text;
}

std::string refusal_of(std::string_view text, CsvOptions options = {}) {
  return refused_with<DataError>([&] { read_csv(text, "\"x.csv\"", options); });
}

TEST(Csv, finds_delimiter_and_header_by_itself) {
  expect_table("1,2\n3,4\n", {}, {2, 2}, {1, 2, 3, 4});
  expect_table("a,b\n1,2\n3,4", {"a", "b"}, {2, 2}, {1, 2, 3, 4});
  expect_table("a;b\r\n1,5;2\r\n-3,25;4\r\n", {"a", "b"}, {2, 2}, {1.5f, 2, -3.25f, 4});
  expect_table(
      "\xEF\xBB\xBF"
      "a\tb\n1\t2\n",
      {"a", "b"}, {1, 2}, {1, 2});
  expect_table("7\n8\n9\n\n\n", {}, {3, 1}, {7, 8, 9});
  expect_table("ecg\n7\n", {"ecg"}, {1, 1}, {7});
  // As pandas writes an index without a name, and numpy.savetxt its numbers.
  expect_table(",x\n0,1.5\n", {"", "x"}, {1, 2}, {0, 1.5f});
  expect_table(" 1.000e+00 -2.500e-01\n 3.0   4.0\n", {}, {2, 2}, {1, -0.25f, 3, 4});
}

TEST(Csv, reads_every_spelling_of_a_number) {
  expect_table("1e3, +2 ,-.5,True,false,\"6\",1e39,16777217\n", {}, {1, 8},
               {1000, 2, -0.5f, 1, 0, 6, std::numeric_limits<float>::infinity(), 16777216});
  const Floats odd = values(read_csv("nan,NaN,inf,-inf\n", "x"));
  EXPECT_TRUE(std::isnan(odd[0]) && std::isnan(odd[1]) && odd[2] > 0 && std::isinf(odd[3]));
}

TEST(Csv, reads_quoted_cells) {
  expect_table("\"time, s\",\"say \"\"x\"\"\"\n\"1\",\"2\"\n", {"time, s", "say \"x\""}, {1, 2},
               {1, 2});
  EXPECT_PRED2(says, refusal_of("\"a,b\n1,2\n"), "line 1: a quoted cell does not end on its line");
}

TEST(Csv, names_line_and_column_of_a_missing_value) {
  EXPECT_EQ(refusal_of("t,ecg\n1,2\n3,\n"),
            "\"x.csv\", line 3, column 2 (\"ecg\"): the cell is empty. Fill in a number, or nan "
            "for a missing value.");
  EXPECT_EQ(refusal_of("1,2\n3,x\n"), "\"x.csv\", line 2, column 2: expected a number, got \"x\".");
  EXPECT_PRED2(says, refusal_of("t,ecg\n1,2\n3,NA\n"),
               "line 3, column 2 (\"ecg\"): expected a number, got \"NA\"");
  EXPECT_PRED2(says, refusal_of("NA,NA\n1,2\n"), "line 1, column 1: expected a number");
  EXPECT_PRED2(says, refusal_of(",\n1,2\n"), "line 1, column 1: the cell is empty");
  EXPECT_PRED2(says, refusal_of("1\n\n2\n"), "line 2, column 1: the cell is empty");
}

TEST(Csv, refuses_ragged_rows) {
  EXPECT_EQ(refusal_of("1,2\n3\n"), "\"x.csv\", line 2: expected 2 cells as in line 1, got 1.");
  EXPECT_EQ(refusal_of("1,2\n3,4,\n"), "\"x.csv\", line 2: expected 2 cells as in line 1, got 3.");
}

TEST(Csv, asks_when_the_first_line_could_be_either) {
  EXPECT_EQ(refusal_of("1,abc\n2,3\n"),
            "\"x.csv\", line 1, column 2: \"abc\" is no number, but others in this "
            "line are. If the line is a header, say so.");
  expect_table("1,abc\n2,3\n", {"1", "abc"}, {1, 2}, {2, 3},
               {.header = CsvOptions::Header::present});
  expect_table("1,2\n2,3\n", {"1", "2"}, {1, 2}, {2, 3}, {.header = CsvOptions::Header::present});
  EXPECT_PRED2(says, refusal_of("a,b\n2,3\n", {.header = CsvOptions::Header::absent}),
               "line 1, column 1");
}

TEST(Csv, refuses_tables_without_rows_and_other_encodings) {
  for (const std::string_view text : {"", "\n\n", "a,b\n", "\xEF\xBB\xBF"})
    EXPECT_EQ(refusal_of(text), "\"x.csv\": the table has no rows.") << text;
  EXPECT_PRED2(says,
               refusal_of("\xFF\xFE"
                          "1"),
               "the text is UTF-16. Save it as UTF-8.");
  EXPECT_PRED2(says, refusal_of("1,2\n3,\x1b[2J\n"), "got \"?[2J\"");
  EXPECT_PRED2(says, refusal_of(std::string_view("1,2\n3,\0\n", 8)), "expected a number");
}

TEST(Csv, survives_every_changed_byte) {
  const std::string text = "a,\"b\"\n1.5,2\n3,-4e1\n";
  for (std::size_t at = 0; at < text.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(value);
      EXPECT_FALSE(refusal_of(damaged).empty());
    }
}

TEST(Csv, writes_the_shortest_digits_that_read_back_the_same) {
  const Array array({2, 2},
                    Floats{0.1f, -1e-45f, 16777216, std::numeric_limits<float>::infinity()});
  EXPECT_EQ(write_csv(array, {"a", "b,c"}), "a,\"b,c\"\n0.1,-1e-45\n16777216,inf\n");
  EXPECT_EQ(values(read_csv(write_csv(array), "x")),
            Floats(array.values().begin(), array.values().end()));
  EXPECT_EQ(write_csv(Array({2}, Floats{1, 2})), "1\n2\n");
}

TEST(Csv, reads_back_its_own_files) {
  const TemporaryFolder folder;
  Array array({257, 3});
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] =
        std::ldexp(static_cast<float>(i * 7919 % 104729), static_cast<int>(i % 200) - 100);
  save_csv(folder / "x.csv", array, {"p", "q\"", "r"});
  const Table table = load_table(folder / "x.csv");
  EXPECT_EQ(table.columns, (Names{"p", "q\"", "r"}));
  EXPECT_EQ(values(table), Floats(array.values().begin(), array.values().end()));
  EXPECT_EQ(load_csv(folder / "x.csv").shape(), (Shape{257, 3}));
}

TEST(Csv, refuses_to_write_what_is_no_table) {
  const auto refused = [](const Shape& shape, const Names& names) {
    return refused_with<ArgumentError>([&] { write_csv(Array(shape), names); });
  };
  EXPECT_EQ(refused({2, 3, 4}, {}),
            "csv: a table has one or two axes, got shape (2, 3, 4). Save more as .npy.");
  EXPECT_EQ(refused({2, 3}, {"a"}), "csv: expected 3 column names, got 1.");
  EXPECT_PRED2(says, refused({2, 1}, {"a\nb"}), "holds a control character");
}

}  // namespace
}  // namespace sonde::formats
