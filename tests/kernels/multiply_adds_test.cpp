#include <array>
#include <numeric>

#include "support.hpp"

namespace sonde::kernels {
namespace {

// Every sum tends to 1: what is left of them says how many there were, so that a level which left
// some out, or counted more than it did, is found out.
TEST(MultiplyAdds, are_as_many_as_are_said) {
  std::vector<Level> levels = vector_levels();
  levels.push_back(Level::reference);
  for (const Level level : levels) {
    const AtLevel at(level);
    std::array<float, 16> y = {};
    const Index done = multiply_adds(1000, 0.5f, y.data());
    EXPECT_EQ(done % 1000, 0) << level_name(level);
    EXPECT_GT(done, 0) << level_name(level);
    EXPECT_EQ(std::accumulate(y.begin(), y.end(), 0.0f), static_cast<float>(done / 1000))
        << level_name(level);
    EXPECT_EQ(multiply_adds(3000, 0.5f, y.data()), 3 * done) << level_name(level);
  }
}

TEST(MultiplyAdds, begin_below_their_limit) {
  std::array<float, 16> y = {};
  const Index done = multiply_adds(1, 0.5f, y.data());
  EXPECT_LT(std::accumulate(y.begin(), y.end(), 0.0f), static_cast<float>(done));
}

}  // namespace
}  // namespace sonde::kernels
