#include <cmath>
#include <limits>

#include "tests/training/loss_case.hpp"

namespace sonde {
namespace {

using testing::Case;
using testing::List;
using testing::spread;

// Expected numbers from here to the next mark: Keras 3.15.1, keras/src/losses/losses_test.py.

TEST(Overlaps, agree_with_keras) {
  const List y{0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1};
  const List t{1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1};
  EXPECT_NEAR((Case{Dice{}, {4, 1, 6, 1}, {1, 2, 1, 2}, 2}.sum<float>()), -0.55555546, 1e-6);
  EXPECT_NEAR((Case{Dice{}, y, t, 4}.sum<float>()), 0.77777773, 1e-7);
  EXPECT_NEAR((Case{Tversky{}, {4, 1, 6, 1}, {1, 2, 1, 2}, 2}.sum<float>()), -0.55555558, 1e-6);
  // Those numbers are of 3.16, which gave alpha and beta each other's place.
  const Tversky other{.alpha = 0.8, .beta = 0.2};
  EXPECT_NEAR((Case{other, {4, 1, 6, 1}, {1, 2, 1, 2}, 2}.sum<float>()), -0.94444442, 1e-6);
  EXPECT_NEAR((Case{other, y, t, 4}.sum<float>()), 0.76190472, 1e-7);
  // Two samples of four numbers, as a shard holds them: step by step.
  const List both_y{0, 0.4, 1, 0, 0, 0, 1, 0.9}, both_t{1, 1, 1, 1, 0, 0, 0, 0};
  const auto each = [&](const Loss& loss) {
    return Case{loss, both_y, both_t, 1, {}, Head::values, 2, {.batch = true}}.sum<float>();
  };
  EXPECT_NEAR(each(Dice{.axis = {1, 2}}), 0.5 + 0.75757575, 1e-6);
  EXPECT_NEAR(each(Tversky{.alpha = 0.8, .beta = 0.2, .axis = {1, 2}}), 0.5 + 0.78494626, 1e-6);
}
// End of the numbers from losses_test.py.

TEST(Overlaps, a_masked_step_is_in_no_sum_and_a_sample_counts_by_its_weights) {
  const List y{0.9, 0.3, 0.2, 0.8}, t{1, 0, 1, 1};
  const Case whole{Dice{}, {0.9, 0.2, 0.8}, {1, 1, 1}};
  const Case masked{Dice{}, y, t, 1, {1, 0, 1, 1}};
  EXPECT_NEAR(masked.sum<double>(), 0.75 * whole.sum<double>(), 1e-12);
  const Case weighed{Dice{}, y, t, 1, {3, 3, 3, 3}};
  EXPECT_NEAR(weighed.sum<double>(), (3 * Case{Dice{}, y, t}.sum<double>()), 1e-6);
  EXPECT_EQ((Case{Dice{}, y, t, 1, {0, 0, 0, 0}}.sum<double>()), 0);
}

TEST(Overlaps, refuse_axes_that_cannot_be_summed) {
  const auto refused = [](const OneOrMany<Index>& axis, const Shape& output) -> std::string {
    try {
      kept_axes(Dice{.axis = axis}, output, "Dense \"out\"");
    } catch (const ArgumentError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refused(3, {400, 1}),
            "Dense \"out\": dice: axis = 3 is not there. Its output has 3 axes: the batch is 0, "
            "time 1, the units 2. Use {1, 2} for a value of each sample, {0, 1} for one of each "
            "unit.");
  EXPECT_NE(refused({1, -2}, {400, 1}), "");
  EXPECT_NE(refused({1, 3}, {400, 2, 1}), "");
  EXPECT_EQ(refused({0, 1}, {400, 1}), "");
  EXPECT_EQ(refused({}, {400, 1}), "");
  EXPECT_EQ(refused(-1, {400, 1}), "");
}

TEST(Overlaps, gradients_agree_with_central_differences) {
  const List y = spread(6 * 5 * 3, 0.02, 0.98), t = spread(6 * 5 * 3, 0, 1);
  for (const bool batch : {false, true})
    for (const bool steps : {false, true})
      for (const bool units : {false, true})
        for (const Loss& loss : {Loss(Dice{}), Loss(Tversky{.alpha = 0.7, .beta = 0.2})})
          for (const List& weights : {List{}, spread(30, 0.1, 2)}) {
            const KeptAxes kept{batch, steps, units};
            const Case c{loss, y, t, 3, weights, Head::values, 5, kept};
            std::vector<double> dy;
            c.sum<double>(0.125, &dy);
            for (std::size_t i = 0; i < y.size(); i += 7) {
              const double h = 1e-6;
              Case up = c, down = c;
              up.y[i] += h;
              down.y[i] -= h;
              const double difference = 0.125 * (up.sum<double>() - down.sum<double>()) / (2 * h);
              EXPECT_NEAR(dy[i], difference, 1e-8) << name_of(loss) << " at " << i;
            }
          }
}

}  // namespace
}  // namespace sonde
