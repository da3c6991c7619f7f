#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Dot, obeys_its_laws) {
  const auto check = [](Dot layer, Shape a, Shape b, bool any_length = false) {
    check_laws(layer, {.shapes = {a, b}, .streams = false, .any_length = any_length});
  };
  check({.axes = 2}, {17, 3}, {5, 3});
  check({.axes = 1}, {17, 3}, {17, 4}, true);
  check({.axes = {{2, 1}}}, {17, 3}, {3}, false);
  check({.axes = {{3, 2}}}, {17, 2, 3}, {4, 3});
  check({.axes = 2}, {5, 3, 2}, {4, 3, 2});
  check({.axes = -1, .normalize = true}, {17, 3}, {5, 3});
  check({.axes = 1, .normalize = true}, {17, 3}, {17, 3}, true);
  check_laws(Dot{.axes = 1}, {.time = 0, .inputs = 2});
}

TEST(Dot, has_the_shapes_of_keras) {
  // What keras.layers.Dot says of the same shapes.
  const auto shape = [](Dot layer, Shape a, Shape b) {
    return layer({Input(a), Input(b)}).shape();
  };
  EXPECT_EQ(shape({.axes = 1}, {3}, {3}), (Shape{1}));
  EXPECT_EQ(shape({.axes = {{1, 2}}}, {3}, {5, 3}), (Shape{5}));
  EXPECT_EQ(shape({.axes = 2}, {4, 3}, {5, 3}), (Shape{4, 5}));
  EXPECT_EQ(shape({.axes = {{3, 2}}}, {4, 2, 3}, {5, 3}), (Shape{4, 2, 5}));
  EXPECT_EQ(shape({.axes = 2}, {4, 2, 3}, {5, 2, 7}), (Shape{4, 3, 5, 7}));
  EXPECT_EQ(shape({.axes = 1}, {dynamic, 3}, {dynamic, 4}), (Shape{3, 4}));
}

TEST(Dot, sums_products_over_the_axes) {
  Trial trial(Dot{.axes = 2}, {{2, 2}, {3, 2}}, 1);
  // [[1, 2], [3, 4]] times the transpose of [[1, 0], [0, 1], [1, 1]].
  EXPECT_EQ(trial({{1, 2, 3, 4}, {1, 0, 0, 1, 1, 1}}).front(), (Numbers{1, 2, 3, 3, 4, 7}));
}

TEST(Dot, normalized_is_the_cosine) {
  Trial trial(Dot{.axes = 1, .normalize = true}, {{2}, {2}}, 2);
  EXPECT_TRUE(near(trial({{3, 4, 0, 0}, {8, 6, 1, 1}}).front(), Numbers{0.96, 0}, 1e-12));
}

TEST(Dot, refuses_what_does_not_fit) {
  const auto of = [](Dot layer, Shape a, Shape b) {
    return refusal([&] { layer({Input(a), Input(b)}); });
  };
  EXPECT_EQ(of({.axes = 2}, {4, 3}, {5, 2}),
            "Dot: the summed axes must have one size, got 3 of (4, 3) and 2 of (5, 2).");
  EXPECT_EQ(of({.axes = 0}, {4, 3}, {4, 3}),
            "Dot: axes must be 1 to 2 or -2 to -1 for an input of shape (4, 3), got 0. Axis 0 is "
            "the batch.");
  EXPECT_EQ(of({.axes = 2}, {4, 3}, {dynamic, 3}),
            "Dot: needs a known number of steps, got (4, 3) and (None, 3). Give Input the length.");
  EXPECT_EQ(refusal([] { Dot{.axes = 1}({Input({3})}); }), "Dot: takes two inputs, got 1.");
}

}  // namespace
}  // namespace sonde
