#include "formats/inflate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sonde::formats {
namespace {

constexpr int longest_code = 15;

/// A canonical Huffman code: how many codes there are of each length, and their symbols in order.
struct Code {
  std::array<int, longest_code + 1> counts = {};
  std::array<std::uint16_t, 288> symbols = {};

  /// False when the lengths claim more codes than exist.
  bool build(const std::uint8_t* lengths, int count) {
    counts.fill(0);
    for (int i = 0; i < count; ++i) ++counts[lengths[i]];
    int left = 1;
    for (int length = 1; length <= longest_code; ++length) {
      left = 2 * left - counts[static_cast<std::size_t>(length)];
      if (left < 0) return false;
    }
    std::array<int, longest_code + 2> first = {};
    for (std::size_t length = 1; length <= longest_code; ++length)
      first[length + 1] = first[length] + counts[length];
    for (int i = 0; i < count; ++i)
      if (lengths[i] != 0)
        symbols[static_cast<std::size_t>(first[lengths[i]]++)] = static_cast<std::uint16_t>(i);
    counts[0] = 0;
    return true;
  }
};

class Inflater {
 public:
  Inflater(Bytes packed, std::size_t length) : packed_(packed) { out_.reserve(length_ = length); }

  Inflated run() {
    if (packed_.size() < 6) return fail("it is too short");
    const unsigned head = byte(0) * 256 + byte(1);
    if ((byte(0) & 15) != 8 || head % 31 != 0 || (byte(1) & 32) != 0)
      return fail("its head is not that of deflate");
    at_ = 2;
    bool is_last = false;
    while (!is_last) {
      is_last = bits(1) == 1;
      const unsigned kind = bits(2);
      if (kind == 0) stored();
      else if (kind == 1) fixed();
      else if (kind == 2) dynamic();
      else fault_ = "a block of an unknown kind";
      if (!fault_.empty()) return fail(fault_);
    }
    if (out_.size() != length_) return fail("it unpacks to fewer bytes than declared");
    if (packed_.size() - at_ < 4 ||
        sum() != (byte(at_) << 24 | byte(at_ + 1) << 16 | byte(at_ + 2) << 8 | byte(at_ + 3)))
      return fail("its checksum differs");
    return {std::move(out_)};
  }

 private:
  static Inflated fail(std::string_view why) { return {{}, why}; }
  std::uint32_t byte(std::size_t i) const { return static_cast<std::uint32_t>(packed_[i]); }

  unsigned bits(int count) {
    while (held_ < count) {
      if (at_ == packed_.size()) {
        fault_ = "it ends too early";
        return 0;
      }
      buffer_ |= byte(at_++) << held_;
      held_ += 8;
    }
    const unsigned value = buffer_ & ((1u << count) - 1);
    buffer_ >>= count;
    held_ -= count;
    return value;
  }

