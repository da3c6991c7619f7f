#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(UpSampling1D, obeys_its_laws) {
  for (const Index size : {1, 2, 5}) check_laws(UpSampling1D{.size = size});
}

TEST(UpSampling1D, repeats_every_step) {
  EXPECT_EQ(evaluate(UpSampling1D{.size = 3}, {2, 2}, {1, 2, 3, 4}),
            (Numbers{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}));
  EXPECT_EQ(UpSampling1D{.size = 4}(Input({dynamic, 3})).shape(), (Shape{dynamic, 3}));
}

TEST(UpSampling1D, after_pooling_gives_one_label_per_step_in_a_stream_too) {
  const Tensor x = Input({dynamic, 3});
  Tensor y = Conv1D{.filters = 4, .kernel_size = 3, .padding = Padding::same}(x);
  y = MaxPooling1D{.pool_size = 4}(y);
  y = LSTM{.units = 3, .return_sequences = true}(y);
  y = UpSampling1D{.size = 4}(y);
  y = Conv1D{.filters = 2, .kernel_size = 2, .padding = Padding::same}(y);
  check_graph({x}, {y}, {.time = 20});
}

TEST(UpSampling1D, tells_the_plan_that_a_delay_grows_with_it) {
  const Tensor x = Input({dynamic, 1});
  const Conv1D ahead{.filters = 1, .kernel_size = 5, .padding = Padding::same};
  const Graph graph({x}, {UpSampling1D{.size = 4}(ahead(x))});
  const Plan plan(graph, *graph.weights(1), {.mode = Mode::stream, .steps = 1});
  EXPECT_EQ(plan.values()[static_cast<std::size_t>(plan.steps()[0].outputs[0])].delay, 2);
  EXPECT_GE(plan.values()[static_cast<std::size_t>(plan.outputs()[0])].delay, 8);
}

TEST(UpSampling1D, refuses_a_size_below_one) {
  EXPECT_EQ(refusal([] {
              UpSampling1D{.size = 0}(Input({4, 1}));
            }),
            "UpSampling1D: size must be at least 1, got 0.");
}

}  // namespace
}  // namespace sonde
