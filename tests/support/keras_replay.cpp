#include "tests/support/keras_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sonde/error.hpp>
#include <sonde/keras.hpp>
#include <sonde/layers.hpp>

#include "formats/json.hpp"
#include "training/loss.hpp"
#include "training/metric.hpp"

namespace sonde::testing {
namespace {

Array array_of(const Value& value, Shape shape = {1}) {
  if (const Value& sizes = *value.find("shape"); !sizes.as<Value::List>()->empty())
    from_value(sizes, "shape", shape);
  Array array(shape);
  const std::vector<double> numbers = numbers_of(value);
  std::transform(numbers.begin(), numbers.end(), array.data(),
                 [](double x) { return static_cast<float>(x); });
  return array;
}

/// `single`: the shape of a number alone.
std::vector<Array> arrays_of(const Value& list, const Shape& single = {1}) {
  std::vector<Array> arrays;
  for (const Value& each : *list.as<Value::List>()) arrays.push_back(array_of(each, single));
  return arrays;
}

std::vector<double> as_numbers(const Array& array) {
  return {array.data(), array.data() + array.size()};
}

Index whole_number(const Value& value) {
  Index number = 0;
  from_value(value, "recorded", number);
  return number;
}

std::string class_of(const Value& value) { return *value.find("class_name")->as<std::string>(); }

/// The spec of a recorded config, or why there is none.
template <class S>
std::string read(const Value& value, S& spec) {
  try {
    from_value(value, "recorded", spec);
    return {};
  } catch (const Error& error) {
    const std::string message = error.what();
    return message.find(class_of(value)) == std::string::npos ? "arguments of " + class_of(value)
                                                              : class_of(value);
  }
}

Outcome layer(const Value& recorded) {
  std::optional<Model> model;
  try {
    model.emplace(model_from_json(formats::print_json(*recorded.find("model"))));
    model->set_weights(arrays_of(*recorded.find("weights"), {}));
    std::vector<Array> outputs;
    for (const Value& call : *recorded.find("calls")->as<Value::List>()) {
      const std::vector<Array> x = arrays_of(call);
      outputs = model->predict(x, {.batch_size = x.front().shape()[0], .threads = 1});
    }
    const Array& output = outputs[static_cast<std::size_t>(whole_number(*recorded.find("output")))];
    const Value& row = *recorded.find("row");
    if (row.is_null()) return {as_numbers(output)};
    return {as_numbers(output.slice(whole_number(row), whole_number(row) + 1))};
  } catch (const Error& error) {
    if (std::getenv("SONDE_SHOW_REFUSALS"))
      fmt::print("{} {}: {}\n", *recorded.find("test")->as<std::string>(),
                 *recorded.find("layer")->as<std::string>(), error.what());
    const std::string message = error.what();
    if (message.find("channels_first") != message.npos) return {.refusal = "channels_first"};
    return {.refusal = "refused, of " + *recorded.find("layer")->as<std::string>()};
  }
}

/// Vectors in memory that kernels may read a cache line beyond.
Buffer<float> laid_out(const Value& array) {
  const std::vector<double> numbers = numbers_of(array);
  Buffer<float> buffer(static_cast<Index>(numbers.size()));
  std::transform(numbers.begin(), numbers.end(), buffer.data(),
                 [](double x) { return static_cast<float>(x); });
  return buffer;
}

Outcome loss(const Value& recorded) {
  Loss loss;
  const std::string refusal = read(*recorded.find("loss"), loss);
  if (!refusal.empty()) return {.refusal = refusal};
  const Array p = array_of(*recorded.find("y_pred")), y = array_of(*recorded.find("y_true"));
  const Buffer<float> output = laid_out(*recorded.find("y_pred")),
                      target = laid_out(*recorded.find("y_true"));
  const Value& weight = *recorded.find("weight");
  const Buffer<float> weights = weight.is_null() ? Buffer<float>() : laid_out(weight);
  const Index count = p.shape()[0], width = p.shape()[1], target_width = y.shape()[1];
  Head head;
  try {
    head = head_of(loss, ActivationFunction::linear, width, "recorded");
  } catch (const Error&) {
    return {.refusal = "refused, of " + class_of(*recorded.find("loss"))};
  }
  const auto sum = [&](Index from, Index to) {
    const LossBatch<float> batch{.count = to - from,
                                 .width = width,
                                 .y = output.data() + from * width,
                                 .target = target.data() + from * target_width,
                                 .target_width = target_width,
                                 .weights = weight.is_null() ? nullptr : weights.data() + from};
    return loss_value_and_gradient<float>(loss, head, batch, 1.0f, nullptr);
  };
  if (std::visit([](const auto& l) { return l.reduction == Reduction::none; }, loss)) {
    Outcome each;
    for (Index i = 0; i < count; ++i) each.numbers.push_back(sum(i, i + 1));
    return each;
  }
  double values = 0, summed = 0;
  for (Index i = 0; i < count; ++i) {
    if (!loss_counts(loss, target.data()[i * target_width])) continue;
    values += 1;
    summed += weight.is_null() ? 1 : weights.data()[i];
  }
  return {{sum(0, count) * loss_scale(loss, values, summed)}};
}

Outcome metric(const Value& recorded) {
  Metric metric;
  const std::string refusal = read(*recorded.find("metric"), metric);
  if (!refusal.empty()) return {.refusal = refusal};
  std::vector<double> state;
  Index width = 1;
  for (const Value& update : *recorded.find("updates")->as<Value::List>()) {
    const Array p = array_of(*update.find("y_pred")), y = array_of(*update.find("y_true"));
    const Buffer<float> output = laid_out(*update.find("y_pred")),
                        target = laid_out(*update.find("y_true"));
    const Value& weight = *update.find("weight");
    const Buffer<float> weights = weight.is_null() ? Buffer<float>() : laid_out(weight);
    width = p.shape()[1];
    try {
      const bool sparse = class_of(*recorded.find("metric")).starts_with("Sparse");
      const Loss loss = sparse ? Loss(SparseCategoricalCrossentropy{}) : Loss(MeanSquaredError{});
      resolve_metric(metric, loss, {width});
    } catch (const Error&) {
      return {.refusal = "arguments of " + class_of(*recorded.find("metric"))};
    }
    state.resize(static_cast<std::size_t>(metric_state_size(metric, width)));
    metric_update(metric, p.shape()[0], width, output.data(), target.data(), y.shape()[1],
                  weight.is_null() ? nullptr : weights.data(), state.data());
  }
  const bool one = numbers_of(*recorded.find("expected")).size() == 1;
  if (one) return {{metric_result(metric, width, state.data())}};
  return {metric_values(metric, width, state.data())};
}

/// A model whose weights have the recorded gradients: each is the kernel of a Dense with one output
/// far above its target, so that the gradient of the absolute error is the input.
Outcome optimizer(const Value& recorded) {
  Optimizer optimizer;
  const std::string refusal = read(*recorded.find("optimizer"), optimizer);
  if (!refusal.empty()) return {.refusal = refusal};
  std::vector<Tensor> inputs, outputs;
  std::vector<Array> start = arrays_of(*recorded.find("start")), kernels;
  const Value::List& steps = *recorded.find("gradients")->as<Value::List>();
  const Index count = static_cast<Index>(steps.size());
  std::vector<Array> x, y;
  for (std::size_t w = 0; w < start.size(); ++w) {
    const Index size = start[w].size();
    inputs.push_back(Input({size}));
    outputs.push_back(
        Dense{.units = 1, .use_bias = false, .name = fmt::format("w{}", w)}(inputs.back()));
    kernels.push_back(start[w].reshaped({size, 1}));
    Array gradients({count, size}), targets({count, 1});
    for (Index s = 0; s < count; ++s) {
      const Array g = array_of((*steps[static_cast<std::size_t>(s)].as<Value::List>())[w]);
      std::copy_n(g.data(), size, gradients.data() + s * size);
      targets.data()[s] = -1e9f;
    }
    x.push_back(gradients);
    y.push_back(targets);
  }
  Model model(inputs, outputs);
  try {
    model.compile(
        {.optimizer = optimizer, .loss = std::vector<Loss>(outputs.size(), MeanAbsoluteError{})});
  } catch (const Error&) {
    return {.refusal = "arguments of " + class_of(*recorded.find("optimizer"))};
  }
  model.set_weights(kernels);
  model.fit(x, y, {.batch_size = 1, .verbose = false, .shuffle = false, .threads = 1});
  std::vector<double> after = as_numbers(
      model.get_weights()[static_cast<std::size_t>(whole_number(*recorded.find("weight")))]);
  if (recorded.find("negative"))
    for (double& w : after) w = -w;
  return {after};
}

Outcome schedule(const Value& recorded) {
  LearningRate rate = 0.5;
  const std::string refusal = read(*recorded.find("schedule"), rate);
  if (!refusal.empty()) return {.refusal = refusal};
  return {{rate.at(whole_number(*recorded.find("step")))}};
}

/// A Dense whose kernel is the recorded array, with what is asked of it.
Model around(const Array& kernel, Regularizer regularizer, Constraint constraint) {
  const Tensor x = Input({kernel.shape()[0]});
  Model model(x, Dense{.units = kernel.shape()[1],
                       .use_bias = false,
                       .kernel_regularizer = std::move(regularizer),
                       .kernel_constraint = std::move(constraint)}(x));
  model.compile({.optimizer = SGD{}, .loss = MeanSquaredError{}});
  model.set_weights({kernel});
  return model;
}

Outcome penalty(const Value& recorded) {
  Array kernel = array_of(*recorded.find("x"));
  if (kernel.shape().rank() != 2)
    kernel = kernel.reshaped({kernel.size() / kernel.shape().last(), kernel.shape().last()});
  Regularizer regularizer;
  Constraint constraint;
  const Value* penalty = recorded.find("regularizer");
  const std::string refusal =
      penalty ? read(*penalty, regularizer) : read(*recorded.find("constraint"), constraint);
  if (!refusal.empty()) return {.refusal = refusal};
  Model model = around(kernel, regularizer, constraint);
  const Array x({1, kernel.shape()[0]}), y({1, kernel.shape()[1]});
  if (penalty) return {{model.evaluate(x, y).at("loss")}};
  model.fit(x, y, {.verbose = false, .threads = 1});
  return {as_numbers(model.get_weights().front())};
}

}  // namespace

std::vector<double> numbers_of(const Value& array) {
  std::vector<double> numbers;
  for (const Value& each : *array.find("values")->as<Value::List>())
    from_value(each, "recorded", numbers.emplace_back());
  return numbers;
}

Outcome replay(const Value& recorded) {
  const std::string kind = *recorded.find("kind")->as<std::string>();
  if (kind == "layer" || kind == "activation") return layer(recorded);
  if (kind == "loss") return loss(recorded);
  if (kind == "metric") return metric(recorded);
  if (kind == "optimizer" || kind == "clip") return optimizer(recorded);
  if (kind == "schedule") return schedule(recorded);
  return penalty(recorded);
}

}  // namespace sonde::testing
