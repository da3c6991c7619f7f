#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(ZeroPadding1D, obeys_its_laws) {
  check_laws(ZeroPadding1D{});
  check_laws(ZeroPadding1D{.padding = {3, 0}});
  check_laws(ZeroPadding1D{.padding = {0, 20}});
  check_laws(ZeroPadding1D{.padding = 0});
}

TEST(ZeroPadding1D, puts_zeros_at_both_ends) {
  EXPECT_EQ(evaluate(ZeroPadding1D{.padding = {1, 2}}, {2, 2}, {1, 2, 3, 4}),
            (Numbers{0, 0, 1, 2, 3, 4, 0, 0, 0, 0}));
  EXPECT_EQ(evaluate(ZeroPadding1D{.padding = 1}, {1, 2}, {1, 2}), (Numbers{0, 0, 1, 2, 0, 0}));
  EXPECT_EQ(ZeroPadding1D{.padding = 2}(Input({dynamic, 3})).shape(), (Shape{dynamic, 3}));
}

TEST(ZeroPadding1D, before_a_convolution_is_causal_padding) {
  const Tensor x = Input({dynamic, 3});
  const Tensor padded = ZeroPadding1D{.padding = {4, 0}}(x);
  check_graph({x}, {Add{}({x, Conv1D{.filters = 3, .kernel_size = 5}(padded)})}, {.time = 19});
}

TEST(ZeroPadding1D, at_different_ends_still_meets_in_step) {
  const Tensor x = Input({dynamic, 2});
  check_graph({x},
              {Add{}({ZeroPadding1D{.padding = {5, 0}}(x), ZeroPadding1D{.padding = {0, 5}}(x)})},
              {.time = 17});
}

TEST(Cropping1D, obeys_its_laws) {
  check_laws(Cropping1D{});
  check_laws(Cropping1D{.cropping = {3, 0}});
  check_laws(Cropping1D{.cropping = {0, 7}});
  check_laws(Cropping1D{.cropping = {9, 7}});
  check_laws(Cropping1D{.cropping = 0});
}

TEST(Cropping1D, takes_steps_off_both_ends) {
  EXPECT_EQ(evaluate(Cropping1D{.cropping = {1, 2}}, {4, 2}, arange(8)), (Numbers{2, 3}));
  EXPECT_EQ(Cropping1D{}(Input({6, 3})).shape(), (Shape{4, 3}));
}

TEST(Cropping1D, brings_a_valid_convolution_and_its_input_together) {
  const Tensor x = Input({dynamic, 3});
  const Tensor y = Conv1D{.filters = 3, .kernel_size = 6}(x);
  check_graph({x}, {Add{}({Cropping1D{.cropping = {3, 2}}(x), y})}, {.time = 21});
  // And back to the length of the signal.
  check_graph({x}, {Add{}({x, ZeroPadding1D{.padding = {3, 2}}(y)})}, {.time = 21});
}

TEST(Cropping1D, tells_a_stream_how_long_it_waits) {
  const Tensor x = Input({dynamic, 1});
  const Graph graph({x}, {Cropping1D{.cropping = {2, 3}}(x)});
  const Plan plan(graph, *graph.weights(1), {.mode = Mode::stream, .steps = 1});
  EXPECT_EQ(plan.values()[static_cast<std::size_t>(plan.outputs()[0])].delay, 5);
}

TEST(TimeEnds, are_one_number_or_two) {
  EXPECT_EQ(refusal([] {
              ZeroPadding1D{.padding = {1, 2, 3}}(Input({4, 1}));
            }),
            "ZeroPadding1D: padding must be one number, or two for before and after, got 3 "
            "numbers.");
  EXPECT_EQ(refusal([] {
              Cropping1D{.cropping = {1, -2}}(Input({4, 1}));
            }),
            "Cropping1D: cropping must be at least 0, got -2.");
  EXPECT_EQ(refusal([] {
              Cropping1D{.cropping = 2}(Input({4, 1}));
            }),
            "Cropping1D: cropping takes 4 steps off, but the input has only 4.");
}

}  // namespace
}  // namespace sonde
