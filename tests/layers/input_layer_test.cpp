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
  for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}, Shape{3, dynamic}, Shape{dynamic}})
    EXPECT_NE(refusal([&] { Input(shape); }).find("every size must be at least 1"),
              std::string::npos)
        << to_string(shape);
  EXPECT_EQ(Input({dynamic, 3}).shape(), (Shape{dynamic, 3}));
}

}  // namespace
}  // namespace sonde
