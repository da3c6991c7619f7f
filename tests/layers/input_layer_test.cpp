#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(InputLayer, obeys_its_laws) {
  check_round_trip(InputLayer{.shape = Shape{dynamic, 16}, .name = "signal"});
  const Tensor x = Input({9, 3});
  check_graph({x}, {x}, {.time = 9});
}

TEST(InputLayer, refuses_sizes_that_no_signal_has) {
  EXPECT_EQ(refusal([] { Input({}, {.name = "x"}); }),
            "InputLayer \"x\": needs a shape, such as {400, 16} for 400 steps of 16 channels.");
  for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}, Shape{3, dynamic}, Shape{0}})
    EXPECT_NE(refusal([&] { Input(shape); }).find("every size must be at least 1"),
              std::string::npos)
        << to_string(shape);
  EXPECT_EQ(Input({dynamic, 3}).shape(), (Shape{dynamic, 3}));
}

TEST(InputLayer, of_numbers_of_any_length_goes_into_an_embedding_and_nowhere_else) {
  const Tensor x = Input({dynamic});
  EXPECT_EQ((Embedding{.input_dim = 4, .output_dim = 2}(x)).shape(), (Shape{dynamic, 2}));
  const std::string expected =
      "expects an input of known size, got (None,), which only Embedding takes. Use "
      "Input({dynamic, 1}) for one channel of any length.";
  EXPECT_EQ(refusal([&] { Dense{.units = 1, .name = "d"}(x); }), "Dense \"d\": " + expected);
  EXPECT_EQ(refusal([&] { Flatten{}(x); }), "Flatten: " + expected);
  EXPECT_EQ(refusal([&] { Reshape{.target_shape = {{-1, 1}}}(x); }), "Reshape: " + expected);
}

}  // namespace
}  // namespace sonde
