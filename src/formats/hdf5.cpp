#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <initializer_list>
#include <mutex>
#include <sonde/error.hpp>
#include <utility>
#include "formats/hdf5.hpp"

namespace sonde::formats {
namespace {

/// Held during every call into the library. Keeps it from printing its errors and from loading
/// filter plugins, and gives both settings back to the program that we are a part of.
class Session {
 public:
  Session() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &printer_, &printer_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLget_loading_state(&plugins_);
    H5PLset_loading_state(0);
  }
  ~Session() {
    H5PLset_loading_state(plugins_);
    H5Eset_auto2(H5E_DEFAULT, printer_, printer_data_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }

  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t printer_ = nullptr;
  void* printer_data_ = nullptr;
  unsigned plugins_ = 0;
};

/// A name that no other open file of this process has: two files in memory of one name would be one
/// and the same to the library. Only called inside a Session.
std::string fresh_name() {
  static std::uint64_t count = 0;
  return fmt::format("sonde memory {}", count++);
}

/// An identifier of the library that closes itself.
template <herr_t (*close)(hid_t)>
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close(id_);
  }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
};
using Properties = Handle<H5Pclose>;
using Object = Handle<H5Oclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;

/// A place in a file, for messages.
struct Place {
  const std::string& where;
  std::string_view path;

  [[noreturn]] void refuse(const std::string& message) const {
    throw FormatError(fmt::format("{}: \"{}\" {}", where, path, message));
  }
  /// For calls that fail only when the file's own structure is broken.
  template <class T>
  T intact(T result) const {
    if (result < 0) refuse("cannot be read: the HDF5 file is damaged.");
    return result;
  }
};

/// Walks to `path` one hard link after the other. A negative identifier when something is missing.
Object open_object(hid_t file, const Place& place) {
  Object at(place.intact(H5Oopen(file, "/", H5P_DEFAULT)));
  const std::string_view path = place.path;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name(path.substr(begin, end - begin));
    begin = end + 1;
    if (place.intact(H5Iget_type(at)) != H5I_GROUP)
      place.refuse("lies inside a dataset, expected a group.");
    const htri_t exists = H5Lexists(at, name.c_str(), H5P_DEFAULT);
    if (place.intact(exists) == 0) return Object(-1);
    H5L_info_t link;
    place.intact(H5Lget_info(at, name.c_str(), &link, H5P_DEFAULT));
    if (link.type != H5L_TYPE_HARD)
      place.refuse(fmt::format("is reached through a {} link, which could lead anywhere: refused.",
                               link.type == H5L_TYPE_SOFT       ? "soft"
                               : link.type == H5L_TYPE_EXTERNAL ? "external"
                                                                : "user-defined"));
    at = Object(place.intact(H5Oopen(at, name.c_str(), H5P_DEFAULT)));
  }
  return at;
}

/// The bytes of an array; refused when more than any file can hold.
std::uint64_t bytes_of_sizes(const Place& place, const hsize_t* sizes, int rank,
                             std::uint64_t width) {
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  std::uint64_t bytes = width;
  for (int axis = 0; axis < rank; ++axis) {
    if (sizes[axis] > most || (sizes[axis] != 0 && bytes > most / sizes[axis]))
      place.refuse("declares more bytes than can exist.");
    bytes *= sizes[axis];
  }
  return bytes;
}

/// Refuses filters that the library would have to look for.
void check_filters(const Place& place, hid_t properties) {
  const int count = place.intact(H5Pget_nfilters(properties));
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = place.intact(H5Pget_filter2(
        properties, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config));
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32)
      place.refuse(fmt::format(
          "is packed with filter {}, expected none, deflate, shuffle or fletcher32.", filter));
  }
}

/// What a dataset may hold: the library's converters meet no types but these.
enum class Kind { floats, whole_numbers };

bool is_plain(hid_t type, Kind kind) {
  const auto is_one_of = [&](std::initializer_list<hid_t> known) {
    return std::any_of(known.begin(), known.end(),
                       [&](hid_t each) { return H5Tequal(type, each) > 0; });
  };
  if (kind == Kind::whole_numbers)
    return is_one_of({H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U32LE, H5T_STD_U64LE, H5T_STD_I32BE,
                      H5T_STD_I64BE, H5T_STD_U32BE, H5T_STD_U64BE});
  return is_one_of({H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE});
}

/// A dataset that passed all checks of its header.
struct Checked {
  Object dataset;
  Shape shape;
};

