#include "formats/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <sonde/error.hpp>

#include "tests/support/files.hpp"

namespace sonde::formats {
namespace {

using sonde::testing::refused_with;
using sonde::testing::says;

TEST(Json, reads_every_kind_of_value_in_order) {
  const Value value = parse_json(R"({"z": null, "a": [true, -3, 2.5, "é\n"], "m": {}})");
  const Value expected =
      Value::Dict{{"z", Value()}, {"a", Value::List{true, -3, 2.5, "é\n"}}, {"m", Value::Dict{}}};
  EXPECT_EQ(value, expected);
}

TEST(Json, reads_the_words_that_python_writes_for_special_numbers) {
  const Value value = parse_json(R"([NaN, Infinity, -Infinity, "NaN \"Infinity", {"NaN": 1}])");
  const auto& list = *value.as<Value::List>();
  EXPECT_TRUE(std::isnan(*list[0].as<double>()));
  EXPECT_EQ(list[1], Value(HUGE_VAL));
  EXPECT_EQ(list[2], Value(-HUGE_VAL));
  EXPECT_EQ(list[3], Value("NaN \"Infinity"));
  EXPECT_EQ(list[4], Value(Value::Dict{{"NaN", 1}}));
}

TEST(Json, writes_special_numbers_as_python_does) {
  EXPECT_EQ(print_json(Value::List{std::nan(""), HUGE_VAL, -HUGE_VAL}),
            "[NaN, Infinity, -Infinity]");
}

TEST(Json, writes_floats_as_python_does) {
  // Python 3.11: json.dumps([1.0, 0.1, float(numpy.float32(0.001)), 1e-7, 1e22, -0.0])
  EXPECT_EQ(print_json(Value::List{1.0, 0.1, static_cast<double>(0.001f), 1e-7, 1e22, -0.0}),
            "[1.0, 0.1, 0.0010000000474974513, 1e-07, 1e+22, -0.0]");
}

TEST(Json, keeps_whole_numbers_and_floats_apart) {
  EXPECT_EQ(parse_json(print_json(Value(3.0))), Value(3.0));
  EXPECT_EQ(parse_json(print_json(Value(3))), Value(3));
}

TEST(Json, reads_whole_numbers_beyond_64_bits_as_floats) {
  EXPECT_EQ(parse_json("9223372036854775807"), Value(std::int64_t{9223372036854775807}));
  EXPECT_EQ(parse_json("9223372036854775808"), Value(9223372036854775808.0));
  EXPECT_EQ(parse_json("-99999999999999999999"), Value(-1e20));
}

RC_GTEST_PROP(Json, every_float_reads_back_as_the_same_bits, (std::uint64_t bits)) {
  double number;
  std::memcpy(&number, &bits, sizeof number);
  RC_PRE(!std::isnan(number));
  const Value read = parse_json(print_json(number));
  RC_ASSERT(std::memcmp(read.as<double>(), &number, sizeof number) == 0);
}

RC_GTEST_PROP(Json, every_text_of_letters_reads_back, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
  RC_ASSERT(parse_json(print_json(text)) == Value(text));
}

RC_GTEST_PROP(Json, any_bytes_give_a_value_or_a_typed_error, (const std::string& bytes)) {
  try {
    parse_json(bytes);
  } catch (const Error&) {
  }
}

TEST(Json, indents_when_asked) {
  EXPECT_EQ(print_json(Value::Dict{{"a", Value::List{1, 2}}, {"b", Value::List{}}}, 1),
            "{\n \"a\": [\n  1,\n  2\n ],\n \"b\": []\n}");
}

TEST(Json, refuses_a_key_that_stands_twice) {
  const auto message =
      refused_with<FormatError>([] { parse_json(R"({"a": 1, "b": {"a": 2}, "a": 3})", "m.json"); });
  EXPECT_EQ(message, "m.json: the key \"a\" stands twice in one table.");
}

TEST(Json, says_where_a_text_is_broken) {
  const auto message =
      refused_with<FormatError>([] { parse_json("{\"a\": 1,\n \"b\" 2}", "m.json"); });
  EXPECT_PRED2(says, message, "m.json: expected JSON, got a parse error at line 2, column 6");
}

TEST(Json, refuses_what_is_no_json) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":}", "nul", "[1] 2", "\"\x01\"", "\"\xff\"",
                           "01", "1e999", "NaNa", "[-Infinit]", "'a'", "// a\n1"})
    EXPECT_THROW(parse_json(text), FormatError) << text;
}

TEST(Json, refuses_lists_that_lie_deeper_than_the_limit) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(64)));
  EXPECT_THROW(parse_json(nested(65)), LimitError);
  // Unlimited recursion would end the process here.
  EXPECT_THROW(parse_json(nested(10'000'000)), LimitError);
  EXPECT_THROW(parse_json(std::string(10'000'000, '{')), FormatError);
}

TEST(Json, refuses_more_bytes_or_values_than_the_limits) {
  EXPECT_THROW(parse_json("[1, 2, 3]", "m.json", {.bytes = 8}), LimitError);
  EXPECT_THROW(parse_json("[1, 2, 3]", "m.json", {.values = 3}), LimitError);
  EXPECT_NO_THROW(parse_json("[1, 2, 3]", "m.json", {.values = 4}));
}

TEST(Json, refuses_to_write_texts_that_are_not_utf8) {
  EXPECT_THROW(print_json(Value("\xff\xfe")), ArgumentError);
}

}  // namespace
}  // namespace sonde::formats
