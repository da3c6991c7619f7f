#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

GetItem item(std::vector<Slice> key) { return GetItem{.key = std::move(key), .name = "part"}; }
const Slice all{};

TEST(GetItem, obeys_its_laws) {
  check_laws(item({all, {.start = 1}}), {.channels = 3});
  check_laws(item({all, {.step = -2}}), {.channels = 5});
  check_laws(item({{.start = 2, .stop = -1}}), {.streams = false, .any_length = false});
  check_laws(item({Slice::place(-1)}), {.streams = false, .any_length = false});
  check_laws(item({{.stop = 9, .step = 2}, Slice::place(1)}),
             {.streams = false, .any_length = false});
  check_laws(item({all, Slice::place(1), {.stop = 2}}), {.time = 5, .shapes = {{5, 2, 3}}});
  check_laws(item({{.start = 1, .stop = 3}}), {.time = 0});
}

/// What numpy.arange(24).reshape(1, 4, 2, 3)[:, key] gives.
Numbers taken(std::vector<Slice> key) {
  Trial trial(item(std::move(key)), {{4, 2, 3}}, 1);
  return trial({arange(24)}).front();
}

TEST(GetItem, takes_what_numpy_takes) {
  EXPECT_EQ(taken({Slice::place(-1), Slice::place(0)}), (Numbers{18, 19, 20}));
  EXPECT_EQ(taken({{.start = 1, .stop = 3}, Slice::place(1), Slice::place(-1)}), (Numbers{11, 17}));
  EXPECT_EQ(taken({Slice::rest(), {.stop = 1}}), (Numbers{0, 3, 6, 9, 12, 15, 18, 21}));
  EXPECT_EQ(taken({{.start = -1, .step = -3}, {.step = -1}, {.start = 5, .step = -2}}),
            (Numbers{23, 21, 20, 18, 5, 3, 2, 0}));
  EXPECT_EQ(taken({{.start = -100, .stop = 1}, all, {.start = 2, .stop = 100}}), (Numbers{2, 5}));
}

TEST(GetItem, keeps_the_rows_apart) {
  Trial trial(item({Slice::place(1)}), {{3, 2}}, 2);
  EXPECT_EQ(trial({arange(12)}).front(), (Numbers{2, 3, 8, 9}));
}

TEST(GetItem, knows_its_shape_where_time_is_open) {
  const Tensor x = Input({dynamic, 4});
  EXPECT_EQ(item({all, {.stop = 3}})(x).shape(), (Shape{dynamic, 3}));
  EXPECT_EQ(item({Slice::place(-1)})(x).shape(), (Shape{4}));
  EXPECT_EQ(item({{.start = -3}})(x).shape(), (Shape{dynamic, 4}));
}

TEST(GetItem, refuses_what_is_not_there) {
  const Tensor x = Input({5, 4});
  EXPECT_EQ(refusal([&] { item({Slice::place(5)})(x); }),
            "GetItem \"part\": place 5 of axis 0 is not there: the input is (5, 4).");
  EXPECT_EQ(refusal([&] {
              item({all, {.start = 4}})(x);
            }),
            "GetItem \"part\": nothing is left of axis 1 of (5, 4).");
  EXPECT_EQ(refusal([&] {
              item({all, all, all})(x);
            }),
            "GetItem \"part\": key has 3 parts, but the input (5, 4) has only 2 axes.");
  EXPECT_EQ(refusal([&] { item({{.step = 0}})(x); }), "GetItem \"part\": a slice has step 0.");
}

}  // namespace
}  // namespace sonde
