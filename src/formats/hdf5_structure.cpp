#include <fmt/format.h>

#include <algorithm>
#include "formats/hdf5_bytes.hpp"
#include "formats/printable.hpp"

// Superblock, object headers and groups.
namespace sonde::formats::hdf5 {

void Place::refuse(const std::string& message) const {
  throw FormatError(fmt::format("{}: \"{}\" {}", where, printable(path), message));
}
void Place::damaged(std::string_view what) const {
  refuse(fmt::format("cannot be read: the HDF5 file is damaged ({}).", what));
}

std::uint64_t Cursor::number(std::size_t width) {
  std::uint64_t value = 0;
  std::size_t shift = 0;
  for (const std::byte byte : take(width)) {
    value |= static_cast<std::uint64_t>(byte) << shift;
    shift += 8;
  }
  return value;
}
Bytes Cursor::take(std::uint64_t count) {
  if (count > bytes_.size()) place_.damaged("something ends too early");
  const Bytes taken = bytes_.first(static_cast<std::size_t>(count));
  bytes_ = bytes_.subspan(static_cast<std::size_t>(count));
  return taken;
}
bool Cursor::takes(std::string_view text) {
  if (bytes_.size() < text.size() || text_of(bytes_.first(text.size())) != text) return false;
  bytes_ = bytes_.subspan(text.size());
  return true;
}

Bytes rest(Bytes file, std::uint64_t address, const Place& place) {
  if (address > file.size()) place.damaged("an address lies outside the file");
  return file.subspan(static_cast<std::size_t>(address));
}
Bytes piece(Bytes file, std::uint64_t address, std::uint64_t length, const Place& place) {
  const Bytes from = rest(file, address, place);
  if (length > from.size()) place.damaged("a length reaches beyond the file");
  return from.first(static_cast<std::size_t>(length));
}

std::uint64_t root_address(Bytes file, std::uint64_t before, const Place& place) {
  Cursor at(file, place);
  if (!at.takes("\x89HDF\r\n\x1a\n")) place.damaged("its first bytes");
  const std::uint64_t version = at.number(1);
  if (version > 3) place.refuse(fmt::format("has a superblock of version {}.", version));
  const bool is_old = version < 2;
  if (is_old) at.skip(4);
  if (at.number(1) != 8 || at.number(1) != 8)
    place.refuse("has addresses or lengths that are not of 8 bytes.");
  at.skip(is_old ? 9 : 1);
  if (version == 1) at.skip(4);
  if (at.number(8) != before) place.refuse(fmt::format("does not begin at address {}.", before));
  at.skip(8);  // free space, or extension
  if (at.number(8) > before + file.size()) place.damaged("it is shorter than it says");
  if (is_old) at.skip(8 + 8);  // driver; name of the root
  return at.number(8);
}

namespace {

constexpr std::size_t most_messages = 100'000;
constexpr std::size_t most_blocks = 1000;

struct Block {
  std::uint64_t address;
  std::uint64_t length;
};

/// Adds the messages of one block of a header; continuations go to `blocks`.
template <class Head>
void read_block(Bytes bytes, std::size_t head_size, Head&& head, std::vector<Message>& messages,
                std::vector<Block>& blocks, const Place& place) {
  Cursor at(bytes, place);
  while (at.left() >= head_size) {
    Message message = head(at);
    if (message.type == Message::continuation && !message.is_shared) {
      Cursor next(message.data, place);
      const std::uint64_t address = next.number(8);
      blocks.push_back({address, next.number(8)});
      if (blocks.size() > most_blocks) place.damaged("a header has too many pieces");
    } else if (message.type != 0) {
      messages.push_back(message);
      if (messages.size() > most_messages) place.damaged("a header has too many messages");
    }
  }
}

std::vector<Message> read_old_header(Bytes file, Cursor at, const Place& place) {
  at.skip(1);
  at.skip(2 + 4);  // number of messages, references
  const std::uint64_t length = at.number(4);
  at.skip(4);
  std::vector<Message> messages;
  std::vector<Block> blocks;
  const auto head = [](Cursor& c) {
    Message message;
    message.type = static_cast<std::uint16_t>(c.number(2));
    const std::uint64_t size = c.number(2);
    message.is_shared = (c.number(1) & 2) != 0;
    c.skip(3);
    message.data = c.take(size);
    return message;
  };
  read_block(at.take(length), 8, head, messages, blocks, place);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const Block block = blocks[b];
    read_block(piece(file, block.address, block.length, place), 8, head, messages, blocks, place);
  }
  return messages;
}

std::vector<Message> read_new_header(Bytes file, Cursor at, const Place& place) {
  if (at.number(1) != 2) place.damaged("a header of an unknown version");
  const std::uint64_t flags = at.number(1);
  if (flags & 0x20) at.skip(16);
  if (flags & 0x10) at.skip(4);
  const std::uint64_t length = at.number(std::size_t{1} << (flags & 3));
  const bool has_order = (flags & 4) != 0;
  const std::size_t head_size = has_order ? 6 : 4;
  std::vector<Message> messages;
  std::vector<Block> blocks;
  const auto head = [&](Cursor& c) {
    Message message;
    message.type = static_cast<std::uint16_t>(c.number(1));
    const std::uint64_t size = c.number(2);
    message.is_shared = (c.number(1) & 2) != 0;
    if (has_order) c.skip(2);
    message.data = c.take(size);
    return message;
  };
  read_block(at.take(length), head_size, head, messages, blocks, place);
  constexpr std::size_t checksum = 4;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const Block block = blocks[b];
    Cursor piece_at(piece(file, block.address, block.length, place), place);
    if (!piece_at.takes("OCHK") || piece_at.left() < checksum)
      place.damaged("a header's piece is none");
    read_block(piece_at.take(piece_at.left() - checksum), head_size, head, messages, blocks, place);
  }
  return messages;
}

