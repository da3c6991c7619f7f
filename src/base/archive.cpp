#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <sonde/archive.hpp>
#include <sonde/error.hpp>

static_assert(std::endian::native == std::endian::little);

namespace sonde {
namespace {

[[noreturn]] void refuse_end(std::uint64_t wanted, std::size_t left) {
  throw FormatError(fmt::format(
      "the saved state ends early: {} bytes were expected, {} are left. It was cut short, or "
      "written by another version.",
      wanted, left));
}

}  // namespace

void Archive::raw(std::span<std::byte> bytes) {
  if (!reads_) {
    written_.insert(written_.end(), bytes.begin(), bytes.end());
    return;
  }
  if (bytes.size() > rest_.size()) refuse_end(bytes.size(), rest_.size());
  if (!bytes.empty()) std::memcpy(bytes.data(), rest_.data(), bytes.size());
  rest_ = rest_.subspan(bytes.size());
}

std::uint64_t Archive::length(std::size_t count, std::size_t least) {
  std::uint64_t number = count;
  item(number);
  if (reads_ && number > rest_.size() / least) refuse_end(number, rest_.size());
  return number;
}

void Archive::item(std::string& text) {
  const std::uint64_t count = length(text.size(), 1);
  if (reads_) text.assign(count, '\0');
  raw(std::as_writable_bytes(std::span(text)));
}

void Archive::item(Array& array) {
  std::vector<Index> sizes(array.shape().begin(), array.shape().end());
  if (sizes.empty() && array.empty()) sizes = {0};  // an Array that was never given a shape
  item(sizes);
  if (reads_) {
    std::uint64_t count = 1;
    const std::uint64_t most = rest_.size() / sizeof(float);
    for (const Index size : sizes) {
      if (size < 0 || (size > 0 && count > most / static_cast<std::uint64_t>(size)))
        refuse_end(count, rest_.size());
      count *= static_cast<std::uint64_t>(size);
    }
    array = Array(Shape(sizes));
  }
  raw(std::as_writable_bytes(array.values()));
}

void Archive::numbers(std::span<float> values) {
  std::uint64_t size = values.size();
  item(size);
  if (size != values.size())
    throw FormatError(fmt::format("the saved state holds {} numbers where there are {} now.", size,
                                  values.size()));
  raw(std::as_writable_bytes(values));
}

}  // namespace sonde
