#include "training/metric.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace sonde {
namespace {

using List = std::vector<float>;

struct Data {
  List p;
  List target;
  Index width = 1;
  List weights = {};

  Index count() const { return static_cast<Index>(p.size()) / width; }
  Index target_width() const { return static_cast<Index>(target.size()) / count(); }

  void update(const Metric& metric, std::vector<double>& state, Index begin, Index end) const {
    metric_update(metric, end - begin, width, p.data() + begin * width,
                  target.data() + begin * target_width(), target_width(),
                  weights.empty() ? nullptr : weights.data() + begin, state.data());
  }
  std::vector<double> state(const Metric& metric) const {
    std::vector<double> sums(static_cast<std::size_t>(metric_state_size(metric, width)));
    update(metric, sums, 0, count());
    return sums;
  }
};

double result(const Metric& metric, const Data& data) {
  return metric_result(metric, data.width, data.state(metric).data());
}
std::vector<double> results(const Metric& metric, const Data& data) {
  return metric_values(metric, data.width, data.state(metric).data());
}

// Keras 3.15.1: keras/src/metrics/accuracy_metrics_test.py.
TEST(Accuracy, binary_agrees_with_keras) {
  EXPECT_NEAR(result(BinaryAccuracy{}, {{0.98f, 1, 0, 0.6f}, {1, 1, 0, 0}}), 0.75, 1e-7);
  EXPECT_NEAR(result(BinaryAccuracy{}, {{0.98f, 1, 0, 0.6f}, {1, 1, 0, 0}, 1, {1, 0, 0, 1}}), 0.5,
              1e-7);
  const Data low{{0.98f, 0.5f, 0.1f, 0.2f}, {1, 1, 0, 0}};
  EXPECT_EQ(result(BinaryAccuracy{.threshold = 0.3}, low), 1);
  EXPECT_EQ(result(BinaryAccuracy{.threshold = 0.9}, low), 0.75);
}

TEST(Accuracy, categorical_agrees_with_keras) {
  const Data d{{0.1f, 0.9f, 0.8f, 0.05f, 0.95f, 0}, {0, 0, 1, 0, 1, 0}, 3};
  EXPECT_NEAR(result(CategoricalAccuracy{}, d), 0.5, 1e-7);
  EXPECT_NEAR(result(CategoricalAccuracy{}, {d.p, d.target, 3, {0.7f, 0.3f}}), 0.3, 1e-7);
  EXPECT_NEAR(result(SparseCategoricalAccuracy{}, {d.p, {2, 1}, 3}), 0.5, 1e-7);
  EXPECT_NEAR(result(SparseCategoricalAccuracy{}, {d.p, {2, 1}, 3, {0.7f, 0.3f}}), 0.3, 1e-7);
}

TEST(Accuracy, at_the_threshold_is_a_no) {
  EXPECT_EQ(result(BinaryAccuracy{}, {{0.5f}, {1}}), 0);
  EXPECT_EQ(result(BinaryAccuracy{}, {{0.5f}, {0}}), 1);
}

// Keras 3.15.1: keras/src/metrics/confusion_metrics_test.py.
TEST(Precision, agrees_with_keras) {
  EXPECT_EQ(result(Precision{}, {{1, 0, 1, 0}, {0, 1, 1, 0}}), 0.5);
  const List p{1, 0, 1, 0, 1, 0, 1, 0}, y{0, 1, 1, 0, 1, 0, 0, 1}, w{1, 2, 3, 4, 4, 3, 2, 1};
  EXPECT_NEAR(result(Precision{}, {p, y, 1, w}), 7.0 / 10, 1e-9);
  EXPECT_EQ(result(Precision{}, {{0, 0, 0, 0}, {0, 0, 0, 0}}), 0);
  EXPECT_EQ(result(Precision{.thresholds = 0.7}, {{1, 0, 0.6f, 0}, {0, 1, 1, 0}}), 0);
  const Data classes{
      {0.1f, 0.2f, 0.7f, 0.5f, 0.3f, 0.2f, 0.2f, 0.6f, 0.2f, 0.7f, 0.2f, 0.1f, 0.1f, 0.1f, 0.8f},
      {0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1},
      3};
  EXPECT_EQ(result(Precision{.class_id = 1}, classes), 1);
  EXPECT_EQ(result(Recall{.class_id = 1}, classes), 1);
}

TEST(Recall, agrees_with_keras) {
  EXPECT_EQ(result(Recall{}, {{1, 0, 1, 0}, {0, 1, 1, 0}}), 0.5);
  const List p{1, 0, 1, 0, 0, 1, 0, 1}, y{0, 1, 1, 0, 1, 0, 0, 1}, w{1, 2, 3, 4, 4, 3, 2, 1};
  EXPECT_NEAR(result(Recall{}, {p, y, 1, w}), 4.0 / 10, 1e-9);
  EXPECT_EQ(result(Recall{}, {{0, 0, 0, 0}, {0, 0, 0, 0}}), 0);
}

TEST(AUC, agrees_with_keras) {
  const Data d{{0, 0.5f, 0.3f, 0.9f}, {0, 0, 1, 1}, 1, {1, 2, 3, 4}};
  using M = SummationMethod;
  const auto area = [&](Curve curve, M method) {
    return result(AUC{.num_thresholds = 3, .curve = curve, .summation_method = method}, d);
  };
  EXPECT_NEAR(area(Curve::ROC, M::majoring), 1, 1e-3);
  EXPECT_NEAR(area(Curve::ROC, M::minoring), 0.571, 1e-3);
  EXPECT_NEAR(area(Curve::ROC, M::interpolation), (0.571 + 1) / 2, 1e-3);
  EXPECT_NEAR(area(Curve::PR, M::majoring), 1, 1e-3);
  EXPECT_NEAR(area(Curve::PR, M::minoring), 0.7 * 0.429, 1e-3);
  EXPECT_NEAR(area(Curve::PR, M::interpolation), 2.416 / 7 + 4.0 / 7, 1e-3);
}

TEST(AUC, of_all_thresholds_is_the_share_of_pairs_in_order) {
  // Labels by rank: of 4 · 4 pairs of a positive and a negative, 11 are in order.
  const Data d{{0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f}, {0, 1, 0, 0, 1, 1, 0, 1}};
  EXPECT_NEAR(result(AUC{}, d), 11.0 / 16, 1e-9);
}

TEST(AUC, takes_outputs_outside_its_range) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Data d{{-3, nan, 7, std::numeric_limits<float>::infinity()}, {0, 0, 1, 1}};
  EXPECT_EQ(result(AUC{}, d), 1);
}