/// Collects the links of one group.
class Collector {
 public:
  Collector(Bytes file, std::size_t most, const Place& place)
      : file_(file), most_(most), place_(place) {}

  Links take() { return std::move(links_); }

  void add(std::string name, Link link) {
    if (links_.size() == most_)
      throw LimitError(fmt::format("{}: \"{}\" has more entries than the limit of {}.",
                                   place_.where, printable(place_.path), most_));
    if (name.empty() || name.find('/') != name.npos) place_.damaged("a name is empty or a path");
    if (!links_.emplace(std::move(name), link).second) place_.damaged("a name stands twice");
  }

  /// A group in the old style: a tree of tables of symbols, and a heap of names.
  void add_symbol_table(Bytes message) {
    Cursor at(message, place_);
    const std::uint64_t tree = at.number(8);
    Cursor heap(rest(file_, at.number(8), place_), place_);
    if (!heap.takes("HEAP")) place_.damaged("a group's heap is none");
    heap.skip(4);
    const std::uint64_t length = heap.number(8);
    heap.skip(8);
    names_ = piece(file_, heap.number(8), length, place_);
    constexpr std::uint64_t any_level = 256;
    add_tree(tree, any_level);
  }

  /// A link in the new style.
  void add_link(Bytes message) {
    Cursor at(message, place_);
    if (at.number(1) != 1) place_.damaged("a link of an unknown version");
    const std::uint64_t flags = at.number(1);
    const std::uint64_t kind = flags & 8 ? at.number(1) : 0;
    if (flags & 4) at.skip(8);
    if (flags & 0x10) at.skip(1);
    const std::uint64_t length = at.number(std::size_t{1} << (flags & 3));
    std::string name(text_of(at.take(length)));
    Link link;
    if (kind == 0) link.address = at.number(8);
    else
      link.kind = kind == 1    ? Link::Kind::soft
                  : kind == 64 ? Link::Kind::external
                               : Link::Kind::other;
    add(std::move(name), link);
  }

 private:
  /// Levels fall by one from a node to its children, so no circle can be walked.
  void add_tree(std::uint64_t address, std::uint64_t below) {
    if (++nodes_ > 2 * most_ + 64) place_.damaged("a group's tree has too many nodes");
    Cursor at(rest(file_, address, place_), place_);
    if (!at.takes("TREE") || at.number(1) != 0) place_.damaged("a group's tree is none");
    const std::uint64_t level = at.number(1);
    if (level >= below) place_.damaged("a group's tree has levels in disorder");
    const std::uint64_t count = at.number(2);
    at.skip(16);
    for (std::uint64_t i = 0; i < count; ++i) {
      at.skip(8);
      const std::uint64_t child = at.number(8);
      if (level == 0) add_symbols(child);
      else add_tree(child, level);
    }
  }

  void add_symbols(std::uint64_t address) {
    if (++nodes_ > 2 * most_ + 64) place_.damaged("a group's tree has too many nodes");
    Cursor at(rest(file_, address, place_), place_);
    if (!at.takes("SNOD")) place_.damaged("a group's symbols are none");
    at.skip(2);
    const std::uint64_t count = at.number(2);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t name = at.number(8);
      Link link{Link::Kind::hard, at.number(8)};
      constexpr std::uint64_t is_soft = 2;
      if (at.number(4) == is_soft) link.kind = Link::Kind::soft;
      at.skip(4 + 16);
      add(name_at(name), link);
    }
  }

  std::string name_at(std::uint64_t offset) const {
    if (offset > names_.size()) place_.damaged("a name lies outside its heap");
    const std::string_view from = text_of(names_.subspan(static_cast<std::size_t>(offset)));
    const std::size_t end = from.find('\0');
    if (end == from.npos) place_.damaged("a name has no end");
    return std::string(from.substr(0, end));
  }

  Bytes file_;
  std::size_t most_;
  const Place& place_;
  Bytes names_ = {};
  Links links_;
  std::size_t nodes_ = 0;
};

}  // namespace

const Message* Object::find(Message::Type type, const Place& place) const {
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [&](const Message& m) { return m.type == type; });
  if (found == messages.end()) return nullptr;
  if (found->is_shared) place.refuse("shares a part of its header with others: refused.");
  return &*found;
}

Object read_object(Bytes file, std::uint64_t address, std::size_t entries, const Place& place) {
  Cursor at(rest(file, address, place), place);
  Object object;
  if (at.takes("OHDR")) object.messages = read_new_header(file, at, place);
  else if (at.number(1) == 1) object.messages = read_old_header(file, at, place);
  else place.damaged("a header of an unknown version");

  Collector collector(file, entries, place);
  bool is_group = false;
  for (const Message& message : object.messages) {
    if (message.type != Message::symbol_table && message.type != Message::link &&
        message.type != Message::link_info)
      continue;
    is_group = true;
    if (message.is_shared) place.refuse("shares a part of its header with others: refused.");
    if (message.type == Message::symbol_table) collector.add_symbol_table(message.data);
    if (message.type == Message::link) collector.add_link(message.data);
    if (message.type == Message::link_info) {
      Cursor info(message.data, place);
      info.skip(1);
      if (info.number(1) & 1) info.skip(8);
      if (info.number(8) != nowhere)
        place.refuse(
            "keeps its entries in a heap, as HDF5's newest format does for large groups. Write the "
            "file without libver = \"latest\".");
    }
  }
  if (is_group) object.links = collector.take();
  return object;
}

}  // namespace sonde::formats::hdf5
