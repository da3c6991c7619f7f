#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sonde/error.hpp>
#include "formats/hdf5.hpp"
#include "formats/hdf5_bytes.hpp"
#include "formats/numbers.hpp"
#include "formats/printable.hpp"

namespace sonde::formats {

using namespace hdf5;

namespace {

/// A dataset that passed all checks of its header.
struct Checked {
  Type type;
  Sizes sizes;
  Layout layout;
  std::vector<Filter> filters;
  std::vector<Chunk> chunks;
  std::uint64_t bytes = 0;

  Shape shape() const { return Shape(std::vector<Index>(sizes.begin(), sizes.end())); }
};

/// How many chunks cover a dataset; at most `most`.
std::size_t chunk_count(const Checked& dataset, std::size_t most) {
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < dataset.sizes.size(); ++axis) {
    const std::uint64_t size = dataset.sizes[axis], chunk = dataset.layout.chunk[axis];
    const std::uint64_t along = size / chunk + (size % chunk != 0 ? 1 : 0);
    if (along == 0) return 0;
    if (along > most / count) return most;
    count *= static_cast<std::size_t>(along);
  }
  return count;
}

/// Puts a chunk's numbers where they belong in the whole.
void place_chunk(const Checked& dataset, const Chunk& chunk, const std::vector<std::byte>& from,
                 std::vector<std::byte>& whole) {
  const std::size_t rank = dataset.sizes.size(),
                    width = static_cast<std::size_t>(dataset.type.size);
  std::vector<std::uint64_t> at(rank, 0), extent(rank);
  for (std::size_t a = 0; a < rank; ++a)
    extent[a] = std::min(dataset.layout.chunk[a], dataset.sizes[a] - chunk.offset[a]);
  for (;;) {
    std::uint64_t source = 0, target = 0;
    for (std::size_t a = 0; a < rank; ++a) {
      source = source * dataset.layout.chunk[a] + at[a];
      target = target * dataset.sizes[a] + chunk.offset[a] + at[a];
    }
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(source * width),
                extent[rank - 1] * width,
                whole.begin() + static_cast<std::ptrdiff_t>(target * width));
    std::size_t a = rank - 1;  // the last axis is done in one piece
    while (a > 0 && ++at[a - 1] == extent[a - 1]) at[--a] = 0;
    if (a == 0) return;
  }
}

std::uint64_t word(const std::byte* from, const Type& type) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < type.size; ++i)
    value =
        value << 8 | static_cast<std::uint64_t>(from[type.is_big_endian ? i : type.size - 1 - i]);
  return value;
}

void to_floats(Bytes from, const Type& type, Array& into) {
  using Kind = NumberForm::Kind;
  const Kind kind = type.kind == Type::Kind::booleans ? Kind::boolean
                    : type.kind == Type::Kind::floats || type.kind == Type::Kind::half_floats
                        ? Kind::floating
                    : type.is_signed ? Kind::whole
                                     : Kind::natural;
  const auto width = static_cast<int>(type.size);
  widen(from.first(static_cast<std::size_t>(into.size()) * type.size),
        {kind, width, type.is_big_endian}, into.data());
}

/// Which types a caller takes, and how a message says so.
struct Wanted {
  bool (*fits)(const Type& type);
  std::string_view expected;
};
constexpr Wanted floats = {[](const Type& type) { return type.kind == Type::Kind::floats; },
                           "does not hold floats of 32 or 64 bits."};
constexpr Wanted whole_numbers = {
    [](const Type& type) { return type.kind == Type::Kind::whole_numbers; },
    "does not hold whole numbers of 32 or 64 bits."};
constexpr Wanted numbers = {[](const Type& type) { return type.is_number(); },
                            "does not hold plain numbers."};

}  // namespace

struct Hdf5Reader::State {
  std::vector<std::byte> held;
  std::string where;
  Hdf5Limits limits;
  std::uint64_t root = 0;
  std::map<std::uint64_t, Object> objects = {};  ///< by address: those met so far
  struct Claim {
    std::uint64_t end;
    std::string path;
  };
  std::map<std::uint64_t, Claim> claims = {};  ///< bytes that datasets take

  Bytes file() const { return held; }

  const Object& object(std::uint64_t address, const Place& place) {
    const auto found = objects.find(address);
    if (found != objects.end()) return found->second;
    return objects.emplace(address, read_object(file(), address, limits.entries, place))
        .first->second;
  }

  /// Walks to `path` one hard link after the other; null when something is missing.
  const Object* find(const Place& place) {
    const Object* at = &object(root, place);
    const std::string_view path = place.path;
    for (std::size_t begin = 0; begin < path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string_view name = path.substr(begin, end - begin);
      begin = end + 1;
      if (!at->links) place.refuse("lies inside a dataset, expected a group.");
      const auto link = at->links->find(name);
      if (link == at->links->end()) return nullptr;
      if (const Link::Kind kind = link->second.kind; kind != Link::Kind::hard)
        place.refuse(
            fmt::format("is reached through a {} link, which could lead anywhere: refused.",
                        kind == Link::Kind::soft       ? "soft"
                        : kind == Link::Kind::external ? "external"
                                                       : "user-defined"));
      at = &object(link->second.address, place);
    }
    return at;
  }

