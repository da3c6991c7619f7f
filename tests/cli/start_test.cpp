#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <sonde/keras.hpp>
#include <sonde/networks.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

/// Processor time of all programs that ended, in milliseconds.
double spent() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto milliseconds = [](const timeval& t) {
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_usec);
  };
  return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
TEST(Start, DISABLED_takes_less_than_10_ms_with_a_model_of_12481_parameters) {
#else
TEST(Start, takes_less_than_10_ms_with_a_model_of_12481_parameters) {
#endif
  Program program;
  const Model model = make_network("conv-lstm", {400, 16});
  Index parameters = 0;
  for (const WeightEntry& each : model.weights().entries()) parameters += each.size();
  ASSERT_EQ(parameters, 12481);
  save_model(model, program.path("m.keras"));
  double least = 1e9;  // other programs only make it longer
  for (int i = 0; i < 20; ++i) {
    const double before = spent();
    ASSERT_EQ(program.run("summary m.keras").code, 0);
    least = std::min(least, spent() - before);
  }
  EXPECT_LT(least, 10);
}

}  // namespace
}  // namespace sonde::testing