/// `limits` and the length of the file in bytes bound what the header may claim.
Checked open_dataset(hid_t file, const Place& place, Kind kind, const Hdf5Limits& limits,
                     std::uint64_t length) {
  Object dataset = open_object(file, place);
  if (dataset < 0) place.refuse("is missing.");
  if (H5Iget_type(dataset) != H5I_DATASET) place.refuse("is no dataset.");

  // Where the bytes lie comes first: other questions could already make the library go there.
  const Properties properties(place.intact(H5Dget_create_plist(dataset)));
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL) place.refuse("is a virtual dataset, a view of other files: refused.");
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT)
    place.refuse("has an unknown storage layout.");
  if (place.intact(H5Pget_external_count(properties)) != 0)
    place.refuse("keeps its numbers in an external file: refused.");
  check_filters(place, properties);

  const Type type(place.intact(H5Dget_type(dataset)));
  if (!is_plain(type, kind))
    place.refuse(kind == Kind::floats ? "does not hold floats of 32 or 64 bits."
                                      : "does not hold whole numbers of 32 or 64 bits.");
  const std::uint64_t width = H5Tget_size(type);

  const Space space(place.intact(H5Dget_space(dataset)));
  if (H5Sget_simple_extent_type(space) == H5S_NULL) place.refuse("is empty.");
  const int rank = place.intact(H5Sget_simple_extent_ndims(space));
  hsize_t sizes[H5S_MAX_RANK] = {};
  place.intact(H5Sget_simple_extent_dims(space, sizes, nullptr));
  const std::uint64_t declared = bytes_of_sizes(place, sizes, rank, width);
  const std::uint64_t stored = H5Dget_storage_size(dataset);
  const bool is_packed = layout == H5D_CHUNKED;
  if (stored > length ||
      (is_packed ? declared / limits.expansion > stored || (stored == 0 && declared != 0)
                 : declared != stored))
    place.refuse(fmt::format("declares {} bytes, but {} are stored in a file of {}.", declared,
                             stored, length));
  if (is_packed) {
    // The library unpacks whole chunks, so a chunk may not be larger than what is asked for.
    hsize_t chunk[H5S_MAX_RANK] = {};
    place.intact(H5Pget_chunk(properties, H5S_MAX_RANK, chunk));
    constexpr std::uint64_t small = 1 << 20;
    if (bytes_of_sizes(place, chunk, rank, width) > std::max(declared, small))
      place.refuse("is cut into chunks larger than itself.");
  }
  return {std::move(dataset), Shape(std::vector<Index>(sizes, sizes + rank))};
}

}  // namespace

Hdf5Reader::Hdf5Reader(Bytes bytes, std::string where, Hdf5Limits limits)
    : where_(std::move(where)), limits_(limits), length_(bytes.size()) {
  const Session session;
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  // The core driver keeps the file in memory; without a backing store it never opens one on disk.
  constexpr std::size_t increment = 1 << 16;
  H5Pset_fapl_core(access, increment, false);
  // The library only reads the buffer, and copies it.
  void* image = const_cast<std::byte*>(bytes.data());
  if (bytes.empty() || H5Pset_file_image(access, image, bytes.size()) < 0 ||
      (file_ = H5Fopen(fresh_name().c_str(), H5F_ACC_RDONLY, access)) < 0)
    throw FormatError(
        fmt::format("{}: expected an HDF5 file, got {} bytes that are none or are damaged.", where_,
                    bytes.size()));
}

Hdf5Reader::~Hdf5Reader() {
  const Session session;
  H5Fclose(file_);
}

bool Hdf5Reader::is_group(std::string_view path) const {
  const Session session;
  const Object object = open_object(file_, {where_, path});
  return object >= 0 && H5Iget_type(object) == H5I_GROUP;
}

std::vector<std::string> Hdf5Reader::names(std::string_view path) const {
  const Session session;
  const Place place{where_, path};
  const Object object = open_object(file_, place);
  if (object < 0) return {};
  if (H5Iget_type(object) != H5I_GROUP) place.refuse("is no group.");
  H5G_info_t info;
  place.intact(H5Gget_info(object, &info));
  if (info.nlinks > limits_.entries)
    throw LimitError(fmt::format("{}: \"{}\" has {} entries, more than the limit of {}.", where_,
                                 path, info.nlinks, limits_.entries));
  struct Found {
    std::vector<std::string> names;
    std::size_t most;
  } found{{}, limits_.entries};
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* to) -> herr_t {
    auto& f = *static_cast<Found*>(to);
    if (f.names.size() == f.most) return -1;  // more than the group's header says
    try {
      f.names.emplace_back(name);
      return 0;
    } catch (...) {
      return -1;  // no exception may pass through the library
    }
  };
  hsize_t position = 0;
  place.intact(H5Literate(object, H5_INDEX_NAME, H5_ITER_NATIVE, &position, add, &found));
  std::sort(found.names.begin(), found.names.end());
  return std::move(found.names);
}