// Keras 3.15.1: keras/src/metrics/f_score_metrics_test.py, beta = 1.
TEST(F1Score, agrees_with_keras) {
  const Data d{{0.7f, 0.7f, 0.7f, 1, 0, 0, 0.9f, 0.8f, 0}, {0, 0, 1, 1, 1, 0, 1, 1, 1}, 3};
  const double each[] = {0.8, 0.5, 0.6666667};
  const auto scores = results(F1Score{.threshold = 0.66}, d);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(scores[k], each[k], 1e-6);
  EXPECT_NEAR(result(F1Score{.average = metrics::Average::micro, .threshold = 0.66}, d), 0.6666667,
              1e-6);
  EXPECT_NEAR(result(F1Score{.average = metrics::Average::macro, .threshold = 0.66}, d), 0.6555555,
              1e-6);
  EXPECT_NEAR(result(F1Score{.average = metrics::Average::weighted, .threshold = 0.66}, d),
              0.6555555, 1e-6);
  EXPECT_NEAR(result(F1Score{.threshold = 0.66}, d), 0.6555555, 1e-6) << "their mean";
}

TEST(F1Score, of_the_largest_output_agrees_with_keras) {
  const List p{0.9f, 0.1f, 0, 0.2f, 0.6f, 0.2f, 0, 0, 1, 0.4f, 0.3f, 0.3f, 0, 0.9f, 0.1f, 0, 0, 1};
  const List y{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1};
  const List half{0.5f, 1, 1, 1, 0.5f, 1}, some{1, 0, 1, 1, 0, 1};
  const auto expect = [](const std::vector<double>& got, const std::vector<double>& wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t k = 0; k < got.size(); ++k) EXPECT_NEAR(got[k], wanted[k], 1e-6);
  };
  expect(results(F1Score{}, {p, y, 3}), {0.8, 0.666667, 1});
  expect(results(F1Score{}, {p, y, 3, some}), {1, 0, 1});
  expect(results(F1Score{}, {p, y, 3, half}), {0.857143, 0.8, 1});
  expect(results(F1Score{.average = metrics::Average::micro}, {p, y, 3, half}), {0.9});
  expect(results(F1Score{.average = metrics::Average::macro}, {p, y, 3, half}), {0.885714});
  expect(results(F1Score{.average = metrics::Average::weighted}, {p, y, 3, half}), {0.902857});
  expect(results(F1Score{}, {p, {0, 1, 2, 0, 0, 2}, 3, half}),
         {0.857143, 0.8, 1});  // class numbers
}

