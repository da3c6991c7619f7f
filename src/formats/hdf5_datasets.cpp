#include "formats/hdf5_datasets.hpp"

#include <fmt/format.h>

#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "formats/as_data.hpp"
#include "formats/printable.hpp"

namespace sonde {
namespace formats {
namespace {

constexpr int deepest = 32;
constexpr std::size_t most_objects = 100'000;

struct Walk {
  const Hdf5Reader& file;
  std::vector<std::string> datasets = {};
  std::size_t met = 0;

  void into(const std::string& group, int depth) {
    for (const std::string& name : file.names(group)) {
      if (++met > most_objects || depth > deepest)
        throw LimitError(
            fmt::format("HDF5: more than {} objects, or groups within groups deeper "
                        "than {}. Name the dataset.",
                        most_objects, deepest));
      const std::string path = group.empty() ? name : fmt::format("{}/{}", group, name);
      if (is_group(path)) into(path, depth + 1);
      else datasets.push_back(path);
    }
  }

  /// Links that are never followed lead to nothing that could be read.
  bool is_group(const std::string& path) const {
    try {
      return file.is_group(path);
    } catch (const FormatError&) {
      return false;
    }
  }
};

bool is_readable(const Hdf5Reader& file, const std::string& path) {
  try {
    return file.holds_numbers(path);
  } catch (const FormatError&) {
    return false;
  }
}

std::vector<std::string> numbers_of(const Hdf5Reader& file) {
  std::vector<std::string> paths;
  for (std::string& path : datasets_of(file))
    if (is_readable(file, path)) paths.push_back(std::move(path));
  return paths;
}

template <class F>
auto with_file(const std::filesystem::path& path, F&& read) {
  const std::string where = fmt::format("\"{}\"", path.string());
  return as_data([&] { return read(Hdf5Reader(read_file(path), where), where); });
}

}  // namespace

std::vector<std::string> datasets_of(const Hdf5Reader& file) {
  Walk walk{file};
  walk.into("", 0);
  return std::move(walk.datasets);
}

}  // namespace formats

std::vector<std::string> hdf5_datasets(const std::filesystem::path& path) {
  return formats::with_file(path, [](const formats::Hdf5Reader& file, const std::string&) {
    return formats::numbers_of(file);
  });
}

Array load_hdf5(const std::filesystem::path& path, const std::string& dataset) {
  return formats::with_file(
      path, [&](const formats::Hdf5Reader& file, const std::string& where) -> Array {
        const std::size_t begin = std::min(dataset.find_first_not_of('/'), dataset.size());
        const std::string inside = dataset.substr(begin);
        if (!inside.empty() && file.exists(inside) && !file.is_group(inside))
          return file.read_numbers(inside);
        std::string known;
        for (const std::string& each : formats::numbers_of(file))
          known += (known.empty() ? "" : ", ") + formats::printable(each);
        throw DataError(fmt::format("{}: there is no dataset \"{}\". There are: {}.", where,
                                    formats::printable(dataset), known.empty() ? "none" : known));
      });
}

}  // namespace sonde
