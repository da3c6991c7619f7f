#include "model/diagnosis/array_changes.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sonde::diagnosis {
namespace {

Array array(const Shape& shape, const std::vector<float>& values) { return {shape, values}; }

void expect(const Array& got, const Shape& shape, const std::vector<float>& values) {
  EXPECT_EQ(to_string(got.shape()), to_string(shape));
  EXPECT_EQ(std::vector<float>(got.values().begin(), got.values().end()), values);
}

TEST(ArrayChange, of_axes_moves_the_numbers_along) {
  const ArrayChange turned = transpose("X", {2, 3});
  EXPECT_EQ(turned.text, "X transposed to (n, 3, 2)");
  EXPECT_EQ(turned.shape, (Shape{3, 2}));
  expect(turned.apply(array({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})), {2, 3, 2},
         {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12});
  const ArrayChange flat = reshape("y", {2});
  EXPECT_EQ(flat.text, "y reshaped to (n, 2)");
  expect(flat.apply(array({2, 2, 1}, {1, 2, 3, 4})), {2, 2}, {1, 2, 3, 4});
}

TEST(ArrayChange, of_rates_keeps_every_label_at_its_time) {
  const ArrayChange more = repeat_steps({2, 1}, 3);
  EXPECT_EQ(more.shape, (Shape{6, 1}));
  expect(more.apply(array({2, 2, 1}, {1, 2, 3, 4})), {2, 6, 1},
         {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4});
  expect(repeat_steps({2, 2}, 2).apply(array({1, 2, 2}, {1, 2, 3, 4})), {1, 4, 2},
         {1, 2, 1, 2, 3, 4, 3, 4});

  const ArrayChange fewer = join_steps({7}, 3);
  EXPECT_EQ(fewer.shape, (Shape{2}));
  expect(fewer.apply(array({1, 7}, {0, 1, 1, 2, 2, 0, 5})), {1, 2}, {1, 2});
  expect(join_steps({4, 1}, 2).apply(array({1, 4, 1}, {0.5f, 1, -2, 0.25f})), {1, 2, 1},
         {0.75f, -0.875f});  // measured values: the mean
  expect(join_all_steps({3, 2}).apply(array({1, 3, 2}, {1, 7, 0, 7, 1, 8})), {1, 2}, {1, 7});
  expect(join_all_steps({3}).apply(array({2, 3}, {1, 1, 0, 4, 5, 5})), {2, 1}, {1, 5});
  expect(spread({1}, 3).apply(array({2, 1}, {4, 9})), {2, 3, 1}, {4, 4, 4, 9, 9, 9});
  expect(spread({}, 2).apply(array({2}, {4, 9})), {2, 2, 1}, {4, 4, 9, 9});
  const ArrayChange cut = crop_steps({5, 1}, 1, 4);
  EXPECT_EQ(cut.text, "y cut to the 3 steps from 1 on: (n, 3, 1)");
  expect(cut.apply(array({1, 5, 1}, {1, 2, 3, 4, 5})), {1, 3, 1}, {2, 3, 4});
}

TEST(ArrayChange, of_meanings_changes_each_label) {
  expect(one_hot({2, 1}, 3).apply(array({1, 2, 1}, {2, 0})), {1, 2, 3}, {0, 0, 1, 1, 0, 0});
  expect(one_hot({2}, 2).apply(array({1, 2}, {1, 0})), {1, 2, 2}, {0, 1, 1, 0});
  expect(class_numbers({2, 3}).apply(array({1, 2, 3}, {0, 0, 1, 1, 0, 0})), {1, 2, 1}, {2, 0});
  expect(linear({2}, 1, 0.5f, "").apply(array({1, 2}, {-1, 1})), {1, 2}, {0, 1});
  expect(mean_of_steps().apply(array({2, 2}, {1, 2, 4, 0})), {2, 1}, {1.5f, 2});
}

TEST(LabelFacts, say_what_labels_are_and_where) {
  const LabelFacts facts = facts_of(array({2, 3, 1}, {0, 4, 1, -2, 0.5f, 4}));
  EXPECT_EQ(facts.smallest, -2);
  EXPECT_EQ(facts.smallest_at, 3);
  EXPECT_EQ(facts.largest, 4);
  EXPECT_EQ(facts.largest_at, 1);
  EXPECT_FALSE(facts.whole);
  EXPECT_EQ(facts.fraction, 0.5f);
  EXPECT_EQ(facts.fraction_at, 4);
  EXPECT_TRUE(facts_of(array({1, 2, 2}, {0, 1, 1, 0})).one_hot);
  EXPECT_FALSE(facts_of(array({1, 2, 2}, {0, 1, 1, 1})).one_hot);
  // Labels that do not count may be anything.
  const Array weights({2}, std::vector<float>{1, 0});
  EXPECT_EQ(facts_of(array({2, 2}, {0, 1, 99, NAN}), weights).largest, 1);
  const Array of_steps({2, 2}, std::vector<float>{1, 0, 1, 1});
  EXPECT_EQ(facts_of(array({2, 2}, {0, 77, 3, 1}), of_steps).largest, 3);
}

}  // namespace
}  // namespace sonde::diagnosis
