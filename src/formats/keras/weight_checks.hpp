#pragma once
#include <span>
#include <string>
#include "formats/hdf5.hpp"
#include "formats/keras/weights_file.hpp"

/// What readers and writers of weights and of the optimizer's state share.
namespace sonde::formats::keras {

/// Keras keeps one kind of weight as a whole number.
bool is_whole_number(const LayerInstance& instance, const WeightEntry& entry);
/// Refuses a group that does not hold exactly the variables 0 … count - 1.
void check_count(const Hdf5Reader& file, const std::string& variables, std::size_t count,
                 const std::string& where);
/// Refuses NaN and infinity in a file.
void check_finite(std::span<const float> values, const std::string& path, const std::string& where);
/// Throws DivergedError: writing what cannot be read back would hide that training failed.
void refuse_diverged(std::span<const float> values, const std::string& path);
inline std::span<const float> values_of(const float* block, const WeightEntry& entry) {
  return {block + entry.offset, static_cast<std::size_t>(entry.size())};
}
/// The group "optimizer/vars" of a compiled model.
void write_optimizer_state(Hdf5Writer& file, const Model& model);

}  // namespace sonde::formats::keras
