#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Flatten, obeys_its_laws) {
  check_laws(Flatten{}, {.streams = false, .any_length = false});
  check_laws(Flatten{}, {.shapes = {{3, 2, 5}}, .streams = false, .any_length = false});
  check_laws(Flatten{}, {.time = 0, .streams = false});
}

TEST(Flatten, keeps_row_major_order_of_every_row) {
  Trial trial(Flatten{}, {{3, 2}}, 2);
  EXPECT_EQ(trial({arange(12)}).front(), arange(12));
  EXPECT_EQ(Flatten{}(Input({3, 2})).shape(), (Shape{6}));
}

TEST(Flatten, refuses_a_signal_of_unknown_length) {
  EXPECT_EQ(refusal([] {
              Flatten{.name = "flat"}(Input({dynamic, 2}));
            }),
            "Flatten \"flat\": needs a known number of steps, got (None, 2). "
            "Give Input the length, or use a global pooling.");
}

TEST(Reshape, obeys_its_laws) {
  check_laws(Reshape{.target_shape = {{-1, 3, 2}}}, {.channels = 6});
  check_laws(Reshape{.target_shape = {{17, 2, 3}}}, {.channels = 6, .any_length = false});
  check_laws(Reshape{.target_shape = {{-1, 2}}}, {.channels = 6, .streams = false});
  check_laws(Reshape{.target_shape = {{-1, 9}}},
             {.time = 15, .streams = false, .any_length = false});
  check_laws(Reshape{.target_shape = {{2, -1, 3}}},
             {.time = 16, .streams = false, .any_length = false});
  check_laws(Reshape{.target_shape = {{-1}}}, {.streams = false, .any_length = false});
  check_laws(Reshape{.target_shape = {{5, -1}}}, {.time = 0, .channels = 15, .streams = false});
}

TEST(Reshape, keeps_row_major_order_of_every_row) {
  for (const std::vector<Index>& target :
       {std::vector<Index>{4, 3}, {3, -1}, {12}, {-1, 6}, {2, 3, 2}}) {
    Trial trial(Reshape{.target_shape = target}, {{6, 2}}, 3);
    EXPECT_EQ(trial({arange(36)}).front(), arange(36));
  }
}

TEST(Reshape, finds_the_size_that_is_left) {
  const auto shape = [](std::vector<Index> target, Shape from) {
    return Reshape{.target_shape = target}(Input(from)).shape();
  };
  EXPECT_EQ(shape({-1, 4}, {400, 16}), (Shape{1600, 4}));
  EXPECT_EQ(shape({20, -1, 2}, {400, 16}), (Shape{20, 160, 2}));
  EXPECT_EQ(shape({-1, 16, 1}, {dynamic, 16}), (Shape{dynamic, 16, 1}));
  EXPECT_EQ(shape({-1, 4}, {dynamic, 16}), (Shape{dynamic, 4}));
}

TEST(Reshape, refuses_sizes_that_do_not_fit) {
  const auto of = [](std::vector<Index> target, Shape from) {
    return refusal([&] { Reshape{.target_shape = target}(Input(from)); });
  };
  EXPECT_EQ(of({7, 5}, {6, 2}),
            "Reshape: target_shape = (7, 5) cannot hold the 12 numbers of (6, 2). "
            "Its sizes must multiply to that number; one may be -1.");
  EXPECT_EQ(of({-1, 5}, {6, 2}),
            "Reshape: target_shape = (-1, 5) cannot hold the 12 numbers of (6, 2). "
            "Its sizes must multiply to that number; one may be -1.");
  EXPECT_EQ(of({-1, 24}, {6, 2}).substr(0, 40), "Reshape: target_shape = (-1, 24) cannot ");
  EXPECT_EQ(of({5, 2}, {6, 2}).substr(0, 38), "Reshape: target_shape = (5, 2) cannot ");
  EXPECT_EQ(of({-1, -1}, {6, 2}),
            "Reshape: every size of target_shape must be at least 1, got -1. "
            "One size may be -1: whatever is left.");
  EXPECT_EQ(of({0, 4}, {6, 2}),
            "Reshape: every size of target_shape must be at least 1, got 0. "
            "One size may be -1: whatever is left.");
  EXPECT_EQ(of({}, {6, 2}), "Reshape: target_shape needs at least one size, got none.");
  EXPECT_EQ(of({4, -1}, {dynamic, 2}),
            "Reshape: target_shape = (4, -1) needs a known number of steps, got (None, 2). "
            "Give Input the length, or put the -1 first.");
}

