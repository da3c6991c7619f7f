#include <cmath>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Add, obeys_its_laws) {
  check_laws(Add{}, {.inputs = 2});
  check_laws(Add{}, {.time = 0, .inputs = 4});
  check_laws(Add{}, {.shapes = {{17, 2, 3}, {17, 2, 3}}});
}

TEST(Add, takes_one_tensor_twice) {
  const Tensor x = Input({dynamic, 2});
  check_graph({x}, {Add{}({x, x})}, {.time = 9});
}

TEST(Add, brings_branches_of_different_delay_in_step) {
  const Tensor x = Input({dynamic, 3});
  const Tensor ahead = Conv1D{.filters = 3, .kernel_size = 6, .padding = Padding::same}(x);
  const Tensor behind = Conv1D{.filters = 3, .kernel_size = 4, .padding = Padding::causal}(x);
  check_graph({x}, {Add{}({x, ahead, behind})}, {.time = 21});
}

TEST(Add, waits_for_a_branch_that_makes_many_steps_at_once) {
  const Tensor x = Input({152, 3});
  const Tensor slow = UpSampling1D{.size = 4}(MaxPooling1D{.pool_size = 4}(x));
  check_graph({x}, {Add{}({x, slow})}, {.time = 152});
  // Sees 6 pooled steps ahead: 24 steps of the signal wait.
  Tensor ahead = MaxPooling1D{.pool_size = 4}(x);
  ahead = Conv1D{.filters = 3, .kernel_size = 13, .padding = Padding::same}(ahead);
  check_graph({x}, {Add{}({x, UpSampling1D{.size = 4}(ahead)})}, {.time = 152});
}

TEST(Add, refuses_shapes_that_do_not_go_together) {
  EXPECT_EQ(refusal([] {
              Add{}({Input({9, 2}), Input({9, 4})});
            }),
            "Add: all inputs must have one shape, or sizes of 1 where they differ, got (9, 2) and "
            "(9, 4). A Dense layer can bring them to the same width.");
  EXPECT_EQ(refusal([] {
              Add{.name = "skip"}({Input({9, 4}), Input({7, 4})});
            }),
            "Add \"skip\": all inputs must have one shape, or sizes of 1 where they differ, got "
            "(9, 4) and (7, 4). A convolution or pooling on one side may need padding = same.");
  EXPECT_EQ(refusal([] { Add{}({Input({9, 4})}); }), "Add: takes at least two inputs, got 1.");
  EXPECT_EQ(refusal([] {
              Multiply{}({Masking{}(Input({1, 4})), Input({7, 4}).without_mask()});
            }),
            "Multiply: an input that is repeated at every step must have no mask.");
}

template <class L>
void check_merging(Index inputs) {
  check_laws(L{}, {.inputs = inputs});
  check_laws(L{}, {.time = 0, .inputs = 2});
  const Tensor x = Input({dynamic, 3});
  const Tensor ahead = Conv1D{.filters = 3, .kernel_size = 6, .padding = Padding::same}(x);
  check_graph({x}, {L{}({x, ahead})}, {.time = 21});
  // Repeated along axes: of channels, of time, of both, and where a whole one comes last.
  check_laws(L{}, {.time = 7, .shapes = {{7, 4}, {7, 1}}});
  check_laws(L{}, {.time = 7, .shapes = {{7, 1}, {7, 4}}});
  check_laws(L{}, {.time = 7, .shapes = {{7, 5, 3}, {7, 1, 3}}});
  for (const std::vector<Shape>& shapes :
       {std::vector<Shape>{{7, 4}, {4}}, {{4}, {7, 4}}, {{3}, {7, 5, 3}}})
    check_laws(L{}, {.time = 7, .shapes = shapes, .streams = false});
  const LawOptions fixed{
      .time = 7, .shapes = {{1, 4}, {7, 1}}, .streams = false, .any_length = false};
  check_laws(L{}, fixed);
}

TEST(Subtract, obeys_its_laws) { check_merging<Subtract>(2); }
TEST(Multiply, obeys_its_laws) { check_merging<Multiply>(4); }
TEST(Average, obeys_its_laws) { check_merging<Average>(3); }
TEST(Maximum, obeys_its_laws) { check_merging<Maximum>(4); }
TEST(Minimum, obeys_its_laws) { check_merging<Minimum>(4); }

TEST(Merging, goes_number_by_number) {
  const auto merge = [](const auto& layer, Numbers a, Numbers b) {
    return Trial(layer, {{3}, {3}}, 1)({a, b}).front();
  };
  const Numbers a{1, -2, 3}, b{4, -5, 3};
  EXPECT_EQ(merge(Subtract{}, a, b), (Numbers{-3, 3, 0}));
  EXPECT_EQ(merge(Multiply{}, a, b), (Numbers{4, 10, 9}));
  EXPECT_EQ(merge(Average{}, a, b), (Numbers{2.5, -3.5, 3}));
  EXPECT_EQ(merge(Maximum{}, a, b), (Numbers{4, -2, 3}));
  EXPECT_EQ(merge(Minimum{}, a, b), (Numbers{1, -5, 3}));
  const double nan = std::nan("");
  EXPECT_TRUE(std::isnan(merge(Maximum{}, {nan, 0, 0}, a)[0]));
  EXPECT_TRUE(std::isnan(merge(Minimum{}, a, {nan, 0, 0})[0]));
}

