#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <functional>
#include <optional>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>
#include "formats/npy.hpp"
#include "formats/numbers.hpp"

namespace sonde {
namespace formats {
namespace {

static_assert(std::endian::native == std::endian::little, "NPY files are written as they lie");

constexpr std::string_view magic = "\x93NUMPY";
/// NumPy writes headers of 64 to some hundred bytes; only structured types make longer ones.
constexpr std::size_t longest_header = 1 << 16;

/// Where the bytes of a file come from: each call fills the span with those that follow.
using Pull = std::function<void(std::span<std::byte>)>;

/// NumPy's booleans are 0 or 1; any other byte is true, as there.
NumberForm form_of(const NpyHeader& header) {
  using Kind = NumberForm::Kind;
  const Kind kind = header.kind == 'b'   ? Kind::boolean
                    : header.kind == 'f' ? Kind::floating
                    : header.kind == 'i' ? Kind::whole
                                         : Kind::natural;
  return {kind, header.width, header.is_big_endian};
}

/// The numbers that `shape` holds times their width, or nothing above the largest number: headers
/// of strangers multiply to anything.
std::optional<std::uint64_t> bytes_of_shape(const Shape& shape, int width) {
  std::uint64_t product = static_cast<std::uint64_t>(width);
  bool is_empty = false;
  for (const Index size : shape) {
    if (size == 0) is_empty = true;
    // Sizes beside a zero must multiply without overflow too: Shape::elements() does so.
    else if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(size), &product) ||
             product >> 62)
      return std::nullopt;
  }
  return is_empty ? 0 : product;
}

NpyHeader read_header(const Pull& pull, std::uint64_t& left, const std::string& where) {
  const auto take = [&](std::span<std::byte> into, std::string_view what) {
    if (left < into.size())
      throw DataError(fmt::format("{}: the file ends within its {}; it was cut off.", where, what));
    pull(into);
    left -= into.size();
  };
  std::byte start[8];
  if (left < sizeof start)
    throw DataError(fmt::format("{}: expected a NumPy array (.npy), got {} bytes.", where, left));
  take(start, "header");
  if (text_of(Bytes(start).first(6)) != magic) {
    // Protocol 2 and later pickles start so; numpy.save never writes one.
    const char* what = start[0] == std::byte{0x80} ? "a Python pickle, which is never loaded"
                       : text_of(Bytes(start).first(2)) == "PK" ? "a zip archive; name it .npz"
                                                                : "something else";
    throw DataError(
        fmt::format("{}: expected a NumPy array (.npy), got {}. Save with numpy.save(path, "
                    "x.astype('float32')).",
                    where, what));
  }
  const auto version = std::to_integer<unsigned>(start[6]);
  if (version < 1 || version > 3 || start[7] != std::byte{0})
    throw DataError(fmt::format("{}: expected NPY version 1, 2 or 3, got {}.{}.", where, version,
                                std::to_integer<unsigned>(start[7])));
  std::byte digits[4] = {};
  take(std::span(digits).first(version == 1 ? 2 : 4), "header");
  std::size_t length = 0;
  for (std::size_t i = 4; i-- > 0;) length = length << 8 | std::to_integer<std::size_t>(digits[i]);
  if (length > longest_header)
    throw DataError(fmt::format("{}: the NPY header claims {} bytes, more than the {} allowed.",
                                where, length, longest_header));
  std::vector<std::byte> text(length);
  take(text, "header");
  return read_npy_literal(text_of(text), where);
}

/// Throws unless the array takes exactly the `left` bytes that follow its header.
std::uint64_t check_length(const NpyHeader& header, std::uint64_t left, const std::string& where) {
  const auto needed = bytes_of_shape(header.shape, header.width);
  if (!needed || *needed > left)
    throw DataError(
        fmt::format("{}: shape {} of {}-byte numbers needs {} bytes, {} are there. The file was "
                    "cut off or its header is wrong.",
                    where, to_string(header.shape), header.width,
                    needed ? fmt::to_string(*needed) : "too many", left));
  if (*needed < left)
    throw DataError(
        fmt::format("{}: {} bytes follow the array of shape {}. Save one array per file.", where,
                    left - *needed, to_string(header.shape)));
  return *needed;
}

/// `left` bytes can be pulled; all of them must belong to the array.
Array read_array(const Pull& pull, std::uint64_t left, const std::string& where) {
  const NpyHeader header = read_header(pull, left, where);
  const std::uint64_t needed = check_length(header, left, where);
  // Converted in pieces, so that the file's bytes never lie in memory whole.
  constexpr std::size_t piece = std::size_t{1} << 20;
  Array array(header.shape);
  if (header.kind == 'f' && header.width == 4 && !header.is_big_endian) {
    pull(std::as_writable_bytes(array.values()));
  } else {
    std::vector<std::byte> bytes(std::min<std::size_t>(piece, needed));
    float* out = array.data();
    for (std::uint64_t rest = needed; rest > 0;) {
      const std::span<std::byte> now(bytes.data(), std::min<std::size_t>(piece, rest));
      pull(now);
      widen(now, form_of(header), out);
      out += now.size() / static_cast<std::size_t>(header.width);
      rest -= now.size();
    }
  }
  if (header.is_fortran_order && header.shape.rank() > 1)
    return from_fortran_order(array.values(), header.shape);
  return array;
}

}  // namespace

Array read_npy(Bytes bytes, const std::string& where) {
  const auto pull = [rest = bytes](std::span<std::byte> into) mutable {
    if (!into.empty()) std::memcpy(into.data(), rest.data(), into.size());
    rest = rest.subspan(into.size());
  };
  return read_array(pull, bytes.size(), where);
}

std::string npy_header(const Shape& shape) {
  std::string sizes = to_string(shape);
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}", sizes);
  // The numbers start at a multiple of 64 bytes: 10 come before this text.
  const std::size_t length = (10 + text.size() + 1 + 63) / 64 * 64 - 10;
  text.resize(length - 1, ' ');
  text += '\n';
  std::string header(magic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, length & 255, length >> 8})
    header += static_cast<char>(byte);
  return header + text;
}

}  // namespace formats

Array load_npy(const std::filesystem::path& path) {
  FileReader file(path);
  return formats::read_array([&](std::span<std::byte> into) { file.read(into); }, file.size(),
                             fmt::format("\"{}\"", path.string()));
}

MappedArray map_npy(const std::filesystem::path& path) {
  FileReader file(path);
  const std::string where = fmt::format("\"{}\"", path.string());
  std::uint64_t left = file.size();
  const formats::NpyHeader header =
      formats::read_header([&](std::span<std::byte> into) { file.read(into); }, left, where);
  formats::check_length(header, left, where);
  if (header.kind != 'f' || header.width != 4 || header.is_big_endian || header.is_fortran_order)
    throw DataError(fmt::format(
        "{}: only float32 in C order ('<f4') can be mapped, this holds {}-byte numbers of kind "
        "'{}'{}. Write it with numpy.save(…, numpy.ascontiguousarray(x, \"<f4\")).",
        where, header.width, header.kind, header.is_fortran_order ? " in Fortran order" : ""));
  return {path, file.size() - left, header.shape};
}

void save_npy(const std::filesystem::path& path, const Array& array) {
  const std::string header = formats::npy_header(array.shape());
  write_file_atomically(path, {bytes_of(header), std::as_bytes(array.values())});
}

}  // namespace sonde