TEST(F1Score, does_not_take_a_vector_of_zeros_for_a_prediction) {
  EXPECT_EQ(results(F1Score{}, {{0, 0}, {1, 0}, 2}), (std::vector<double>{0, 0}));
}

TEST(Errors, are_means_over_units_and_steps) {
  // keras/src/losses/losses_test.py: the metrics are the means of the same values.
  const Data d{{4, 8, 12, 8, 1, 3}, {1, 9, 2, -5, -2, 6}, 3};
  EXPECT_NEAR(result(metrics::MeanSquaredError{}, d), 49.5, 1e-9);
  EXPECT_NEAR(result(metrics::MeanAbsoluteError{}, d), 5.5, 1e-9);
  const Data weighted{d.p, d.target, 3, {1.2f, 3.4f}};
  EXPECT_NEAR(result(metrics::MeanSquaredError{}, weighted), 767.8 / 3 / 4.6, 1e-5);
}

// scikit-learn's documentation of balanced_accuracy_score and confusion_matrix.
TEST(BalancedAccuracy, agrees_with_scikit_learn) {
  EXPECT_NEAR(result(BalancedAccuracy{}, {{0, 1, 0, 0, 0, 1}, {0, 1, 0, 0, 1, 0}}), 0.625, 1e-12);
  EXPECT_NEAR(result(BalancedAccuracy{}, {{0.2f, 0.8f}, {0, 0}}), 0.5, 1e-12)
      << "a class that does not occur does not count";
}

TEST(ConfusionMatrix, agrees_with_scikit_learn) {
  const auto vectors = [](const List& classes) {
    List p(classes.size() * 3);
    for (std::size_t i = 0; i < classes.size(); ++i)
      p[i * 3 + static_cast<std::size_t>(classes[i])] = 1;
    return p;
  };
  const Data d{vectors({0, 0, 2, 2, 0, 2}), {2, 0, 2, 2, 0, 1}, 3};
  EXPECT_EQ(results(ConfusionMatrix{}, d), (std::vector<double>{2, 0, 0, 0, 0, 1, 1, 0, 2}));
  EXPECT_NEAR(result(ConfusionMatrix{}, d), 4.0 / 6, 1e-12);
  const Data binary{{1, 1, 1, 0}, {0, 1, 0, 1}};
  EXPECT_EQ(results(ConfusionMatrix{}, binary), (std::vector<double>{0, 2, 1, 1}));
}

// scikit-learn's documentation of classification_report.
TEST(ConfusionMatrix, gives_the_scores_of_each_class) {
  const double confusion[] = {1, 0, 0, 1, 0, 0, 0, 1, 2};  // y 0 1 2 2 2, predicted 0 0 2 2 1
  const auto scores = class_scores(3, confusion);
  const double expected[3][4] = {{0.5, 1, 2.0 / 3, 1}, {0, 0, 0, 1}, {1, 2.0 / 3, 0.8, 3}};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(scores[k].precision, expected[k][0], 1e-12);
    EXPECT_NEAR(scores[k].recall, expected[k][1], 1e-12);
    EXPECT_NEAR(scores[k].f1, expected[k][2], 1e-12);
    EXPECT_NEAR(scores[k].support, expected[k][3], 1e-12);
  }
}

