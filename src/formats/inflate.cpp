#include "formats/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace sonde::formats {

Inflated inflate(Bytes packed, std::size_t length) {
  Inflated result{std::vector<std::byte>(length)};
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {{}, "there is no memory to unpack it"};
  // zlib counts in 32 bits: both sides are handed over piece by piece.
  constexpr std::size_t most = std::numeric_limits<uInt>::max();
  std::size_t given = 0, taken = 0;
  Bytef nowhere = 0;  // zlib wants a place even for no bytes
  stream.next_out = &nowhere;
  int state = Z_OK;
  while (state == Z_OK) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min(packed.size() - given, most));
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + given));
      given += stream.avail_in;
    }
    if (stream.avail_out == 0 && taken < length) {
      stream.avail_out = static_cast<uInt>(std::min(length - taken, most));
      stream.next_out = reinterpret_cast<Bytef*>(result.bytes.data() + taken);
      taken += stream.avail_out;
    }
    state = ::inflate(&stream, Z_NO_FLUSH);
  }
  const bool whole = state == Z_STREAM_END && taken == length && stream.avail_out == 0;
  const bool rest = given < packed.size() || stream.avail_in > 0;
  inflateEnd(&stream);
  if (whole && !rest) return result;
  if (state == Z_STREAM_END)
    return {{}, rest ? "there are bytes behind its end" : "it holds less than it should"};
  return {{},
          state == Z_BUF_ERROR ? "it ends early, or holds more than it should"
                               : "its bytes are no deflated data"};
}

std::vector<std::byte> inflate_front(Bytes packed, std::size_t most) {
  std::vector<std::byte> bytes(most);
  z_stream stream{};
  if (most == 0 || inflateInit(&stream) != Z_OK) return {};
  stream.avail_in =
      static_cast<uInt>(std::min<std::size_t>(packed.size(), std::numeric_limits<uInt>::max()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.avail_out =
      static_cast<uInt>(std::min<std::size_t>(most, std::numeric_limits<uInt>::max()));
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  while (stream.avail_out > 0 && ::inflate(&stream, Z_SYNC_FLUSH) == Z_OK) {
  }
  bytes.resize(stream.total_out);
  inflateEnd(&stream);
  return bytes;
}

}  // namespace sonde::formats