  /// Two datasets may not share bytes: a small file could claim to be a large one.
  void claim(std::uint64_t begin, std::uint64_t length, const Place& place) {
    if (length == 0) return;
    if (length > held.size() || begin > held.size() - length)
      place.damaged("its numbers lie outside the file");
    const auto next = claims.upper_bound(begin);
    const auto refuse = [&](const std::string& other) {
      place.refuse(fmt::format("shares its bytes with \"{}\": refused.", printable(other)));
    };
    if (next != claims.end() && next->first < begin + length) refuse(next->second.path);
    if (next != claims.begin()) {
      const auto before = std::prev(next);
      const bool is_itself = before->first == begin && before->second.path == place.path;
      if (before->second.end > begin && !is_itself) refuse(before->second.path);
    }
    claims.insert_or_assign(begin, Claim{begin + length, std::string(place.path)});
  }

  Checked check(const Place& place, const Wanted& wanted) {
    const Object* object = find(place);
    if (object == nullptr) place.refuse("is missing.");
    const Message* layout = object->find(Message::layout, place);
    const Message* type = object->find(Message::datatype, place);
    const Message* space = object->find(Message::dataspace, place);
    if (!layout || !type || !space) place.refuse("is no dataset.");
    if (object->find(Message::external_files, place))
      place.refuse("keeps its numbers in an external file: refused.");
    Checked dataset;
    if (const Message* filters = object->find(Message::filters, place))
      dataset.filters = read_filters(filters->data, place);
    dataset.type = read_type(type->data, place);
    auto sizes = read_dataspace(space->data, place);
    if (!sizes) place.refuse("is empty.");
    dataset.sizes = std::move(*sizes);
    dataset.layout = read_layout(layout->data, dataset.sizes.size(), dataset.type.size, place);
    if (!wanted.fits(dataset.type)) place.refuse(std::string(wanted.expected));
    check_storage(dataset, place);
    return dataset;
  }

  void check_storage(Checked& dataset, const Place& place) {
    Layout& layout = dataset.layout;
    const std::uint64_t declared = bytes_of(dataset.sizes, dataset.type.size, place);
    if (layout.length == nowhere) layout.length = declared;
    dataset.bytes = declared;
    const bool is_packed = !layout.chunk.empty();
    std::uint64_t stored = layout.address == nowhere && !layout.is_compact ? 0 : layout.length;
    std::size_t chunks = 0;
    if (is_packed) {
      chunks = chunk_count(dataset, held.size());
      dataset.chunks = read_chunks(file(), layout, chunks, place);
      stored = 0;
      for (const Chunk& chunk : dataset.chunks) {
        if (chunk.length > held.size()) place.damaged("a chunk is larger than the file");
        stored += chunk.length;
      }
    }
    if (stored > held.size() ||
        (is_packed ? declared / limits.expansion > stored || (stored == 0 && declared != 0)
                   : declared != stored))
      place.refuse(fmt::format("declares {} bytes, but {} are stored in a file of {}.", declared,
                               stored, held.size()));
    if (!is_packed) {
      if (!layout.is_compact) claim(layout.address, layout.length, place);
      return;
    }
    constexpr std::uint64_t small = 1 << 20;
    if (bytes_of(layout.chunk, dataset.type.size, place) > std::max(declared, small))
      place.refuse("is cut into chunks larger than itself.");
    std::set<Sizes> seen;
    for (const Chunk& chunk : dataset.chunks) {
      for (std::size_t a = 0; a < chunk.offset.size(); ++a)
        if (chunk.offset[a] % layout.chunk[a] != 0 || chunk.offset[a] >= dataset.sizes[a])
          place.damaged("a chunk lies beside the dataset");
      if (!seen.insert(chunk.offset).second) place.damaged("a chunk is there twice");
      claim(chunk.address, chunk.length, place);
    }
    if (dataset.chunks.size() != chunks)
      place.refuse(fmt::format("has {} chunks, expected {}.", dataset.chunks.size(), chunks));
  }

  /// All bytes of a dataset, its elements one after the other. `buffer` may hold them.
  Bytes raw(const Checked& dataset, std::vector<std::byte>& buffer, const Place& place) {
    if (dataset.layout.is_compact) return dataset.layout.compact;
    if (dataset.bytes == 0) return {};
    if (dataset.layout.chunk.empty())
      return piece(file(), dataset.layout.address, dataset.bytes, place);
    buffer.resize(static_cast<std::size_t>(dataset.bytes));
    const std::uint64_t length = bytes_of(dataset.layout.chunk, dataset.type.size, place);
    for (const Chunk& chunk : dataset.chunks)
      place_chunk(dataset, chunk,
                  unpack_chunk(file(), chunk, dataset.filters, length, dataset.type.size, place),
                  buffer);
    return buffer;
  }
};

