#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <stdexcept>
#include "formats/hdf5.hpp"

// The layout that h5py chooses by default: superblock 0, headers of version 1, groups as tables of
// symbols in a tree, texts in one heap, numbers in one piece. HDF5 File Format Specification 3.0.
namespace sonde::formats {
namespace {

constexpr std::uint64_t nowhere = ~std::uint64_t{0};
constexpr std::size_t symbols_of_table = 8;   // twice the superblock's leaf k
constexpr std::size_t children_of_node = 32;  // twice its internal k
constexpr std::size_t node_size = 24 + (2 * children_of_node + 1) * 8;
constexpr std::size_t superblock_size = 96;

class Output {
 public:
  std::uint64_t size() const { return bytes_.size(); }
  void put(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes_.push_back(std::byte(value >> (8 * i) & 0xFF));
  }
  void put(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void put(std::string_view text) { put(bytes_of(text)); }
  /// Zeros up to a multiple of 8, where everything begins.
  void align() { bytes_.resize((bytes_.size() + 7) / 8 * 8); }
  void fill_to(std::uint64_t size) { bytes_.resize(static_cast<std::size_t>(size)); }
  void copy_to_front(const Output& other) {
    std::copy(other.bytes_.begin(), other.bytes_.end(), bytes_.begin());
  }
  std::vector<std::byte> take() { return std::move(bytes_); }
  Bytes view() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

enum class Stored { group, float32, int32, int64 };

struct Attribute {
  std::string name;
  std::string text;
  std::uint64_t heap = 0;  ///< address of the collection that holds the text
  std::uint64_t number = 0;
};

struct Node {
  Stored kind = Stored::group;
  std::map<std::string, Node> children = {};
  std::vector<Attribute> attributes = {};
  std::vector<std::uint64_t> sizes = {};
  std::vector<std::byte> numbers = {};
};

/// Messages of an object's header.
class Header {
 public:
  void message(std::uint64_t type, std::uint64_t flags, Output data) {
    data.align();
    messages_.put(type, 2);
    messages_.put(data.size(), 2);
    messages_.put(flags, 1);
    messages_.put(0, 3);
    messages_.put(data.view());
    ++count_;
  }
  std::uint64_t write(Output& out) const {
    out.align();
    const std::uint64_t address = out.size();
    out.put(1, 2);
    out.put(count_, 2);
    out.put(1, 4);
    out.put(messages_.size(), 4);
    out.put(0, 4);
    out.put(messages_.view());
    return address;
  }

 private:
  Output messages_;
  std::uint64_t count_ = 0;
};

void put_type(Output& out, Stored kind) {
  constexpr std::array<unsigned char, 20> float32 = {0x11, 0x20, 0x1F, 0, 4, 0,    0,    0, 0, 0,
                                                     0x20, 0,    0x17, 8, 0, 0x17, 0x7F, 0, 0, 0};
  if (kind == Stored::float32) return out.put(std::as_bytes(std::span(float32)));
  const std::uint64_t width = kind == Stored::int32 ? 4 : 8;
  out.put(0x0810, 4);  // whole numbers with a sign
  out.put(width, 4);
  out.put(0, 2);
  out.put(8 * width, 2);
}

void add_attribute(Header& header, const Attribute& attribute) {
  Output type;
  type.put(0x010119, 4);  // text of any length, UTF-8
  type.put(16, 4);
  type.put(0x10, 4);  // made of bytes
  type.put(1, 4);
  type.put(0x080000, 4);
  Output data;
  data.put(1, 2);
  data.put(attribute.name.size() + 1, 2);
  data.put(type.size(), 2);
  data.put(8, 2);
  data.put(attribute.name);
  data.put(0, 1);
  data.align();
  data.put(type.view());
  data.align();
  data.put(1, 8);  // no axes
  data.put(attribute.text.size(), 4);
  data.put(attribute.heap, 8);
  data.put(attribute.number, 4);
  header.message(0x0C, 0, std::move(data));
}

std::uint64_t write_dataset(Output& out, const Node& node) {
  out.align();
  const std::uint64_t numbers = node.numbers.empty() ? nowhere : out.size();
  out.put(node.numbers);
  Header header;
  Output space;
  space.put(1, 1);
  space.put(node.sizes.size(), 1);
  space.put(node.sizes.empty() ? 0 : 1, 1);  // the sizes are the largest ones, too
  space.put(0, 5);
  for (int twice = 0; twice < (node.sizes.empty() ? 0 : 2); ++twice)
    for (const std::uint64_t size : node.sizes) space.put(size, 8);
  header.message(0x01, 0, std::move(space));
  Output type;
  put_type(type, node.kind);
  header.message(0x03, 1, std::move(type));
  Output filling;
  filling.put(0x01020202, 8);  // none
  header.message(0x05, 1, std::move(filling));
  Output layout;
  layout.put(0x0103, 2);  // version 3, in one piece
  layout.put(numbers, 8);
  layout.put(node.numbers.size(), 8);
  header.message(0x08, 0, std::move(layout));
  for (const Attribute& attribute : node.attributes) add_attribute(header, attribute);
  return header.write(out);
}

/// A child of a tree's node, and where the name of its last symbol stands.
struct Child {
  std::uint64_t address;
  std::uint64_t last;
};

/// One level of a group's tree over `children`; returns its nodes.
std::vector<Child> write_level(Output& out, const std::vector<Child>& children,
                               std::uint64_t level) {
  out.align();
  const std::uint64_t begin = out.size();
  const std::size_t count =
      std::max<std::size_t>(1, (children.size() + children_of_node - 1) / children_of_node);
  std::vector<Child> nodes;
  std::uint64_t before = 0;  // the empty name
  for (std::size_t n = 0; n < count; ++n) {
    const std::size_t first = n * children_of_node;
    const std::size_t last = std::min(first + children_of_node, children.size());
    const std::uint64_t address = begin + n * node_size;
    out.put("TREE");
    out.put(level << 8, 2);
    out.put(last - first, 2);
    out.put(n == 0 ? nowhere : address - node_size, 8);
    out.put(n + 1 == count ? nowhere : address + node_size, 8);
    out.put(before, 8);
    for (std::size_t c = first; c < last; ++c) {
      out.put(children[c].address, 8);
      out.put(before = children[c].last, 8);
    }
    out.fill_to(address + node_size);
    nodes.push_back({address, before});
  }
  return nodes;
}

struct Written {
  std::uint64_t header;
  std::uint64_t tree = 0;  ///< of a group
  std::uint64_t heap = 0;
};

Written write_node(Output& out, const Node& node) {
  if (node.kind != Stored::group) return {write_dataset(out, node)};
  std::vector<Written> children;
  Output names;
  names.put(0, 8);
  std::vector<std::uint64_t> name_at;
  for (const auto& [name, child] : node.children) {
    children.push_back(write_node(out, child));
    name_at.push_back(names.size());
    names.put(name);
    names.put(0, 1);
    names.align();
  }

  out.align();
  const std::uint64_t heap = out.size();
  out.put("HEAP");
  out.put(0, 4);
  out.put(names.size(), 8);
  out.put(1, 8);  // nothing is free
  out.put(heap + 32, 8);
  out.put(names.view());

  std::vector<Child> level;
  auto next = node.children.begin();
  for (std::size_t first = 0; first < children.size(); first += symbols_of_table) {
    const std::size_t last = std::min(first + symbols_of_table, children.size());
    const std::uint64_t address = out.size();
    out.put("SNOD");
    out.put(1, 2);
    out.put(last - first, 2);
    for (std::size_t c = first; c < last; ++c, ++next) {
      out.put(name_at[c], 8);
      out.put(children[c].header, 8);
      const bool is_group = next->second.kind == Stored::group;
      out.put(is_group ? 1 : 0, 8);
      out.put(children[c].tree, 8);
      out.put(children[c].heap, 8);
    }
    out.fill_to(address + 8 + symbols_of_table * 40);
    level.push_back({address, name_at[last - 1]});
  }
  std::uint64_t depth = 0;
  do level = write_level(out, level, depth++);
  while (level.size() > 1);

  Header header;
  Output table;
  table.put(level.front().address, 8);
  table.put(heap, 8);
  header.message(0x11, 0, std::move(table));
  for (const Attribute& attribute : node.attributes) add_attribute(header, attribute);
  return {header.write(out), level.front().address, heap};
}

void collect(Node& node, std::vector<Attribute*>& all) {
  for (Attribute& attribute : node.attributes) all.push_back(&attribute);
  for (auto& child : node.children) collect(child.second, all);
}

/// The texts of all attributes, in collections that the format allows.
void write_texts(Output& out, Node& root) {
  std::vector<Attribute*> all;
  collect(root, all);
  constexpr std::size_t most = 60'000;
  constexpr std::uint64_t least_size = 4096, head = 16;
  for (std::size_t first = 0; first < all.size(); first += most) {
    const std::size_t last = std::min(first + most, all.size());
    out.align();
    const std::uint64_t address = out.size();
    Output objects;
    for (std::size_t i = first; i < last; ++i) {
      all[i]->heap = address;
      all[i]->number = i - first + 1;
      objects.put(all[i]->number, 8);
      objects.put(all[i]->text.size(), 8);
      objects.put(all[i]->text);
      objects.align();
    }
    const std::uint64_t size = std::max(least_size, head + objects.size() + head);
    out.put("GCOL");
    out.put(1, 4);
    out.put(size, 8);
    out.put(objects.view());
    out.put(0, 8);  // the rest is free
    out.put(size - head - objects.size(), 8);
    out.fill_to(address + size);
  }
}

}  // namespace

struct Hdf5Writer::State {
  Node root = {};