TEST(Multiply, has_a_gradient_where_factors_are_zero) {
  Trial trial(Multiply{}, {{2}, {2}, {2}}, 1, Mode::train);
  trial({{0, 2}, {3, 0}, {5, 0}});
  const std::vector<Numbers> gradients = trial.backward({{1, 1}});
  EXPECT_EQ(gradients[0], (Numbers{15, 0}));
  EXPECT_EQ(gradients[1], (Numbers{0, 0}));
}

TEST(Maximum, shares_the_gradient_of_equal_numbers_as_keras_does) {
  // jax.numpy.maximum gives each of two equal numbers half, pair after pair.
  Trial trial(Maximum{}, {{2}, {2}, {2}}, 1, Mode::train);
  trial({{7, 1}, {7, 3}, {7, 3}});
  const std::vector<Numbers> gradients = trial.backward({{8, 8}});
  EXPECT_EQ(gradients[0], (Numbers{2, 0}));
  EXPECT_EQ(gradients[1], (Numbers{2, 4}));
  EXPECT_EQ(gradients[2], (Numbers{4, 4}));
}

TEST(Subtract, takes_two_inputs) {
  EXPECT_EQ(refusal([] {
              Subtract{}({Input({3}), Input({3}), Input({3})});
            }),
            "Subtract: takes two inputs, got 3.");
}

TEST(Concatenate, obeys_its_laws) {
  check_laws(Concatenate{}, {.shapes = {{17, 3}, {17, 1}, {17, 5}}});
  check_laws(Concatenate{.axis = 2}, {.inputs = 2});
  check_laws(Concatenate{.axis = 1},
             {.shapes = {{17, 3}, {4, 3}}, .streams = false, .any_length = false});
  check_laws(Concatenate{.axis = -2}, {.inputs = 2, .streams = false});
  check_laws(Concatenate{.axis = 2}, {.shapes = {{17, 2, 3}, {17, 1, 3}}});
  check_laws(Concatenate{.axis = 3}, {.shapes = {{17, 2, 3}, {17, 2, 1}}});
  check_laws(Concatenate{}, {.time = 0, .shapes = {{2}, {3}}});
}

TEST(Concatenate, joins_along_the_axis) {
  const auto join = [](Index axis, Shape a, Shape b, Numbers x, Numbers z) {
    return Trial(Concatenate{.axis = axis}, {a, b}, 1)({x, z}).front();
  };
  // numpy.concatenate with the batch in front.
  EXPECT_EQ(join(-1, {2, 2}, {2, 1}, {1, 2, 3, 4}, {5, 6}), (Numbers{1, 2, 5, 3, 4, 6}));
  EXPECT_EQ(join(1, {2, 2}, {1, 2}, {1, 2, 3, 4}, {5, 6}), (Numbers{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(join(2, {1, 2, 2}, {1, 1, 2}, {1, 2, 3, 4}, {5, 6}), (Numbers{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(join(3, {1, 2, 2}, {1, 2, 1}, {1, 2, 3, 4}, {5, 6}), (Numbers{1, 2, 5, 3, 4, 6}));
}

TEST(Concatenate, brings_branches_of_different_delay_in_step) {
  const Tensor x = Input({dynamic, 3});
  const Tensor ahead = Conv1D{.filters = 2, .kernel_size = 7, .padding = Padding::same}(x);
  check_graph({x}, {Concatenate{}({ahead, x})}, {.time = 21});
}

TEST(Concatenate, refuses_what_does_not_fit) {
  EXPECT_EQ(
      refusal([] {
        Concatenate{}({Input({9, 4}), Input({8, 4})});
      }),
      "Concatenate: inputs must agree in all sizes but that of axis -1, got (9, 4) and (8, 4).");
  EXPECT_EQ(refusal([] {
              Concatenate{.axis = 1}({Input({9, 4}), Input({9})});
            }),
            "Concatenate: inputs must agree in all sizes but that of axis 1, got (9, 4) and (9,).");
  for (const Index axis : {0, 3, -3})
    EXPECT_EQ(refusal([&] {
                Concatenate{.axis = axis}({Input({9, 4}), Input({9, 4})});
              }),
              "Concatenate: axis must be 1 to 2 or -2 to -1 for inputs of shape (9, 4), got " +
                  std::to_string(axis) + ". Axis 0 is the batch.");
  EXPECT_EQ(refusal([] {
              Concatenate{}({Input({9, 4})});
            }),
            "Concatenate: takes at least two inputs, got 1.");
}

}  // namespace
}  // namespace sonde
