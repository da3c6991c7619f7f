#pragma once
#include <sonde/networks.hpp>
#include <string>

#include "cli/model_file.hpp"

namespace sonde::cli {

/// What `summary` and `plot` are given: a file, or a network by name with the options of O: input,
/// outputs, filters, kernel_size, pool_size, units.
template <class O>
Model named_model(const std::string& name, const O& o) {
  if (is_model_file(name)) return std::move(load_model_file(name, false).model);
  return make_network(
      name, o.input,
      {.filters = o.filters,
       .kernel_size = o.kernel_size,
       .pool_size = o.pool_size,
       .units = o.units,
       .outputs = o.outputs,
       .activation = o.outputs > 1 ? ActivationFunction::softmax : ActivationFunction::sigmoid});
}

}  // namespace sonde::cli
