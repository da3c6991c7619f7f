#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <sonde/error.hpp>
#include <string>
#include <string_view>
#include <vector>
#include "base/file.hpp"

/// The structure of HDF5 files (HDF5 File Format Specification 3.0), as far as h5py writes it by
/// default and a little further. Nothing in a file is trusted: every address and length is checked
/// against the bytes that are there, and every walk is bounded.
namespace sonde::formats::hdf5 {

/// The address of what is not there.
constexpr std::uint64_t nowhere = ~std::uint64_t{0};

/// A place in a file, for messages.
struct Place {
  const std::string& where;
  std::string_view path;

  [[noreturn]] void refuse(const std::string& message) const;
  /// The structure itself is broken: "its group has no heap".
  [[noreturn]] void damaged(std::string_view what) const;
};

/// Walks over a piece of a file; beyond its end the file is damaged. Numbers are little-endian.
class Cursor {
 public:
  Cursor(Bytes bytes, const Place& place) : bytes_(bytes), place_(place) {}

  std::uint64_t number(std::size_t width);
  Bytes take(std::uint64_t count);
  void skip(std::uint64_t count) { take(count); }
  std::size_t left() const { return bytes_.size(); }
  /// Whether the next bytes are `text`; steps over them.
  bool takes(std::string_view text);
  const Place& place() const { return place_; }

 private:
  Bytes bytes_;
  const Place& place_;
};

/// `length` bytes at `address`, and all bytes from there.
Bytes piece(Bytes file, std::uint64_t address, std::uint64_t length, const Place& place);
Bytes rest(Bytes file, std::uint64_t address, const Place& place);

/// A message of an object's header: what the object is, one property after the other.
struct Message {
  enum Type : std::uint16_t {
    dataspace = 0x01,
    link_info = 0x02,
    datatype = 0x03,
    link = 0x06,
    external_files = 0x07,
    layout = 0x08,
    filters = 0x0B,
    attribute = 0x0C,
    continuation = 0x10,
    symbol_table = 0x11,
    attribute_info = 0x15,
  };
  std::uint16_t type = 0;
  bool is_shared = false;  ///< says only where the message lies
  Bytes data = {};
};

struct Link {
  enum class Kind { hard, soft, external, other };
  Kind kind = Kind::hard;
  std::uint64_t address = nowhere;  ///< of a hard link: the object's header
};
using Links = std::map<std::string, Link, std::less<>>;

struct Object {
  std::vector<Message> messages;
  std::optional<Links> links = {};  ///< of a group

  /// The message of that type; null when there is none. A shared one is refused.
  const Message* find(Message::Type type, const Place& place) const;
};

/// The address of the root group. Refuses what is no HDF5 file. Addresses count from the
/// superblock, before which there may be `before` bytes of another format.
std::uint64_t root_address(Bytes file, std::uint64_t before, const Place& place);
/// The object whose header lies at `address`; LimitError for a group of more than `entries`.
Object read_object(Bytes file, std::uint64_t address, std::size_t entries, const Place& place);

// --- what messages say ---------------------------------------------------------------------------

struct Type {
  /// Weights are floats of 32 or 64 bits and counts whole numbers of that size; the small ones are
  /// of 8 or 16 bits, and so are booleans, which are enumerations.
  enum class Kind {
    floats,
    half_floats,
    whole_numbers,
    small_numbers,
    booleans,
    text,
    long_text,
    other
  };
  Kind kind = Kind::other;
  std::uint64_t size = 0;  ///< bytes of one element
  bool is_big_endian = false;
  bool is_signed = false;

  bool is_number() const { return kind <= Kind::booleans; }
};
Type read_type(Bytes message, const Place& place);

/// The sizes of an array; none for one that is empty by definition.
using Sizes = std::vector<std::uint64_t>;
std::optional<Sizes> read_dataspace(Bytes message, const Place& place);
/// All elements of an array in bytes; refused when more than any file can hold.
std::uint64_t bytes_of(const Sizes& sizes, std::uint64_t width, const Place& place);

/// Where the numbers of a dataset lie.
struct Layout {
  Bytes compact = {};  ///< in the header itself
  bool is_compact = false;
  std::uint64_t address = nowhere;  ///< of the numbers, or of the tree of chunks
  std::uint64_t length = 0;         ///< nowhere: as much as the sizes say
  Sizes chunk = {};                 ///< of a dataset cut into chunks: their sizes
  /// A single chunk without a tree.
  bool is_single = false;
};
Layout read_layout(Bytes message, std::size_t rank, std::uint64_t width, const Place& place);

/// A filter that a chunk went through before it was stored.
struct Filter {
  std::uint64_t id = 0;
  static constexpr std::uint64_t deflate = 1, shuffle = 2, fletcher32 = 3;
};
std::vector<Filter> read_filters(Bytes message, const Place& place);

struct Attribute {
  Type type;
  std::optional<Sizes> sizes;
  Bytes data;
};
/// The attribute of that name; none when there is none.
std::optional<Attribute> find_attribute(const Object& object, std::string_view name,
                                        const Place& place);
/// The texts of an attribute: of fixed length, or in the heap of the file.
std::vector<std::string> read_texts(Bytes file, const Attribute& attribute, const Place& place);

struct Chunk {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
  std::uint64_t skipped = 0;  ///< a bit for each filter that this chunk did not go through
  Sizes offset;
};
/// All chunks of a dataset, as its tree lists them; more than `most` are refused.
std::vector<Chunk> read_chunks(Bytes file, const Layout& layout, std::size_t most,
                               const Place& place);
/// The numbers of a chunk as they were before the filters: `length` bytes, of elements of `width`.
std::vector<std::byte> unpack_chunk(Bytes file, const Chunk& chunk,
                                    const std::vector<Filter>& filters, std::uint64_t length,
                                    std::uint64_t width, const Place& place);

}  // namespace sonde::formats::hdf5