TEST(RepeatVector, obeys_its_laws) {
  for (const Index n : {1, 2, 19}) check_laws(RepeatVector{.n = n}, {.time = 0});
}

TEST(RepeatVector, repeats_one_vector) {
  EXPECT_EQ(evaluate(RepeatVector{.n = 3}, {2}, {1, 2}), (Numbers{1, 2, 1, 2, 1, 2}));
}

TEST(RepeatVector, refuses_sequences_and_no_repeats) {
  EXPECT_EQ(refusal([] { RepeatVector{.n = 0}(Input({4})); }),
            "RepeatVector: n must be at least 1, got 0.");
  EXPECT_EQ(refusal([] {
              RepeatVector{.n = 2}(Input({5, 4}));
            }),
            "RepeatVector: expects an input of shape (features,), got (5, 4). "
            "Put Flatten or a global pooling before it.");
}

TEST(RepeatVector, cannot_stream_though_its_input_has_no_time) {
  const Tensor x = Input({4});
  const Graph graph({x}, {RepeatVector{.n = 2}(x)});
  EXPECT_EQ(refusal([&] { Plan(graph, *graph.weights(1), {.mode = Mode::stream}); }),
            "RepeatVector \"repeat_vector\": cannot stream: it makes a sequence of n steps out of "
            "one vector.");
}

TEST(Permute, obeys_its_laws) {
  check_laws(Permute{.dims = {{2, 1}}}, {.streams = false, .any_length = false});
  check_laws(Permute{.dims = {{1, 2}}});
  check_laws(Permute{.dims = {{1, 3, 2}}}, {.shapes = {{17, 2, 3}}});
  check_laws(Permute{.dims = {{3, 1, 2}}},
             {.shapes = {{17, 2, 3}}, .streams = false, .any_length = false});
  check_laws(Permute{.dims = {{1}}}, {.time = 0});
}

TEST(Permute, transposes_every_row) {
  // numpy.transpose with the batch in front.
  Trial trial(Permute{.dims = {{2, 1}}}, {{2, 3}}, 2);
  EXPECT_EQ(trial({arange(12)}).front(), (Numbers{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
  Trial turned(Permute{.dims = {{3, 1, 2}}}, {{2, 1, 3}}, 1);
  EXPECT_EQ(turned({arange(6)}).front(), (Numbers{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ((Permute{.dims = {{3, 1, 2}}}(Input({2, 5, 3})).shape()), (Shape{3, 2, 5}));
}

TEST(Permute, refuses_what_is_no_order_of_the_axes) {
  const auto of = [](std::vector<Index> dims, Shape from) {
    return refusal([&] { Permute{.dims = dims}(Input(from)); });
  };
  EXPECT_EQ(of({0, 1}, {9, 2}),
            "Permute: dims must hold each axis of (9, 2) once, 1 to 2, got (0, 1). The batch is no "
            "part of them.");
  EXPECT_NE(of({1}, {9, 2}), "(not refused)");
  EXPECT_NE(of({1, 1}, {9, 2}), "(not refused)");
  EXPECT_EQ(of({2, 1}, {dynamic, 2}),
            "Permute: dims = (2, 1) needs a known number of steps, got (None, 2). Give Input the "
            "length.");
}

}  // namespace
}  // namespace sonde
