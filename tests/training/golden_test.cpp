#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <sonde/formats.hpp>

#include "formats/json.hpp"
#include "training/metric.hpp"
#include "training/optimizer.hpp"

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

}  // namespace
}  // namespace sonde
