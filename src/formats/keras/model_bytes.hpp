#pragma once
#include <sonde/keras.hpp>
#include <string>

#include "base/file.hpp"

namespace sonde::formats::keras {

/// The model in the bytes of a .keras or .h5 file; `where` names it in messages.
LoadedModel read_model(Bytes bytes, const std::string& where, const LoadOptions& options);

}  // namespace sonde::formats::keras