Shape Hdf5Reader::shape(std::string_view path) const {
  const Session session;
  return open_dataset(file_, {where_, path}, Kind::floats, limits_, length_).shape;
}

Array Hdf5Reader::read(std::string_view path, const Shape& expected) const {
  const Session session;
  const Place place{where_, path};
  const Checked found = open_dataset(file_, place, Kind::floats, limits_, length_);
  if (!(found.shape == expected))
    place.refuse(
        fmt::format("has shape {}, expected {}.", to_string(found.shape), to_string(expected)));
  Array values(expected);
  if (!values.empty() &&
      H5Dread(found.dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    place.refuse("cannot be read: its numbers are damaged or not all there.");
  return values;
}

std::int64_t Hdf5Reader::read_integer(std::string_view path) const {
  const Session session;
  const Place place{where_, path};
  const Checked found = open_dataset(file_, place, Kind::whole_numbers, limits_, length_);
  if (found.shape.rank() != 0)
    place.refuse(fmt::format("has shape {}, expected ().", to_string(found.shape)));
  std::int64_t value = 0;
  if (H5Dread(found.dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) < 0)
    place.refuse("cannot be read: its number is damaged or not there.");
  return value;
}

namespace {

/// For calls that fail only when memory runs out.
hid_t made(std::int64_t result) {
  if (result < 0) throw LimitError("HDF5 file cannot be built: out of memory.");
  return result;
}

/// Modification times would make equal models differ.
Properties without_times(hid_t kind) {
  Properties properties(made(H5Pcreate(kind)));
  made(H5Pset_obj_track_times(properties, false));
  return properties;
}

void write_dataset(hid_t file, const std::string& path, hid_t stored, hid_t given, hid_t space,
                   const void* values) {
  const Properties creation = without_times(H5P_DATASET_CREATE);
  const Dataset dataset(
      made(H5Dcreate2(file, path.c_str(), stored, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
  made(H5Dwrite(dataset, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
}

}  // namespace

Hdf5Writer::Hdf5Writer() {
  const Session session;
  const Properties access(made(H5Pcreate(H5P_FILE_ACCESS)));
  constexpr std::size_t increment = std::size_t{1} << 20;
  made(H5Pset_fapl_core(access, increment, false));
  const Properties creation = without_times(H5P_FILE_CREATE);
  file_ = made(H5Fcreate(fresh_name().c_str(), H5F_ACC_TRUNC, creation, access));
}

Hdf5Writer::~Hdf5Writer() {
  const Session session;
  H5Fclose(file_);
}

void Hdf5Writer::group(std::string_view path) {
  const Session session;
  const Properties creation = without_times(H5P_GROUP_CREATE);
  for (std::size_t end = 0; end != path.npos;) {
    end = path.find('/', end + 1);
    const std::string name(path.substr(0, end));
    if (H5Lexists(file_, name.c_str(), H5P_DEFAULT) > 0) continue;
    const Object group(made(H5Gcreate2(file_, name.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT)));
  }
}

void Hdf5Writer::attribute(std::string_view path, const std::string& name,
                           const std::string& text) {
  const Session session;
  const Type type(made(H5Tcopy(H5T_C_S1)));
  made(H5Tset_size(type, H5T_VARIABLE));
  made(H5Tset_cset(type, H5T_CSET_UTF8));
  const Space space(made(H5Screate(H5S_SCALAR)));
  const Object object(made(H5Oopen(file_, std::string(path).c_str(), H5P_DEFAULT)));
  const Handle<H5Aclose> attribute(
      made(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT)));
  const char* start = text.c_str();
  made(H5Awrite(attribute, type, &start));
}

void Hdf5Writer::write(const std::string& path, const Shape& shape, std::span<const float> values) {
  const Session session;
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  const Space space(made(
      sizes.empty() ? H5Screate(H5S_SCALAR)
                    : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr)));
  write_dataset(file_, path, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, space, values.data());
}

void Hdf5Writer::write(const std::string& path, std::int64_t value) {
  const Session session;
  const Space space(made(H5Screate(H5S_SCALAR)));
  const bool is_small = value == static_cast<std::int32_t>(value);
  write_dataset(file_, path, is_small ? H5T_STD_I32LE : H5T_STD_I64LE, H5T_NATIVE_INT64, space,
                &value);
}

std::vector<std::byte> Hdf5Writer::bytes() {
  const Session session;
  made(H5Fflush(file_, H5F_SCOPE_GLOBAL));
  const ssize_t size = made(H5Fget_file_image(file_, nullptr, 0));
  std::vector<std::byte> image(static_cast<std::size_t>(size));
  made(H5Fget_file_image(file_, image.data(), image.size()));
  return image;
}

}  // namespace sonde::formats
