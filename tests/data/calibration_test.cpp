#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sonde/calibration.hpp>
#include <sonde/error.hpp>

#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::same_bits;
using testing::says;

// Drawn with numpy 2 (default_rng(5)); what is expected of them was computed with numpy, scipy's
// minimize_scalar and scikit-learn's log_loss, steps 3 and 17 left out.
const std::vector<float> probabilities = {
    0.228444323f,   0.08035364f,    0.691202044f,   0.174798355f,   0.731308699f,  0.0938929543f,
    0.0660942942f,  0.0415466279f,  0.892359078f,   0.935596466f,   0.0613844022f, 0.00301910634f,
    0.00561920181f, 0.937070251f,   0.0573105626f,  0.0321047306f,  0.867730021f,  0.100165226f,
    0.315274566f,   0.418220341f,   0.266505092f,   0.717798412f,   0.209193558f,  0.0730080232f,
    0.299952656f,   0.695102692f,   0.00494463043f, 0.413742363f,   0.0972426087f, 0.489015043f,
    0.0370938815f,  0.509622514f,   0.453283608f,   0.485863596f,   0.109809868f,  0.404326528f,
    0.0645383745f,  0.0380728059f,  0.897388816f,   0.00740396744f, 0.707196176f,  0.285399854f,
    0.00993213896f, 0.930448771f,   0.0596191026f,  0.490455747f,   0.500939131f,  0.00860515144f,
    0.077645883f,   0.0742489398f,  0.848105192f,   0.0205519199f,  0.955210567f,  0.024237534f,
    0.027377801f,   0.00988845527f, 0.962733746f,   0.0228756033f,  0.950615585f,  0.0265088193f,
    0.488695413f,   0.484501123f,   0.0268034581f,  0.0536178201f,  0.918476343f,  0.0279058646f,
    0.251552314f,   0.165274054f,   0.583173633f,   0.16953136f,    0.259337842f,  0.571130812f,
    0.165944546f,   0.0239426624f,  0.810112774f,   0.307931066f,   0.374131471f,  0.317937464f,
    0.916572869f,   0.0644236133f,  0.0190035198f,  0.040495567f,   0.911870122f,  0.0476343408f,
    0.0219126195f,  0.952609658f,   0.0254777037f,  0.273057222f,   0.513389409f,  0.213553399f,
    0.0567923002f,  0.920701265f,   0.022506414f,   0.104648814f,   0.0329744518f, 0.86237675f,
    0.190961123f,   0.656396985f,   0.152641907f,   0.394239783f,   0.242646277f,  0.36311394f,
    0.449134529f,   0.152347431f,   0.398518026f,   0.944163442f,   0.0549355783f, 0.000900995685f,
    0.93692559f,    0.0586252473f,  0.00444917241f, 0.822056532f,   0.138798401f,  0.0391450599f,
    0.185331851f,   0.0902246162f,  0.724443555f,   0.748957932f,   0.0461060964f, 0.204935983f};
const std::vector<float> labels = {2, 2, 0, 1, 1, 2, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 2, 1, 2, 0,
                                   0, 1, 2, 2, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 2, 0, 0, 2, 0};

std::vector<float> weights() {
  std::vector<float> w(40, 1);
  w[3] = w[17] = 0;
  return w;
}

TEST(Calibration, is_that_of_numpy_and_scikit_learn) {
  const CalibrationScores s = calibration(probabilities, labels, weights(), 10);
  EXPECT_EQ(s.steps, 38);
  EXPECT_NEAR(s.brier, 0.578096365406874, 1e-12);
  EXPECT_NEAR(s.log_loss, 1.1035389474833182, 1e-12);
  EXPECT_NEAR(s.ece, 0.2655727416276932, 1e-12);
  Index steps = 0;
  for (const CalibrationBin& bin : s.bins) steps += bin.steps;
  EXPECT_EQ(steps, 38);
}

TEST(Calibration, the_best_temperature_is_that_of_scipy) {
  EXPECT_NEAR(fit_temperature(probabilities, labels, weights()), 2.30201370, 1e-5);
}

TEST(Calibration, a_temperature_divides_the_logits) {
  std::vector<float> p(probabilities.begin(), probabilities.begin() + 3);
  apply_temperature(p, 3, 2);
  EXPECT_NEAR(p[0], 0.30007227, 1e-7);
  EXPECT_NEAR(p[1], 0.17796658, 1e-7);
  EXPECT_NEAR(p[2], 0.52196115, 1e-7);
  std::vector<float> one = {0.9f};
  apply_temperature(one, 1, 2);  // odds 9 become 3
  EXPECT_NEAR(one[0], 0.75, 1e-6);
}

TEST(Calibration, one_output_is_two_classes) {
  const std::vector<float> one = {0.9f, 0.2f}, two = {0.1f, 0.9f, 0.8f, 0.2f}, y = {1, 1};
  const CalibrationScores a = calibration(one, y), b = calibration(two, y);
  EXPECT_NEAR(a.brier, (0.01 + 0.01 + 0.64 + 0.64) / 2, 1e-6);
  EXPECT_NEAR(a.brier, b.brier, 1e-6);
  EXPECT_NEAR(a.ece, b.ece, 1e-6);
  EXPECT_NEAR(a.ece, (0.1 + 0.8) / 2, 1e-6);
}

