#include <fmt/format.h>

#include <algorithm>
#include <array>
#include "formats/hdf5_bytes.hpp"

// What the messages of an object's header say.
namespace sonde::formats::hdf5 {
namespace {

constexpr std::uint64_t most_axes = 32;

/// IEEE 754: where sign, exponent and mantissa lie.
struct FloatForm {
  std::uint64_t size, precision, exponent_at, exponent_size, mantissa_size, bias;
};
constexpr std::array float_forms = {FloatForm{2, 16, 10, 5, 10, 15},
                                    FloatForm{4, 32, 23, 8, 23, 127},
                                    FloatForm{8, 64, 52, 11, 52, 1023}};

bool is_ieee(std::uint64_t bits, std::uint64_t size, Cursor at) {
  const auto form = std::find_if(float_forms.begin(), float_forms.end(),
                                 [&](const FloatForm& f) { return f.size == size; });
  if (form == float_forms.end()) return false;
  constexpr std::uint64_t order_and_padding = 0x4E, implied_one = 0x20, normalization = 0x30;
  const std::uint64_t sign_at = bits >> 8 & 0xFF;
  if ((bits & order_and_padding) != 0 || (bits & normalization) != implied_one ||
      sign_at != form->precision - 1)
    return false;
  return at.number(2) == 0 && at.number(2) == form->precision &&
         at.number(1) == form->exponent_at && at.number(1) == form->exponent_size &&
         at.number(1) == 0 && at.number(1) == form->mantissa_size && at.number(4) == form->bias;
}

/// `depth`: an enumeration is made of another type, which is none.
Type read_type_at(Cursor& at, int depth, const Place& place) {
  Type type;
  const std::uint64_t head = at.number(1);
  const std::uint64_t bits = at.number(3);
  type.size = at.number(4);
  type.is_big_endian = (bits & 1) != 0;
  switch (head & 15) {
    case 0: {
      type.is_signed = (bits & 8) != 0;
      const bool is_whole = at.number(2) == 0 && at.number(2) == 8 * type.size;
      if (is_whole && (type.size == 4 || type.size == 8)) type.kind = Type::Kind::whole_numbers;
      if (is_whole && (type.size == 1 || type.size == 2)) type.kind = Type::Kind::small_numbers;
      break;
    }
    case 1:
      if (is_ieee(bits, type.size, at))
        type.kind = type.size == 2 ? Type::Kind::half_floats : Type::Kind::floats;
      break;
    case 3:
      type.kind = Type::Kind::text;
      break;
    case 8:
      // As h5py writes booleans: names of the whole numbers of one byte.
      if (depth == 0 && type.size == 1 &&
          read_type_at(at, depth + 1, place).kind == Type::Kind::small_numbers)
        type.kind = Type::Kind::booleans;
      break;
    case 9:
      if ((bits & 15) == 1 && type.size == 16) type.kind = Type::Kind::long_text;
      break;
    default:
      break;
  }
  if (type.size == 0) place.damaged("a type of no bytes");
  return type;
}

}  // namespace

Type read_type(Bytes message, const Place& place) {
  Cursor at(message, place);
  return read_type_at(at, 0, place);
}

std::optional<Sizes> read_dataspace(Bytes message, const Place& place) {
  Cursor at(message, place);
  const std::uint64_t version = at.number(1);
  if (version != 1 && version != 2) place.damaged("sizes of an unknown version");
  const std::uint64_t rank = at.number(1);
  if (rank > most_axes) place.damaged("too many axes");
  at.skip(1);
  constexpr std::uint64_t empty = 2;
  if (version == 1) at.skip(5);
  else if (at.number(1) == empty) return std::nullopt;
  Sizes sizes;
  for (std::uint64_t axis = 0; axis < rank; ++axis) sizes.push_back(at.number(8));
  return sizes;
}

std::uint64_t bytes_of(const Sizes& sizes, std::uint64_t width, const Place& place) {
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  std::uint64_t bytes = width;
  for (const std::uint64_t size : sizes) {
    if (size > most || (size != 0 && bytes > most / size))
      place.refuse("declares more bytes than can exist.");
    bytes *= size;
  }
  return bytes;
}

namespace {

/// As HDF5 1.4 and MATLAB to 2008 wrote it; the length of what lies in one piece is left out.
Layout read_old_layout(Cursor at, std::size_t rank, std::uint64_t width, const Place& place) {
  enum : std::uint64_t { compact, contiguous, chunked };
  const std::uint64_t axes = at.number(1), kind = at.number(1);
  at.skip(5);
  Layout layout;
  if (kind > chunked) place.refuse("has an unknown storage layout.");
  if (kind != compact) layout.address = at.number(8);
  if (kind == contiguous) layout.length = nowhere;
  if (kind == chunked) {
    if (axes != rank + 1) place.damaged("chunks of another rank");
    for (std::size_t axis = 0; axis < rank; ++axis) layout.chunk.push_back(at.number(4));
    if (at.number(4) != width) place.damaged("chunks of another type");
    for (const std::uint64_t size : layout.chunk)
      if (size == 0) place.damaged("chunks of no bytes");
  }
  if (kind == compact) {
    at.skip(4 * axes);
    layout.is_compact = true;
    layout.compact = at.take(at.number(4));
    layout.length = layout.compact.size();
  }
  return layout;
}

}  // namespace

Layout read_layout(Bytes message, std::size_t rank, std::uint64_t width, const Place& place) {
  enum : std::uint64_t { compact, contiguous, chunked, is_virtual };
  Cursor at(message, place);
  const std::uint64_t version = at.number(1);
  if (version == 1 || version == 2) return read_old_layout(at, rank, width, place);
  if (version != 3 && version != 4)
    place.refuse(fmt::format("has a storage layout of version {}, expected 1 to 4.", version));
  const std::uint64_t kind = at.number(1);
  Layout layout;
  if (kind == is_virtual) place.refuse("is a virtual dataset, a view of other files: refused.");
  if (kind == compact) {
    layout.is_compact = true;
    layout.compact = at.take(at.number(2));
    layout.length = layout.compact.size();
  } else if (kind == contiguous) {
    layout.address = at.number(8);
    layout.length = at.number(8);
  } else if (kind == chunked) {
    const bool is_new = version == 4;
    const std::uint64_t flags = is_new ? at.number(1) : 0;
    const std::uint64_t axes = at.number(1);
    if (axes != rank + 1) place.damaged("chunks of another rank");
    std::size_t size_width = 4;
    if (is_new) size_width = static_cast<std::size_t>(at.number(1));
    if (size_width == 0 || size_width > 8) place.damaged("sizes of chunks");
    if (!is_new) layout.address = at.number(8);
    for (std::size_t axis = 0; axis < rank; ++axis) layout.chunk.push_back(at.number(size_width));
    if (at.number(size_width) != width) place.damaged("chunks of another type");
    for (const std::uint64_t size : layout.chunk)
      if (size == 0) place.damaged("chunks of no bytes");
    if (is_new) {
      constexpr std::uint64_t single = 1, has_filters = 2;
      if (at.number(1) != single)
        place.refuse(
            "is cut into chunks as HDF5's newest format does. Write the file without "
            "libver = \"latest\".");
      layout.is_single = true;
      layout.length = bytes_of(layout.chunk, width, place);
      if (flags & has_filters) {
        layout.length = at.number(8);
        at.skip(4);
      }
      layout.address = at.number(8);
    }
  } else {
    place.refuse("has an unknown storage layout.");
  }
  return layout;
}

std::vector<Filter> read_filters(Bytes message, const Place& place) {
  Cursor at(message, place);
  const std::uint64_t version = at.number(1);
  if (version != 1 && version != 2) place.damaged("filters of an unknown version");
  const std::uint64_t count = at.number(1);
  if (version == 1) at.skip(6);
  std::vector<Filter> filters;
  for (std::uint64_t i = 0; i < count; ++i) {
    Filter filter{at.number(2)};
    constexpr std::uint64_t first_with_name = 256;
    const bool has_name = version == 1 || filter.id >= first_with_name;
    const std::uint64_t name = has_name ? at.number(2) : 0;
    at.skip(2);
    const std::uint64_t values = at.number(2);
    at.skip(name + 4 * values + (version == 1 && values % 2 == 1 ? 4 : 0));
    if (filter.id != Filter::deflate && filter.id != Filter::shuffle &&
        filter.id != Filter::fletcher32)
      place.refuse(fmt::format(
          "is packed with filter {}, expected none, deflate, shuffle or fletcher32.", filter.id));
    filters.push_back(filter);
  }
  return filters;
}

std::optional<Attribute> find_attribute(const Object& object, std::string_view name,
                                        const Place& place) {
  for (const Message& message : object.messages) {
    if (message.type == Message::attribute_info) {
      Cursor info(message.data, place);
      info.skip(1);
      if (info.number(1) & 1) info.skip(2);
      if (info.number(8) != nowhere) place.refuse("keeps its attributes in a heap: refused.");
    }
    if (message.type != Message::attribute || message.is_shared) continue;
    Cursor at(message.data, place);
    const std::uint64_t version = at.number(1);
    if (version < 1 || version > 3) place.damaged("an attribute of an unknown version");
    const std::uint64_t flags = at.number(1);
    const std::uint64_t lengths[] = {at.number(2), at.number(2), at.number(2)};
    if (version == 3) at.skip(1);
    Bytes parts[3];
    for (int i = 0; i < 3; ++i) {
      parts[i] = at.take(lengths[i]);
      const std::uint64_t padding = version == 1 ? (8 - lengths[i] % 8) % 8 : 0;
      at.skip(std::min<std::uint64_t>(padding, at.left()));
    }
    std::string_view found = text_of(parts[0]);
    found = found.substr(0, found.find('\0'));
    if (found != name) continue;
    if (version > 1 && flags != 0) place.refuse("has an attribute that shares its type: refused.");
    return Attribute{read_type(parts[1], place), read_dataspace(parts[2], place),
                     at.take(at.left())};
  }
  return std::nullopt;
}

namespace {

/// The object `number` of a collection in the heap of all.
Bytes heap_object(Bytes file, std::uint64_t address, std::uint64_t number, const Place& place) {
  Cursor head(rest(file, address, place), place);
  if (!head.takes("GCOL")) place.damaged("a heap is none");
  head.skip(4);
  const std::uint64_t length = head.number(8);
  Cursor at(piece(file, address, length, place), place);
  at.skip(16);
  constexpr std::size_t object_head = 16;
  while (at.left() >= object_head) {
    const std::uint64_t found = at.number(2);
    at.skip(6);
    const std::uint64_t size = at.number(8);
    if (found == 0) break;  // free space up to the end
    const Bytes bytes = at.take(size);
    if (found == number) return bytes;
    at.skip(std::min<std::uint64_t>((8 - size % 8) % 8, at.left()));
  }
  place.damaged("a text is not in its heap");
}

}  // namespace

std::vector<std::string> read_texts(Bytes file, const Attribute& attribute, const Place& place) {
  if (!attribute.sizes) return {};
  std::uint64_t count = 1;
  for (const std::uint64_t size : *attribute.sizes)
    if (size == 0) return {};  // of any type: numpy makes numbers of []
  count = bytes_of(*attribute.sizes, 1, place);
  const Type& type = attribute.type;
  if (type.kind != Type::Kind::text && type.kind != Type::Kind::long_text)
    place.refuse("has an attribute that is no text.");
  if (count > attribute.data.size() / type.size) place.damaged("an attribute ends too early");
  Cursor at(attribute.data, place);
  std::vector<std::string> texts;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view text;
    if (type.kind == Type::Kind::text) {
      text = text_of(at.take(type.size));
    } else {
      const std::uint64_t length = at.number(4);
      const std::uint64_t address = at.number(8);
      const std::uint64_t number = at.number(4);
      if (length > 0) {
        const Bytes held = heap_object(file, address, number, place);
        if (length > held.size()) place.damaged("a text is longer than its place in the heap");
        text = text_of(held.first(static_cast<std::size_t>(length)));
      }
    }
    total += text.size();
    if (total > file.size()) place.damaged("texts share their bytes");
    texts.emplace_back(text.substr(0, text.find('\0')));
  }
  return texts;
}

}  // namespace sonde::formats::hdf5
