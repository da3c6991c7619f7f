#pragma once
#include <sonde/value.hpp>
#include <string>
#include <vector>
#include "formats/hdf5.hpp"

/// What only whole-model .h5 files have: the format of Keras 2, which Keras 3 still writes.
namespace sonde::formats::keras {

/// The texts of an attribute, or of its pieces name0, name1 …; none when it is not there.
std::vector<std::string> numbered_texts(const Hdf5Reader& file, const std::string& path,
                                        const std::string& name);
/// The same as one text: "model_config".
std::string attribute_text(const Hdf5Reader& file, const std::string& path,
                           const std::string& name);

/// "training_config" as Keras 3's compile_config says the same.
Value compile_config_of(const Value& training_config, const std::string& where);

}  // namespace sonde::formats::keras