std::vector<Metric> every_metric() {
  return {BinaryAccuracy{},
          CategoricalAccuracy{},
          Precision{},
          Recall{.class_id = 1},
          F1Score{},
          AUC{},
          AUC{.curve = Curve::PR},
          metrics::MeanSquaredError{},
          metrics::MeanAbsoluteError{},
          BalancedAccuracy{},
          ConfusionMatrix{}};
}

Data mixed(std::size_t count) {
  Data d{.p = {}, .target = {}, .width = 2, .weights = {}};
  for (std::size_t i = 0; i < count; ++i) {
    const float p = std::fmod(0.618034f * static_cast<float>(i), 1.0f);
    const float y = static_cast<float>((i * 5 + 1) % 7 < 3);
    d.p.insert(d.p.end(), {p, 1 - p});
    d.target.insert(d.target.end(), {y, 1 - y});
    d.weights.push_back(static_cast<float>(i % 3));
  }
  return d;
}

TEST(Metric, states_of_parts_add_up) {
  const Data d = mixed(100);
  for (const Metric& metric : every_metric()) {
    const auto whole = d.state(metric);
    std::vector<double> sum(whole.size());
    for (Index begin = 0; begin < 100; begin += 23) {
      std::vector<double> part(whole.size());
      d.update(metric, part, begin, std::min<Index>(begin + 23, 100));
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
    }
    EXPECT_NEAR(metric_result(metric, 2, sum.data()), metric_result(metric, 2, whole.data()), 1e-12)
        << metric_name(metric);
  }
}

TEST(Metric, steps_with_weight_0_never_count) {
  const Data d = mixed(60);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Metric& metric : every_metric()) {
    Data masked = d, fewer{.p = {}, .target = {}, .width = 2, .weights = {}};
    for (std::size_t i = 0; i < 60; ++i) {
      for (std::size_t k = 2 * i; k < 2 * i + 2; ++k) {
        if (d.weights[i] == 0) {
          masked.p[k] = masked.target[k] = nan;
        } else {
          fewer.p.push_back(d.p[k]);
          fewer.target.push_back(d.target[k]);
        }
      }
      if (d.weights[i] != 0) fewer.weights.push_back(d.weights[i]);
    }
    EXPECT_EQ(masked.state(metric), fewer.state(metric)) << metric_name(metric);
  }
}

TEST(Metric, class_numbers_outside_the_output_never_count) {
  EXPECT_EQ(result(SparseCategoricalAccuracy{}, {{0.9f, 0.1f, 0.9f, 0.1f}, {-1, 0}, 2}), 1);
  EXPECT_EQ(result(ConfusionMatrix{}, {{0.9f, 0.1f, 0.9f, 0.1f}, {255, 0}, 2}), 1);
}

TEST(Metric, of_nothing_is_0) {
  for (const Metric& metric : every_metric()) {
    const std::vector<double> zeros(static_cast<std::size_t>(metric_state_size(metric, 2)));
    EXPECT_EQ(metric_result(metric, 2, zeros.data()), 0) << metric_name(metric);
  }
}

TEST(Metric, accuracy_fits_the_output_and_the_loss) {
  const auto resolved = [](const Loss& loss, const Shape& output) {
    const Metric metric = resolve_metric("accuracy", loss, output);
    EXPECT_EQ(metric_name(metric), "accuracy");
    return metric.index();
  };
  EXPECT_EQ(resolved(BinaryCrossentropy{}, {400, 1}), Metric(BinaryAccuracy{}).index());
  EXPECT_EQ(resolved(BinaryCrossentropy{}, {400}), Metric(BinaryAccuracy{}).index());
  EXPECT_EQ(resolved(MeanSquaredError{}, {400, 1}), Metric(BinaryAccuracy{}).index());
  EXPECT_EQ(resolved(CategoricalCrossentropy{}, {400, 3}), Metric(CategoricalAccuracy{}).index());
  EXPECT_EQ(resolved(SparseCategoricalCrossentropy{}, {3}),
            Metric(SparseCategoricalAccuracy{}).index());
}