  int symbol(const Code& code) {
    int value = 0, first = 0, index = 0;
    for (std::size_t length = 1; length <= longest_code; ++length) {
      value |= static_cast<int>(bits(1));
      if (!fault_.empty()) return -1;
      const int count = code.counts[length];
      if (value - count < first)
        return code.symbols[static_cast<std::size_t>(index + value - first)];
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    fault_ = "a code that stands for nothing";
    return -1;
  }

  void put(std::byte b) {
    if (out_.size() == length_) fault_ = "it unpacks to more bytes than declared";
    else out_.push_back(b);
  }

  void stored() {
    buffer_ = 0;
    held_ = 0;
    if (packed_.size() - at_ < 4) return void(fault_ = "it ends too early");
    const std::size_t count = byte(at_) | byte(at_ + 1) << 8;
    if ((count ^ 0xFFFF) != (byte(at_ + 2) | byte(at_ + 3) << 8))
      return void(fault_ = "a stored block's length differs from its check");
    at_ += 4;
    if (packed_.size() - at_ < count) return void(fault_ = "it ends too early");
    for (std::size_t i = 0; i < count && fault_.empty(); ++i) put(packed_[at_ + i]);
    at_ += count;
  }

  void fixed() {
    std::array<std::uint8_t, 288> lengths;
    for (std::size_t i = 0; i < lengths.size(); ++i)
      lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    std::array<std::uint8_t, 30> distances;
    distances.fill(5);
    Code literals, far;
    literals.build(lengths.data(), static_cast<int>(lengths.size()));
    far.build(distances.data(), static_cast<int>(distances.size()));
    codes(literals, far);
  }

  void dynamic() {
    static constexpr std::array<std::uint8_t, 19> order = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                           11, 4,  12, 3, 13, 2, 14, 1, 15};
    const int literal_count = static_cast<int>(bits(5)) + 257;
    const int far_count = static_cast<int>(bits(5)) + 1;
    const unsigned order_count = bits(4) + 4;
    std::array<std::uint8_t, 320> lengths = {};
    for (unsigned i = 0; i < order_count; ++i)
      lengths[order[i]] = static_cast<std::uint8_t>(bits(3));
    Code inner, literals, far;
    if (literal_count > 286 || far_count > 30 || !inner.build(lengths.data(), 19))
      return void(fault_ = "a table of codes that cannot be");
    std::array<std::uint8_t, 320> all = {};
    int done = 0;
    while (done < literal_count + far_count && fault_.empty()) {
      const int found = symbol(inner);
      if (found < 0) return;
      int repeat = 1;
      std::uint8_t length = static_cast<std::uint8_t>(found);
      if (found >= 16) {
        if (found == 16 && done == 0) return void(fault_ = "a table of codes that cannot be");
        length = found == 16 ? all[static_cast<std::size_t>(done - 1)] : std::uint8_t{0};
        repeat = static_cast<int>(found == 16   ? 3 + bits(2)
                                  : found == 17 ? 3 + bits(3)
                                                : 11 + bits(7));
      }
      if (done + repeat > literal_count + far_count)
        return void(fault_ = "a table of codes that cannot be");
      while (repeat-- > 0) all[static_cast<std::size_t>(done++)] = length;
    }
    if (!fault_.empty()) return;
    if (all[256] == 0 || !literals.build(all.data(), literal_count) ||
        !far.build(all.data() + literal_count, far_count))
      return void(fault_ = "a table of codes that cannot be");
    codes(literals, far);
  }

  void codes(const Code& literals, const Code& far) {
    static constexpr std::array<std::uint16_t, 29> lengths = {
        3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static constexpr std::array<std::uint8_t, 29> length_bits = {
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static constexpr std::array<std::uint16_t, 30> distances = {
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    while (fault_.empty()) {
      const int found = symbol(literals);
      if (found < 0 || found == 256) return;
      if (found < 256) {
        put(static_cast<std::byte>(found));
        continue;
      }
      const auto l = static_cast<std::size_t>(found - 257);
      if (l >= lengths.size()) return void(fault_ = "a code that stands for nothing");
      std::size_t count = lengths[l] + bits(length_bits[l]);
      const int d = symbol(far);
      if (d < 0) return;
      if (d >= 30) return void(fault_ = "a code that stands for nothing");
      const std::size_t back = distances[static_cast<std::size_t>(d)] + bits(d < 2 ? 0 : d / 2 - 1);
      if (back > out_.size()) return void(fault_ = "it refers to bytes before its beginning");
      while (count-- > 0 && fault_.empty()) put(out_[out_.size() - back]);
    }
  }

  /// Adler-32.
  std::uint32_t sum() const {
    std::uint32_t a = 1, b = 0;
    for (const std::byte each : out_) {
      a = (a + static_cast<std::uint32_t>(each)) % 65521;
      b = (b + a) % 65521;
    }
    return b << 16 | a;
  }

  Bytes packed_;
  std::size_t length_ = 0;
  std::size_t at_ = 0;
  std::uint32_t buffer_ = 0;
  int held_ = 0;
  std::vector<std::byte> out_;
  std::string_view fault_ = {};
};

}  // namespace

Inflated inflate(Bytes packed, std::size_t length) { return Inflater(packed, length).run(); }

}  // namespace sonde::formats
