#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <sonde/array.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "base/file.hpp"

/// HDF5 files in memory, both ways: the part of the format that holds weights, which is what h5py
/// writes by default and a little more. Never touches a disk or the network, whatever a file asks
/// for. Written here and not taken from the HDF5 library (docs/decisions), which is too large to be
/// trusted with strangers' files and takes longer to load than a model does.
namespace sonde::formats {

/// What an HDF5 file may make this process do.
struct Hdf5Limits {
  /// A packed dataset may unpack to this many times its stored size. Deflate cannot do better than
  /// 1032 to one.
  std::uint64_t expansion = 1032;
  /// Entries of one group.
  std::size_t entries = 100'000;
};

/// Reads datasets of a file of which nothing is trusted: soft and external links, external and
/// virtual storage, filters other than shuffle, deflate and checksums, datasets that share their
/// bytes, and everything that is no plain number is refused. Copies `bytes`. Another format may
/// stand before them (a user block).
///   Hdf5Reader file(bytes, "model.keras: model.weights.h5");
///   Array kernel = file.read("layers/conv1d/vars/0", Shape{8, 16, 32});
/// FormatError says where in the file. One thread at a time for one reader.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(Bytes bytes, std::string where = "HDF5 file", Hdf5Limits limits = {});
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  /// Whether `path` is a group; false when nothing is there. The root is "".
  bool is_group(std::string_view path) const;
  /// Names in the group at `path`, sorted; none when there is no such group.
  std::vector<std::string> names(std::string_view path) const;
  /// The sizes of a dataset, after all checks that do not need its numbers.
  Shape shape(std::string_view path) const;
  /// A dataset of floats as float32. Refused before anything is allocated unless its shape is
  /// `expected` and its bytes are really there.
  Array read(std::string_view path, const Shape& expected) const;
  /// Whether anything is at `path`.
  bool exists(std::string_view path) const;
  /// Whether `path` is a dataset of plain numbers: whole numbers, floats of 16 bits or more,
  /// booleans.
  bool holds_numbers(std::string_view path) const;
  /// A dataset of such numbers as float32, whatever its shape is.
  Array read_numbers(std::string_view path) const;
  /// A dataset without axes that holds a whole number.
  std::int64_t read_integer(std::string_view path) const;

  /// Whether the object at `path` has an attribute of that name.
  bool has_attribute(std::string_view path, std::string_view name) const;
  /// An attribute that is a list of texts, or one text; none for an empty list of any type.
  std::vector<std::string> texts(std::string_view path, std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Builds a file as h5py would by default: superblock 0, contiguous little-endian datasets. The
/// same calls give the same bytes, whenever and wherever.
class Hdf5Writer {
 public:
  Hdf5Writer();
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// Makes a group and all above it; one that exists is left as it is.
  void group(std::string_view path);
  /// Gives the group at `path`, which exists, an attribute: text of any length in UTF-8.
  void attribute(std::string_view path, const std::string& name, const std::string& text);
  /// A dataset of float32, in a group that exists and does not hold that name.
  void write(const std::string& path, const Shape& shape, std::span<const float> values);
  /// A dataset of one whole number without axes: int32, or int64 when it needs that.
  void write(const std::string& path, std::int64_t value);
  /// The whole file.
  std::vector<std::byte> bytes();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sonde::formats
