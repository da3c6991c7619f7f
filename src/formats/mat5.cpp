#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>

#include "formats/inflate.hpp"
#include "formats/mat.hpp"
#include "formats/printable.hpp"

// Version 5 to 7.2: elements with a tag each, some of them packed by zlib.
namespace sonde::formats {
namespace {

using Kind = NumberForm::Kind;

enum Element : std::uint32_t {
  int8 = 1,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  single,
  reserved,
  real,
  reserved2,
  reserved3,
  int64,
  uint64,
  matrix,
  packed,
  utf8,
  utf16,
  utf32
};

/// What a matrix is; those from `double_class` to `last_class` are numbers.
enum Class : std::uint32_t {
  cell_class = 1,
  struct_class,
  object_class,
  char_class,
  sparse_class,
  double_class,
  last_class = 15,
  function_class,
  opaque_class
};

std::optional<NumberForm> form_of(std::uint32_t type, bool big) {
  switch (type) {
    case int8:
      return NumberForm{Kind::whole, 1, big};
    case uint8:
      return NumberForm{Kind::natural, 1, big};
    case int16:
      return NumberForm{Kind::whole, 2, big};
    case uint16:
      return NumberForm{Kind::natural, 2, big};
    case int32:
      return NumberForm{Kind::whole, 4, big};
    case uint32:
      return NumberForm{Kind::natural, 4, big};
    case single:
      return NumberForm{Kind::floating, 4, big};
    case real:
      return NumberForm{Kind::floating, 8, big};
    case int64:
      return NumberForm{Kind::whole, 8, big};
    case uint64:
      return NumberForm{Kind::natural, 8, big};
    default:
      return std::nullopt;
  }
}

/// A file, or an element of it, from front to back.
class Elements {
 public:
  Elements(Bytes bytes, bool is_big_endian, const std::string& where)
      : rest_(bytes), big_(is_big_endian), where_(where) {}

  [[noreturn]] void damaged(std::string_view what) const {
    throw DataError(fmt::format("{}: the MATLAB file is damaged: {}.", where_, what));
  }
  bool empty() const { return rest_.empty(); }
  bool is_big_endian() const { return big_; }
  const std::string& where() const { return where_; }

  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    const Bytes bytes = take(width);
    for (std::size_t i = 0; i < width; ++i)
      value |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * (big_ ? width - 1 - i : i);
    return value;
  }
  Bytes take(std::uint64_t count) {
    if (count > rest_.size()) damaged("an element ends too early");
    const Bytes taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }

  struct Piece {
    std::uint32_t type;
    Bytes data;
  };
  /// The next element. Small ones have type and size in one word and lie in the next.
  Piece next() {
    const auto head = static_cast<std::uint32_t>(number(4));
    if (const std::uint32_t small = head >> 16; small != 0) {
      if (small > 4) damaged("a small element of more than 4 bytes");
      return {head & 0xffff, take(4).first(small)};
    }
    const std::uint64_t size = number(4);
    const Bytes data = take(size);
    // All but packed elements are filled up to 8 bytes; the last one may lack that.
    if (head != packed) take(std::min<std::uint64_t>((8 - size % 8) % 8, rest_.size()));
    return {head, data};
  }

 private:
  Bytes rest_;
  bool big_;
  const std::string& where_;
};

class Walk {
 public:
  explicit Walk(MatVisitor& visitor) : visitor_(visitor) {}

  /// One matrix, named `name` where it is a field. False when the visitor has seen enough.
  bool matrix_of(Elements at, std::optional<std::string> name, int depth) {
    constexpr int deepest = 16;
    if (depth > deepest) at.damaged("structs within structs, deeper than 16");
    if (at.empty()) return true;  // a field that was never set
    const Elements::Piece flags = at.next();
    if (flags.type != uint32 || flags.data.size() != 8) at.damaged("the flags of an array");
    Elements flag(flags.data, at.is_big_endian(), at.where());
    const auto bits = static_cast<std::uint32_t>(flag.number(4));
    const std::uint32_t kind = bits & 255;
    if (kind == opaque_class) return other(name.value_or("(an object)"), "is an object");

    const Elements::Piece sizes = at.next();
    // Some programs write the sizes without a sign.
    if ((sizes.type != int32 && sizes.type != uint32) || sizes.data.size() % 4 != 0)
      at.damaged("the sizes of an array");
    Elements size(sizes.data, at.is_big_endian(), at.where());
    std::vector<Index> shape;
    constexpr std::size_t most_axes = 32;
    for (std::size_t i = 0; i < sizes.data.size() / 4; ++i) {
      const auto now = static_cast<std::int32_t>(size.number(4));
      if (now < 0 || i >= most_axes) at.damaged("the sizes of an array");
      shape.push_back(now);
    }
    const Elements::Piece own_name = at.next();
    if (!name) {
      name = std::string(text_of(own_name.data));
      if (name->empty()) return true;  // where MATLAB keeps what belongs to objects
    }
    if (!visitor_.wants(*name)) return true;

    constexpr std::uint32_t is_complex = 0x0800;
    if (kind == struct_class) return struct_of(at, *name, shape, depth);
    if (kind == sparse_class) return other(*name, "is sparse");
    if (kind == cell_class) return other(*name, "is a cell array");
    if (kind == char_class) return other(*name, "is text");
    if (kind < double_class || kind > last_class) return other(*name, "is an object");
    if (bits & is_complex) return other(*name, "holds complex numbers");
    return numbers_of(at, *name, shape);
  }

