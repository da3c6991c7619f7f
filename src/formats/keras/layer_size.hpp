#pragma once
#include <sonde/fields.hpp>
#include <sonde/tensor.hpp>
#include <vector>

namespace sonde::formats::keras {

/// Throws LimitError when all that can make a layer large multiplies to more than any computer
/// holds: a stranger's sizes must not overflow while the layer is planned.
void check_size(const Where& where, const Value::Dict& config, const std::vector<Tensor>& inputs);

}  // namespace sonde::formats::keras
