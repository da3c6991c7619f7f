#pragma once
#include <sonde/formats.hpp>
#include <string>

#include "base/file.hpp"

/// NumPy's archives of arrays: zip files of .npy members.
namespace sonde::formats {

/// All arrays of an archive in memory; `where` names it in messages.
NamedArrays read_npz(Bytes bytes, const std::string& where);
std::vector<std::byte> write_npz(const NamedArrays& arrays, NpzOptions options);

}  // namespace sonde::formats
