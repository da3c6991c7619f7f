#include <fmt/format.h>

#include <algorithm>
#include "formats/hdf5_bytes.hpp"
#include "formats/inflate.hpp"

// Datasets that are cut into chunks.
namespace sonde::formats::hdf5 {
namespace {

struct Tree {
  Bytes file;
  std::size_t rank;
  std::size_t most;
  const Place& place;
  std::vector<Chunk> chunks = {};
  std::size_t nodes = 0;

  /// Levels fall by one from a node to its children, so no circle can be walked.
  void add(std::uint64_t address, std::uint64_t below) {
    if (++nodes > 2 * most + 64) place.damaged("a tree of chunks has too many nodes");
    Cursor at(rest(file, address, place), place);
    if (!at.takes("TREE") || at.number(1) != 1) place.damaged("a tree of chunks is none");
    const std::uint64_t level = at.number(1);
    if (level >= below) place.damaged("a tree of chunks has levels in disorder");
    const std::uint64_t count = at.number(2);
    at.skip(16);
    for (std::uint64_t i = 0; i < count; ++i) {
      Chunk chunk;
      chunk.length = at.number(4);
      chunk.skipped = at.number(4);
      for (std::size_t axis = 0; axis < rank; ++axis) chunk.offset.push_back(at.number(8));
      at.skip(8);
      chunk.address = at.number(8);
      if (level > 0) {
        add(chunk.address, level);
      } else {
        if (chunks.size() == most) place.refuse("has more chunks than its sizes allow.");
        chunks.push_back(std::move(chunk));
      }
    }
  }
};

std::uint32_t fletcher32(Bytes bytes) {
  std::uint32_t first = 0, second = 0;
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(bytes[i]); };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    first = (first + (at(i) << 8) + (i + 1 < bytes.size() ? at(i + 1) : 0)) % 65535;
    second = (second + first) % 65535;
  }
  return second << 16 | first;
}

/// The library adds without carrying until the end, so that it says 65535 where we say 0.
bool same_sum(std::uint32_t a, std::uint32_t b) {
  return (a & 0xFFFF) % 65535 == (b & 0xFFFF) % 65535 && (a >> 16) % 65535 == (b >> 16) % 65535;
}

std::vector<std::byte> unshuffled(const std::vector<std::byte>& bytes, std::uint64_t width) {
  const std::size_t w = static_cast<std::size_t>(width), count = bytes.size() / w;
  std::vector<std::byte> plain(bytes.size());
  for (std::size_t b = 0; b < w; ++b)
    for (std::size_t i = 0; i < count; ++i) plain[i * w + b] = bytes[b * count + i];
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(count * w), bytes.end(),
            plain.begin() + static_cast<std::ptrdiff_t>(count * w));
  return plain;
}

}  // namespace

std::vector<Chunk> read_chunks(Bytes file, const Layout& layout, std::size_t most,
                               const Place& place) {
  if (layout.address == nowhere) return {};
  if (layout.is_single) return {{layout.address, layout.length, 0, Sizes(layout.chunk.size(), 0)}};
  Tree tree{file, layout.chunk.size(), most, place};
  constexpr std::uint64_t any_level = 256;
  tree.add(layout.address, any_level);
  return std::move(tree.chunks);
}

std::vector<std::byte> unpack_chunk(Bytes file, const Chunk& chunk,
                                    const std::vector<Filter>& filters, std::uint64_t length,
                                    std::uint64_t width, const Place& place) {
  const Bytes stored = piece(file, chunk.address, chunk.length, place);
  std::vector<std::byte> bytes(stored.begin(), stored.end());
  constexpr std::size_t checksum = 4;
  for (std::size_t f = filters.size(); f-- > 0;) {
    if (f < 32 && (chunk.skipped >> f & 1)) continue;
    switch (filters[f].id) {
      case Filter::fletcher32: {
        if (bytes.size() < checksum) place.damaged("a chunk ends too early");
        Cursor tail(Bytes(bytes).last(checksum), place);
        bytes.resize(bytes.size() - checksum);
        if (!same_sum(fletcher32(bytes), static_cast<std::uint32_t>(tail.number(checksum))))
          place.refuse("cannot be read: its numbers are damaged, a checksum differs.");
        break;
      }
      case Filter::shuffle:
        bytes = unshuffled(bytes, width);
        break;
      default: {
        // A checksum that was added before packing is unpacked as well.
        std::size_t expected = static_cast<std::size_t>(length);
        for (std::size_t before = 0; before < f; ++before)
          if (filters[before].id == Filter::fletcher32 && !(chunk.skipped >> before & 1))
            expected += checksum;
        Inflated inflated = inflate(bytes, expected);
        if (!inflated.fault.empty())
          place.refuse(
              fmt::format("cannot be read: a packed chunk is damaged, {}.", inflated.fault));
        bytes = std::move(inflated.bytes);
      }
    }
  }
  if (bytes.size() != length) place.refuse("cannot be read: a chunk has another length.");
  return bytes;
}

}  // namespace sonde::formats::hdf5
