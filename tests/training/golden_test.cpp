#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sonde/formats.hpp>

#include "formats/json.hpp"
#include "training/metric.hpp"
#include "training/optimizer.hpp"
#include "training/overlap_loss.hpp"

/// Against numbers that real Keras made: tests/golden/make_golden.py.
namespace sonde {
namespace {

Value read(const std::string& name) {
  std::ifstream file(std::string(SONDE_GOLDEN_DIR) + "/" + name);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return formats::parse_json(text, name);
}

double number(const Value& value) {
  double out = 0;
  from_value(value, "golden", out);
  return out;
}

TEST(Golden, schedules_agree_with_keras) {
  const Value file = read("schedules.json");
  std::size_t judged = 0;
  for (const Value& one : *file.find("schedules")->as<Value::List>()) {
    LearningRate rate = 0.5;
    from_value(*one.find("config"), "schedule", rate);
    const auto& values = *one.find("values")->as<Value::List>();
    for (std::size_t step = 0; step < values.size(); ++step) {
      EXPECT_NEAR(rate.at(static_cast<std::int64_t>(step)), number(values[step]), 1e-7)
          << to_string(*one.find("config")) << " at " << step;
      ++judged;
    }
  }
  EXPECT_GT(judged, 200u);
}

TEST(Golden, metrics_agree_with_keras) {
  const Value file = read("metrics.json");
  const NamedArrays arrays = load_npz(std::string(SONDE_GOLDEN_DIR) + "/metrics.npz");
  std::size_t judged = 0;
  const auto text = [](const Value& value) { return *value.as<std::string>(); };
  for (const Value& row : *file.find("metrics")->as<Value::List>()) {
    Metric metric;
    from_value(Value::Dict{{"class_name", *row.find("metric")}, {"config", *row.find("config")}},
               "metric", metric);
    const Array& p = arrays.at(text(*row.find("y_pred")));
    const Array& y = arrays.at(text(*row.find("y_true")));
    const Value& weight = *row.find("sample_weight");
    const Index width = p.shape().last(), count = p.size() / width;
    std::vector<double> state(static_cast<std::size_t>(metric_state_size(metric, width)));
    metric_update(metric, count, width, p.data(), y.data(), y.size() / count,
                  weight.is_null() ? nullptr : arrays.at(text(weight)).data(), state.data());
    const Value& expected = *row.find("result");
    const Value::List list =
        expected.as<Value::List>() ? *expected.as<Value::List>() : Value::List{expected};
    const auto values = metric_values(metric, width, state.data());
    ASSERT_EQ(values.size(), list.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], number(list[i]), 3e-6) << to_string(row);
    ++judged;
  }
  EXPECT_GE(judged, 40u);
}

/// (batch, steps, width) as a shard holds it: (steps, batch, width).
Buffer<float> time_major(const Array& array) {
  const Shape& shape = array.shape();
  const Index rows = shape[0], steps = shape[1], width = shape.rank() > 2 ? shape[2] : 1;
  Buffer<float> buffer(array.size());
  for (Index r = 0; r < rows; ++r)
    for (Index t = 0; t < steps; ++t)
      std::copy_n(array.data() + (r * steps + t) * width, width,
                  buffer.data() + (t * rows + r) * width);
  return buffer;
}

TEST(Golden, losses_and_their_gradients_agree_with_keras) {
  const Value file = read("losses.json");
  const NamedArrays arrays = load_npz(std::string(SONDE_GOLDEN_DIR) + "/losses.npz");
  const auto text = [](const Value& value) { return *value.as<std::string>(); };
  std::size_t judged = 0;
  for (const Value& row : *file.find("losses")->as<Value::List>()) {
    Loss loss;
    from_value(Value::Dict{{"class_name", *row.find("loss")}, {"config", *row.find("config")}},
               "loss", loss);
    const Array& p = arrays.at(text(*row.find("y_pred")));
    const Array& t = arrays.at(text(*row.find("y_true")));
    const Index rows = p.shape()[0], steps = p.shape()[1], width = p.shape()[2];
    Array weights({rows, steps, 1});
    const Value& given = *row.find("sample_weight");
    for (Index i = 0; i < weights.size(); ++i) {
      const Array* w = given.is_null() ? nullptr : &arrays.at(text(given));
      weights.data()[i] = w == nullptr ? 1 : w->data()[w->size() == rows ? i / steps : i];
    }
    const Buffer<float> y = time_major(p), target = time_major(t), w = time_major(weights);
    const Shape output{steps, width};
    const KeptAxes kept = kept_axes(loss, output, "golden");
    std::vector<OverlapSums> sums(static_cast<std::size_t>(p.size()));
    const LossBatch<float> batch{.count = rows * steps,
                                 .width = width,
                                 .y = y.data(),
                                 .target = target.data(),
                                 .target_width = t.size() / (rows * steps),
                                 .weights = w.data(),
                                 .rows = rows,
                                 .kept = kept,
                                 .sums = sums.data()};
    double values = 0, summed = 0;
    for (Index i = 0; i < rows * steps; ++i) {
      if (!loss_counts(loss, t.data()[i * batch.target_width])) continue;
      values += 1;
      summed += static_cast<double>(weights.data()[i]);
    }
    if (is_overlap(loss)) {
      const auto groups = static_cast<double>(overlap_groups(kept, rows, steps, width));
      summed *= groups / values;
      values = groups;
    }
    const double scale = loss_scale(loss, values, summed);
    const Buffer<float> dy(p.size());
    const double sum =
        loss_value_and_gradient(loss, head_of(loss, ActivationFunction::linear, width, "golden"),
                                batch, static_cast<float>(scale), dy.data());
    const double expected = number(*row.find("result"));
    EXPECT_NEAR(sum * scale, expected, 1e-5 * std::max(1.0, std::abs(expected))) << to_string(row);
    const Buffer<float> slopes = time_major(arrays.at(text(*row.find("gradient"))));
    double largest = 1e-3;
    for (const float slope : slopes.span())
      largest = std::max(largest, static_cast<double>(std::abs(slope)));
    for (Index i = 0; i < p.size(); ++i)
      ASSERT_NEAR(dy.data()[i], slopes.data()[i], 2e-6 * largest) << i << " of " << to_string(row);
    ++judged;
  }
  EXPECT_GE(judged, 100u);
}

}  // namespace
}  // namespace sonde