 private:
  bool other(const std::string& name, const std::string& what) {
    MatVariable variable;
    variable.name = name;
    variable.refusal = what;
    return visitor_.visit(variable);
  }

  bool numbers_of(Elements at, const std::string& name, const std::vector<Index>& sizes) {
    const Elements::Piece data = at.next();
    const auto form = form_of(data.type, at.is_big_endian());
    if (!form)
      at.damaged(fmt::format("\"{}\" holds elements of type {}", printable(name), data.type));
    const std::size_t width = static_cast<std::size_t>(form->width);
    // Each size is below 2^31, so that a product that fits the bytes never overflows on its way.
    std::uint64_t count = 1;
    bool is_empty = false;
    for (const Index each : sizes) is_empty |= each == 0;
    for (const Index each : sizes) {
      if (is_empty) count = 0;
      else count *= static_cast<std::uint64_t>(each);
      if (count > data.data.size()) break;
    }
    if (data.data.size() % width != 0 || count != data.data.size() / width)
      at.damaged(
          fmt::format("\"{}\" has another number of elements than its sizes say", printable(name)));
    MatVariable variable;
    variable.name = name;
    if (is_empty) return other(name, "is empty");
    variable.shape = Shape(sizes);
    variable.numbers = data.data;
    variable.form = *form;
    return visitor_.visit(variable);
  }

  bool struct_of(Elements at, const std::string& name, const std::vector<Index>& sizes, int depth) {
    if (std::any_of(sizes.begin(), sizes.end(), [](Index size) { return size != 1; }))
      return other(name, "is an array of structs");
    const Elements::Piece width = at.next();
    if (width.type != int32 || width.data.size() != 4) at.damaged("the length of field names");
    Elements length(width.data, at.is_big_endian(), at.where());
    const auto longest = static_cast<std::size_t>(length.number(4));
    const std::string_view names = text_of(at.next().data);
    if (longest == 0 || longest > 1024 || names.size() % longest != 0)
      at.damaged("the names of fields");
    for (std::size_t i = 0; i < names.size(); i += longest) {
      std::string_view field = names.substr(i, longest);
      field = field.substr(0, field.find('\0'));
      const Elements::Piece value = at.next();
      if (value.type != matrix) at.damaged("a field that is no array");
      const std::string path = name + "." + std::string(field);
      if (visitor_.wants(path) &&
          !matrix_of(Elements(value.data, at.is_big_endian(), at.where()), path, depth + 1))
        return false;
    }
    return true;
  }

  MatVisitor& visitor_;
};

/// Only the front of a packed matrix, if that tells that nobody wants it.
bool is_wanted(Bytes front, bool big, const std::string& where, MatVisitor& visitor) {
  struct Name : MatVisitor {
    std::string name;
    bool visit(const MatVariable&) override { return false; }
    bool wants(std::string_view found) override {
      name = found;
      return false;
    }
  } named;
  try {
    Elements at(front, big, where);
    at.take(8);
    Walk(named).matrix_of(at, std::nullopt, 0);
  } catch (const DataError&) {
    return true;  // whatever it is, the whole will tell
  }
  return named.name.empty() || visitor.wants(named.name);
}

}  // namespace

void walk_mat5(Bytes bytes, const std::string& where, MatVisitor& visitor) {
  constexpr std::size_t head = 128;
  const auto refuse = [&](std::string_view what) {
    throw DataError(fmt::format("{}: expected a MATLAB file, got {}.", where, what));
  };
  if (bytes.size() < head) refuse(fmt::format("{} bytes", bytes.size()));
  const std::string_view order = text_of(bytes.subspan(126, 2));
  if (order != "IM" && order != "MI") refuse("something else");
  const bool big = order == "MI";
  Elements file(bytes.subspan(124), big, where);
  if (const std::uint64_t version = file.number(2); version != 0x0100)
    refuse(fmt::format("version {:#06x}, which is not known", version));
  file.take(2);

  Walk walk(visitor);
  while (!file.empty()) {
    const Elements::Piece piece = file.next();
    if (piece.type == matrix) {
      if (!walk.matrix_of(Elements(piece.data, big, where), std::nullopt, 0)) return;
    } else if (piece.type == packed) {
      // A tag inside says how much there will be; deflate cannot do better than 1032 to one.
      constexpr std::size_t tag = 8, enough_for_names = 512;
      const std::vector<std::byte> front = inflate_front(piece.data, enough_for_names);
      if (front.size() < tag) file.damaged("a packed element without a tag");
      Elements inner(front, big, where);
      const auto type = static_cast<std::uint32_t>(inner.number(4));
      const std::uint64_t size = inner.number(4);
      if (type != matrix) file.damaged("a packed element that is no array");
      if (size / 1032 > piece.data.size()) file.damaged("a packed element says that it is huge");
      if (!is_wanted(front, big, where, visitor)) continue;
      const Inflated whole = inflate(piece.data, static_cast<std::size_t>(tag + size));
      if (!whole.fault.empty()) file.damaged(fmt::format("a packed element: {}", whole.fault));
      if (!walk.matrix_of(Elements(Bytes(whole.bytes).subspan(tag), big, where), std::nullopt, 0))
        return;
    } else if (!form_of(piece.type, big)) {
      file.damaged(fmt::format("an element of type {}", piece.type));
    }
  }
}

}  // namespace sonde::formats