TEST(Metric, has_keras_names) {
  EXPECT_EQ(metric_from_name("AUC"), Metric(AUC{.name = "AUC"}));
  EXPECT_EQ(metric_from_name("precision"), Metric(Precision{}));
  EXPECT_EQ(metric_from_name("f1_score"), Metric(F1Score{}));
  EXPECT_EQ(metric_from_name("mse"), Metric(metrics::MeanSquaredError{.name = "mse"}));
  EXPECT_EQ(metric_from_name("mean_absolute_error"), Metric(metrics::MeanAbsoluteError{}));
  EXPECT_THROW(metric_from_name("acuracy_score"), ArgumentError);
  EXPECT_THROW(metric_from_name("accuracy"), ArgumentError);
  EXPECT_TRUE(larger_is_better(AUC{}));
  EXPECT_FALSE(larger_is_better(metrics::MeanSquaredError{}));
}

TEST(Metric, comes_back_from_its_config) {
  for (const Metric& metric : every_metric()) {
    Metric back;
    from_value(to_value(metric), "metric", back);
    EXPECT_EQ(back, metric);
  }
  const MetricChoice choices[] = {"accuracy", AUC{.num_thresholds = 50}};
  EXPECT_EQ(to_value(choices[0]), Value("accuracy"));
  EXPECT_EQ(*to_value(choices[1]).find("class_name"), Value("AUC"));
}

TEST(Metric, is_computed_in_float32_only) {
  Metric metric;
  const auto read = [&](Value dtype) {
    from_value(Value::Dict{{"class_name", "AUC"}, {"config", Value::Dict{{"dtype", dtype}}}}, "m",
               metric);
  };
  EXPECT_NO_THROW(read("float32"));
  EXPECT_NO_THROW(read(Value()));
  EXPECT_NO_THROW(read(
      Value::Dict{{"class_name", "DTypePolicy"}, {"config", Value::Dict{{"name", "float32"}}}}));
  EXPECT_THROW(read("float16"), ArgumentError);
  EXPECT_THROW(read(Value::Dict{{"config", Value::Dict{{"name", "mixed_float16"}}}}),
               ArgumentError);
}

std::string refusal(const MetricChoice& choice, const Loss& loss, const Shape& output) {
  try {
    resolve_metric(choice, loss, output);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Metric, refuses_what_it_cannot_compute) {
  const BinaryCrossentropy binary;
  const SparseCategoricalCrossentropy sparse;
  EXPECT_EQ(refusal(F1Score{}, binary, {400, 1}),
            "F1Score \"f1_score\" without a threshold takes the largest output, and with one unit "
            "that is always the same. Use threshold = 0.5.");
  EXPECT_EQ(refusal(F1Score{.threshold = 0.5}, binary, {400, 1}), "");
  EXPECT_NE(refusal(F1Score{.threshold = 0}, binary, {400, 1}), "");
  EXPECT_NE(refusal(CategoricalAccuracy{}, sparse, {400, 3}), "");
  EXPECT_NE(refusal(CategoricalAccuracy{}, binary, {400, 1}), "");
  EXPECT_NE(refusal(SparseCategoricalAccuracy{}, CategoricalCrossentropy{}, {400, 3}), "");
  EXPECT_NE(refusal(SparseCategoricalAccuracy{}, binary, {400, 1}), "");
  EXPECT_NE(refusal("mse", sparse, {400, 3}), "");
  EXPECT_NE(refusal(Precision{.top_k = 3}, binary, {400, 1}), "");
  EXPECT_NE(refusal(Precision{.class_id = 1}, binary, {400, 1}), "");
  EXPECT_NE(refusal(Recall{.class_id = -1}, binary, {400, 1}), "");
  EXPECT_NE(refusal(Recall{.thresholds = NAN}, binary, {400, 1}), "");
  EXPECT_NE(refusal(AUC{.num_thresholds = 1}, binary, {400, 1}), "");
  EXPECT_NE(refusal(AUC{.multi_label = true}, binary, {400, 1}), "");
  EXPECT_NE(refusal(AUC{.from_logits = true}, binary, {400, 1}), "");
  EXPECT_NE(refusal(BalancedAccuracy{.threshold = NAN}, binary, {400, 1}), "");
}

}  // namespace
}  // namespace sonde
