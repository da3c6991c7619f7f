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

TEST(Csv, reads_the_columns_that_are_asked_for) {
  const std::string pump =
      "datetime;Current;Volume Flow;anomaly\r\n2020-02-08 13:30:47;1,5;32;0\r\n"
      "2020-02-08 13:30:48;-2;31,25;1\r\n";
  expect_table(pump, {"anomaly", "Current"}, {2, 2}, {0, 1.5f, 1, -2},
               {.columns = {"anomaly", "Current"}});
  expect_table(pump, {"Volume Flow", "Current"}, {2, 2}, {32, 1.5f, 31.25f, -2},
               {.columns = {"3", "2"}});
  // Without a header, columns have numbers only; what is not asked for may be anything.
  expect_table("12:30,1,x\n12:31,2,\n", {}, {2, 1}, {1, 2}, {.columns = {"2"}});
  // A name that looks like a number is a name first.
  expect_table("3,2,1\n10,20,30\n", {"1"}, {1, 1}, {30},
               {.header = CsvOptions::Header::present, .columns = {"1"}});
}

TEST(Csv, chooses_columns_by_name_where_the_table_has_names) {
  const CsvOptions wanted{.columns = {"b", "a"}, .by_name = true};
  expect_table("a,time,b\n1,10:30,2\n3,10:31,4\n", {"b", "a"}, {2, 2}, {2, 1, 4, 3}, wanted);
  expect_table("1,2,3\n4,5,6\n", {}, {2, 3}, {1, 2, 3, 4, 5, 6}, wanted);
  expect_table("a,7,b\n1,2,3\n", {"b", "a"}, {1, 2}, {3, 1}, wanted);
  EXPECT_EQ(refusal_of("a,c\n1,2\n", wanted),
            "\"x.csv\", line 1: there is no column \"b\". There are: a, c.");
  // Names that look like numbers could be a row: all of them must stand there.
  const CsvOptions counted{.columns = {"1", "2"}, .by_name = true};
  expect_table("2,1\n10,20\n", {"1", "2"}, {1, 2}, {20, 10}, counted);
  expect_table("2,3\n10,20\n", {}, {2, 2}, {2, 3, 10, 20}, counted);
  // Names of columns that have none are their numbers.
  expect_table("10:30,5,6\n10:31,7,8\n", {}, {2, 2}, {6, 5, 8, 7},
               {.columns = {"3", "2"}, .by_name = true});
  expect_table("5,6\n7,8\n", {}, {2, 2}, {5, 6, 7, 8}, {.columns = {"3", "2"}, .by_name = true});
}

TEST(Csv, refuses_columns_that_are_not_there) {
  EXPECT_EQ(refusal_of("a,b\n1,2\n", {.columns = {"c"}}),
            "\"x.csv\", line 1: there is no column \"c\". There are: a, b.");
  EXPECT_PRED2(says, refusal_of("a,b\n1,2\n", {.columns = {"3"}}), "There are: a, b.");
  EXPECT_EQ(refusal_of("1,2\n", {.columns = {"3"}}),
            "\"x.csv\", line 1: there is no column \"3\": the table has 2 columns without names, "
            "which are counted from 1.");
  EXPECT_PRED2(says, refusal_of("1,2\n", {.columns = {"0"}}), "there is no column \"0\"");
  EXPECT_PRED2(says, refusal_of("a,a\n1,2\n", {.columns = {"a"}}),
               "two columns are called \"a\". Select them by number, from 1.");
  EXPECT_EQ(refusal_of("t,ecg\n1,2\n3,x\n", {.columns = {"ecg"}}),
            "\"x.csv\", line 3, column 2 (\"ecg\"): expected a number, got \"x\".");
}