  /// The node at `path`; groups on the way are made when `make` says so.
  Node& at(std::string_view path, bool make) {
    Node* node = &root;
    for (std::size_t begin = 0; begin < path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string name(path.substr(begin, end - begin));
      if (!make && node->children.count(name) == 0)
        throw std::logic_error("HDF5 file: there is no group " + std::string(path));
      node = &node->children[name];
      begin = end + 1;
    }
    return *node;
  }

  Node& add(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const bool is_deep = slash != path.npos;
    Node& folder = at(is_deep ? std::string_view(path).substr(0, slash) : "", false);
    const auto made = folder.children.try_emplace(path.substr(is_deep ? slash + 1 : 0));
    if (!made.second) throw std::logic_error("HDF5 file: written twice: " + path);
    return made.first->second;
  }
};

Hdf5Writer::Hdf5Writer() : state_(std::make_unique<State>()) {}
Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::group(std::string_view path) { state_->at(path, true); }

void Hdf5Writer::attribute(std::string_view path, const std::string& name,
                           const std::string& text) {
  state_->at(path, false).attributes.push_back({name, text});
}

void Hdf5Writer::write(const std::string& path, const Shape& shape, std::span<const float> values) {
  Node& node = state_->add(path);
  node.kind = Stored::float32;
  node.sizes.assign(shape.begin(), shape.end());
  const Bytes numbers = std::as_bytes(values);
  node.numbers.assign(numbers.begin(), numbers.end());
}

void Hdf5Writer::write(const std::string& path, std::int64_t value) {
  Node& node = state_->add(path);
  const bool is_small = value == static_cast<std::int32_t>(value);
  node.kind = is_small ? Stored::int32 : Stored::int64;
  Output number;
  number.put(static_cast<std::uint64_t>(value), is_small ? 4 : 8);
  node.numbers = number.take();
}

std::vector<std::byte> Hdf5Writer::bytes() {
  Output out;
  out.fill_to(superblock_size);
  write_texts(out, state_->root);
  const Written root = write_node(out, state_->root);
  out.align();
  Output front;
  front.put("\x89HDF\r\n\x1a\n");
  front.put(0, 5);
  front.put(0x0808, 3);  // bytes of an address, and of a length
  front.put(symbols_of_table / 2, 2);
  front.put(children_of_node / 2, 2);
  front.put(0, 4);
  front.put(0, 8);
  front.put(nowhere, 8);
  front.put(out.size(), 8);
  front.put(nowhere, 8);
  front.put(0, 8);
  front.put(root.header, 8);
  front.put(1, 8);
  front.put(root.tree, 8);
  front.put(root.heap, 8);
  out.copy_to_front(front);
  return out.take();
}

}  // namespace sonde::formats