TEST(Calibration, survives_probabilities_of_0_and_1) {
  const std::vector<float> p = {1, 0, 1}, y = {1, 0, 0};
  EXPECT_TRUE(std::isfinite(calibration(p, y).log_loss));
  EXPECT_TRUE(std::isfinite(fit_temperature(p, y)));
}

TEST(Calibration, refuses_what_does_not_fit) {
  EXPECT_THROW(calibration(std::vector<float>(5), std::vector<float>(3)), DataError);
  EXPECT_THROW(calibration(std::vector<float>(4), std::vector<float>{0, 2}), DataError);
  EXPECT_THROW(calibration(std::vector<float>(2), std::vector<float>{0, 1}, std::vector<float>(1)),
               DataError);
  EXPECT_THROW(calibration({}, {}, {}, 0), ArgumentError);
  EXPECT_EQ(calibration({}, {}).steps, 0);
}

Array said(Index width, std::vector<float> values) {
  const auto steps = static_cast<Index>(values.size()) / width;
  return {{steps, width}, std::move(values)};
}

TEST(PooledProbabilities, are_geometric_means_that_sum_to_one) {
  // √(0.5 · 0.9) : √(0.4 · 0.05) : √(0.1 · 0.05)
  const std::vector<Array> two = {said(3, {0.5f, 0.4f, 0.1f, 0, 1, 0}),
                                  said(3, {0.9f, 0.05f, 0.05f, 1, 0, 0})};
  const Array p = pooled_probabilities(two);
  const double sum = std::sqrt(0.45) + std::sqrt(0.02) + std::sqrt(0.005);
  EXPECT_NEAR(p(0, 0), std::sqrt(0.45) / sum, 1e-6);
  EXPECT_NEAR(p(0, 1), std::sqrt(0.02) / sum, 1e-6);
  EXPECT_NEAR(p(0, 2), std::sqrt(0.005) / sum, 1e-6);
  // Two that are quite sure, each of something else, leave it open.
  EXPECT_NEAR(p(1, 0), 0.5, 1e-3);
  EXPECT_NEAR(p(1, 1), 0.5, 1e-3);
}

TEST(PooledProbabilities, of_one_output_have_the_geometric_mean_of_its_odds) {
  const std::vector<Array> three = {said(1, {0.9f, 0.2f, 1}), said(1, {0.5f, 0.8f, 1}),
                                    said(1, {0.5f, 0.5f, 1})};
  const Array p = pooled_probabilities(three);
  EXPECT_NEAR(p.data()[0], std::cbrt(9.0) / (1 + std::cbrt(9.0)), 1e-6);
  EXPECT_NEAR(p.data()[1], 0.5, 1e-6);
  EXPECT_NEAR(p.data()[2], 1, 1e-7);
}

TEST(PooledProbabilities, of_one_alone_are_its_own_and_of_others_are_refused) {
  const std::vector<Array> one = {said(2, {0, 1, 0.25f, 0.75f})};
  EXPECT_TRUE(same_bits<float>(pooled_probabilities(one).values(), one[0].values()));
  EXPECT_PRED2(says, refused_with<ArgumentError>([] { pooled_probabilities({}); }),
               "nobody said anything");
  const std::vector<Array> unlike = {said(2, {0, 1}), said(1, {0, 1})};
  EXPECT_PRED2(says, refused_with<DataError>([&] { pooled_probabilities(unlike); }),
               "(1, 2) and (2, 1)");
}

TEST(Bootstrap, of_a_mean_is_as_wide_as_statistics_says) {
  // 200 groups of a standard normal's quantiles: the mean's standard error is 1 / √200.
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back(std::sqrt(12.0) * ((i + 0.5) / 200 - 0.5));
  const auto mean = [&](std::span<const Index> drawn) {
    double sum = 0;
    for (const Index g : drawn) sum += values[static_cast<std::size_t>(g)];
    return sum / static_cast<double>(drawn.size());
  };
  const ConfidenceInterval range = bootstrap(200, mean, {.draws = 4000, .seed = 1});
  EXPECT_NEAR(range.low, -1.96 / std::sqrt(200.0), 0.01);
  EXPECT_NEAR(range.high, 1.96 / std::sqrt(200.0), 0.01);
  const ConfidenceInterval again = bootstrap(200, mean, {.draws = 4000, .seed = 1});
  EXPECT_EQ(range.low, again.low);
  EXPECT_NE(range.low, bootstrap(200, mean, {.draws = 4000, .seed = 2}).low);
}

TEST(Bootstrap, leaves_out_draws_without_a_score) {
  const ConfidenceInterval range =
      bootstrap(2, [](std::span<const Index> drawn) { return drawn[0] == 0 ? std::nan("") : 3.0; });
  EXPECT_EQ(range.low, 3);
  EXPECT_EQ(range.high, 3);
  EXPECT_TRUE(std::isnan(bootstrap(1, [](auto) { return std::nan(""); }).low));
  EXPECT_THROW(bootstrap(0, [](auto) { return 0.0; }), ArgumentError);
}

}  // namespace
}  // namespace sonde
