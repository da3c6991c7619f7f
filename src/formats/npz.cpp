#include "formats/npz.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sonde/error.hpp>

#include "formats/as_data.hpp"
#include "formats/npy.hpp"
#include "formats/printable.hpp"
#include "formats/zip.hpp"

namespace sonde {
namespace formats {
namespace {

constexpr std::string_view ending = ".npy";

/// Labels and weights are mostly zeros or ones and pack a thousand times smaller, so members get
/// more room than a model's; and an archive that is large by itself may hold as much as it likes.
ZipLimits limits_for(std::size_t archive_size) {
  ZipLimits limits;
  limits.always_allowed = std::uint64_t{256} << 20;
  limits.total = std::max<std::uint64_t>(limits.total, 4 * std::uint64_t{archive_size});
  return limits;
}

/// "x" for the member "x.npy".
std::string array_name(const std::string& member, const std::string& where) {
  if (!member.ends_with(ending) || member.size() == ending.size() ||
      member.find('/') != member.npos)
    throw DataError(
        fmt::format("{}: expected arrays named NAME.npy, got \"{}\".", where, printable(member)));
  return member.substr(0, member.size() - ending.size());
}

}  // namespace

NamedArrays read_npz(Bytes bytes, const std::string& where) {
  return as_data([&] {
    const ZipReader zip(bytes, where, limits_for(bytes.size()));
    NamedArrays arrays;
    for (const std::string& member : zip.names()) {
      std::string name = array_name(member, where);
      Array array = read_npy(zip.read(member), fmt::format("{}: \"{}\"", where, printable(name)));
      arrays.emplace(std::move(name), std::move(array));
    }
    return arrays;
  });
}

std::vector<std::byte> write_npz(const NamedArrays& arrays, NpzOptions options) {
  std::vector<std::vector<std::byte>> files;
  std::vector<ZipMember> members;
  for (const auto& [name, array] : arrays) {
    if (name.empty() || name.find('/') != name.npos)
      throw ArgumentError(fmt::format(
          "npz: an array's name must not be empty or hold '/', got \"{}\".", printable(name)));
    const std::string header = npy_header(array.shape());
    const Bytes values = std::as_bytes(array.values());
    auto& file = files.emplace_back(header.size() + values.size());
    std::memcpy(file.data(), header.data(), header.size());
    if (!values.empty()) std::memcpy(file.data() + header.size(), values.data(), values.size());
    members.push_back({name + std::string(ending), file});
  }
  return write_zip(members, !options.compressed);
}

}  // namespace formats

NamedArrays load_npz(const std::filesystem::path& path) {
  return formats::read_npz(read_file(path), fmt::format("\"{}\"", path.string()));
}

Array load_npz(const std::filesystem::path& path, const std::string& name) {
  const std::string where = fmt::format("\"{}\"", path.string());
  const auto bytes = read_file(path);
  return formats::as_data([&] {
    const formats::ZipReader zip(bytes, where, formats::limits_for(bytes.size()));
    const std::string member = name + std::string(formats::ending);
    if (zip.has(member)) return formats::read_npy(zip.read(member), where + ": \"" + name + "\"");
    std::string there;
    for (const std::string& each : zip.names())
      there += (there.empty() ? "" : ", ") + formats::printable(formats::array_name(each, where));
    throw DataError(
        fmt::format("{}: there is no array \"{}\". There are: {}.", where, name, there));
  });
}

void save_npz(const std::filesystem::path& path, const NamedArrays& arrays, NpzOptions options) {
  write_file_atomically(path, formats::write_npz(arrays, options));
}

}  // namespace sonde
