#include "formats/keras/layer_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>

namespace sonde::formats::keras {
namespace {

/// The product of all numbers in a layer's config, and in that of a layer or cell inside it; of a
/// stack of cells the largest counts.
double size_product(const Value::Dict& config) {
  double product = 1;
  const auto multiply = [&](const Value& value) {
    if (const auto* size = value.as<std::int64_t>())
      product *= std::max(1.0, std::abs(static_cast<double>(*size)));
  };
  const auto inner = [](const Value& value) {
    const Value* found = value.find("config");
    const auto* arguments = found ? found->as<Value::Dict>() : nullptr;
    return arguments ? size_product(*arguments) : 1.0;
  };
  for (const auto& [key, value] : config) {
    if (key == "seed") continue;
    multiply(value);
    if (key == "layer" || key == "backward_layer" || key == "cell") product *= inner(value);
    if (const auto* list = value.as<Value::List>()) {
      double largest = 1;
      for (const Value& each : *list) {
        multiply(each);
        if (key == "cells") largest = std::max(largest, inner(each));
      }
      product *= largest;
    }
  }
  return product;
}

}  // namespace

void check_size(const Where& where, const Value::Dict& config, const std::vector<Tensor>& inputs) {
  constexpr double most = 72057594037927936.0;
  double total = 0;
  for (const Tensor& input : inputs) {
    double elements = 1;
    for (const Index size : input.shape()) elements *= std::abs(static_cast<double>(size));
    total += elements;
  }
  const double product = std::max(1.0, total) * size_product(config);
  if (!(product < most))
    throw LimitError(fmt::format("{}: its sizes multiply to {:.1e}, more than any computer holds.",
                                 where, product));
}

}  // namespace sonde::formats::keras