Hdf5Reader::Hdf5Reader(Bytes bytes, std::string where, Hdf5Limits limits)
    : state_(std::make_unique<State>()) {
  state_->where = std::move(where);
  state_->limits = limits;
  // Another format may stand before it, in 512 bytes or twice that as often as needed.
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  constexpr std::size_t most_before = 1 << 20;
  std::size_t before = 0;
  const auto is_here = [&] { return text_of(bytes.subspan(before)).starts_with(signature); };
  while (!is_here()) {
    before = before == 0 ? 512 : 2 * before;
    if (before > most_before || before >= bytes.size()) break;
  }
  if (before >= bytes.size() || !is_here())
    throw FormatError(fmt::format("{}: expected an HDF5 file, got {} bytes that are none.",
                                  state_->where, bytes.size()));
  const Bytes file = bytes.subspan(before);
  state_->held.assign(file.begin(), file.end());
  const Place place{state_->where, ""};
  try {
    state_->root = root_address(state_->file(), before, place);
    state_->object(state_->root, place);
  } catch (const FormatError& error) {
    throw FormatError(
        fmt::format("{}: expected an HDF5 file, got {} bytes that are none or are damaged. {}",
                    state_->where, bytes.size(), error.what()));
  }
}

Hdf5Reader::~Hdf5Reader() = default;

bool Hdf5Reader::is_group(std::string_view path) const {
  const Object* object = state_->find({state_->where, path});
  return object != nullptr && object->links.has_value();
}

std::vector<std::string> Hdf5Reader::names(std::string_view path) const {
  const Place place{state_->where, path};
  const Object* object = state_->find(place);
  if (object == nullptr) return {};
  if (!object->links) place.refuse("is no group.");
  std::vector<std::string> names;
  for (const auto& link : *object->links) names.push_back(link.first);
  return names;
}

Shape Hdf5Reader::shape(std::string_view path) const {
  return state_->check({state_->where, path}, floats).shape();
}

Array Hdf5Reader::read(std::string_view path, const Shape& expected) const {
  const Place place{state_->where, path};
  const Checked dataset = state_->check(place, floats);
  if (!(dataset.shape() == expected))
    place.refuse(
        fmt::format("has shape {}, expected {}.", to_string(dataset.shape()), to_string(expected)));
  std::vector<std::byte> buffer;
  const Bytes raw = state_->raw(dataset, buffer, place);
  Array values(expected);
  to_floats(raw, dataset.type, values);
  return values;
}

bool Hdf5Reader::exists(std::string_view path) const {
  return state_->find({state_->where, path}) != nullptr;
}

bool Hdf5Reader::holds_numbers(std::string_view path) const {
  const Place place{state_->where, path};
  const Object* object = state_->find(place);
  if (object == nullptr || object->links) return false;
  const Message* type = object->find(Message::datatype, place);
  return type != nullptr && object->find(Message::layout, place) != nullptr &&
         read_type(type->data, place).is_number();
}

Array Hdf5Reader::read_numbers(std::string_view path) const {
  const Place place{state_->where, path};
  const Checked dataset = state_->check(place, numbers);
  if (dataset.bytes == 0) place.refuse("is empty.");
  std::vector<std::byte> buffer;
  const Bytes raw = state_->raw(dataset, buffer, place);
  Array values(dataset.shape());
  to_floats(raw, dataset.type, values);
  return values;
}

std::int64_t Hdf5Reader::read_integer(std::string_view path) const {
  const Place place{state_->where, path};
  const Checked dataset = state_->check(place, whole_numbers);
  if (!dataset.sizes.empty())
    place.refuse(fmt::format("has shape {}, expected ().", to_string(dataset.shape())));
  std::vector<std::byte> buffer;
  const std::uint64_t value = word(state_->raw(dataset, buffer, place).data(), dataset.type);
  if (dataset.type.size == 4 && dataset.type.is_signed)
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  if (!dataset.type.is_signed && value > std::uint64_t{1} << 62)
    place.refuse("is larger than any count.");
  return static_cast<std::int64_t>(value);
}

bool Hdf5Reader::has_attribute(std::string_view path, std::string_view name) const {
  const Place place{state_->where, path};
  const Object* object = state_->find(place);
  return object != nullptr && find_attribute(*object, name, place).has_value();
}

std::vector<std::string> Hdf5Reader::texts(std::string_view path, std::string_view name) const {
  const Place place{state_->where, path};
  const Object* object = state_->find(place);
  if (object == nullptr) place.refuse("is missing.");
  const auto attribute = find_attribute(*object, name, place);
  if (!attribute) place.refuse(fmt::format("has no attribute \"{}\".", printable(name)));
  return read_texts(state_->file(), *attribute, place);
}

}  // namespace sonde::formats
