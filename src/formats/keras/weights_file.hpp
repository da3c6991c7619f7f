#pragma once
#include <cstddef>
#include <memory>
#include <sonde/model.hpp>
#include <string>
#include <vector>
#include "base/file.hpp"

#include "formats/hdf5.hpp"

/// Weights and the optimizer's state as model.weights.h5 and back.
namespace sonde::formats::keras {

std::vector<std::byte> write_weights(const Model& model);

/// The weights of a graph whose layers have none yet, in a block that is theirs from now on. Every
/// weight must be in the file with the shape that the graph gives it, and no other; that is
/// verified before the block is allocated, and so is that it takes no more than `limit` bytes.
void read_weights(const Graph& graph, const Hdf5Reader& file, std::uint64_t limit,
                  const std::string& where);

/// Throws LimitError when the weights of `graph` take more than `limit` bytes.
void check_weights(const Graph& graph, std::uint64_t limit, const std::string& where);

/// Step count, learning rate and state blocks of a compiled model.
void read_optimizer_state(Model& model, const Hdf5Reader& file, const std::string& where);

}  // namespace sonde::formats::keras