TEST(Csv, skips_free_text_before_the_table) {
  const std::string gait = "Acquisition frequency: 100 Hz\nCounter\tAcc\n0.0\t9.5\n1.0\t9.25\n";
  expect_table(gait, {"Counter", "Acc"}, {2, 2}, {0, 9.5f, 1, 9.25f}, {.skip_lines = 1});
  EXPECT_EQ(refusal_of("a\nb\n", {.skip_lines = 2}), "\"x.csv\": the table has no rows.");
  EXPECT_EQ(refusal_of("x\n1,2\n3\n", {.skip_lines = 1}),
            "\"x.csv\", line 3: expected 2 cells as in line 2, got 1.");
}

TEST(Csv, makes_missing_values_nan_when_asked) {
  const Table table = read_csv("a,b\n1,\nNA,2\n,null\n", "x", {.missing_as_nan = true});
  const Floats v = values(table);
  EXPECT_EQ(table.values.shape(), (Shape{3, 2}));
  EXPECT_EQ(v[0], 1);
  EXPECT_EQ(v[3], 2);
  for (const std::size_t i : {1u, 2u, 4u, 5u}) EXPECT_TRUE(std::isnan(v[i])) << i;
  EXPECT_PRED2(says, refusal_of("a,b\n1,zwei\n", {.missing_as_nan = true}), "got \"zwei\"");
}

TEST(Csv, takes_the_decimal_sign_it_is_told) {
  expect_table("a b\n1,5 2\n", {"a", "b"}, {1, 2}, {1.5f, 2}, {.decimal = ','});
  expect_table("1,5\n2\n", {}, {2, 1}, {1.5f, 2}, {.decimal = ','});
  EXPECT_PRED2(says, refusal_of("1.234;2\n1;2\n", {.decimal = ','}), "\"1.234\" is no number");
  EXPECT_PRED2(says, refusal_of("1,5;2\n1;2\n", {.decimal = '.'}), "\"1,5\" is no number");
  const auto refused = [](CsvOptions options) {
    return refused_with<ArgumentError>([&] { read_csv("1\n", "x", options); });
  };
  EXPECT_PRED2(says, refused({.decimal = ';'}), "must be '.' or ','");
  EXPECT_PRED2(says, refused({.delimiter = ',', .decimal = ','}), "cannot be both");
  EXPECT_PRED2(says, refused({.skip_lines = -1}), "must not be negative");
}

TEST(Csv, finds_names_between_blanks) {
  expect_table("x y z\n1 2 3\n", {"x", "y", "z"}, {1, 3}, {1, 2, 3});
  expect_table("my signal\n7\n8\n", {"my signal"}, {2, 1}, {7, 8});
}

TEST(TextTables, keep_words_and_know_where_they_stand) {
  const TextTable table =
      read_text_table("note\nonset,duration,label\n0.5, 2 ,\"left, fast\"\n3,1,T0\n", "x",
                      {.columns = {"label", "onset"}, .skip_lines = 1});
  EXPECT_EQ(table.columns, (Names{"label", "onset"}));
  EXPECT_EQ(table.rows, (std::vector<Names>{{"left, fast", "0.5"}, {"T0", "3"}}));
  EXPECT_EQ(table.first_line, 3);
  const TextTable bare = read_text_table("1 250 5 1232 1392\n2 250 7 1 2\n", "x");
  EXPECT_TRUE(bare.columns.empty());
  EXPECT_EQ(bare.rows.size(), 2u);
  EXPECT_EQ(bare.rows[0][4], "1392");
  EXPECT_TRUE(read_text_table("onset,label\n", "x").rows.empty());
  EXPECT_PRED2(says, refused_with<DataError>([] { read_text_table("a,b\n1\n", "x"); }),
               "expected 2 cells");
}

TEST(Csv, names_line_and_column_of_a_missing_value) {
  EXPECT_EQ(refusal_of("t,ecg\n1,2\n3,\n"),
            "\"x.csv\", line 3, column 2 (\"ecg\"): the cell is empty. Fill in a number, or nan "
            "for a missing value; missing_as_nan = true of [[recordings.signals]] takes it for "
            "one.");
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
