#include "cli/byte_count.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "cli/options.hpp"

namespace sonde::cli {
namespace {

struct Unit {
  char letter;
  Index bytes;
};
constexpr std::array<Unit, 3> units = {
    {{'G', Index{1} << 30}, {'M', Index{1} << 20}, {'K', Index{1} << 10}}};

}  // namespace

Value to_value(const ByteCount& count) {
  for (const Unit& unit : units)
    if (count.bytes > 0 && count.bytes % unit.bytes == 0)
      return Value(fmt::format("{}{}", count.bytes / unit.bytes, unit.letter));
  return Value(count.bytes);
}

void from_value(const Value& value, const Where& where, ByteCount& out) {
  std::string word = shown(value);
  Index factor = 1;
  for (const Unit& unit : units)
    if (!word.empty() && word.back() == unit.letter) factor = unit.bytes;
  if (factor > 1) word.pop_back();
  const Value number = whole_number(word);
  const auto* count = number.as<std::int64_t>();
  if (!count || *count < 0 || *count > std::numeric_limits<Index>::max() / factor)
    throw ArgumentError(fmt::format(
        "{} must be a whole number of bytes, or of K, M or G, which are powers of 1024, "
        "got {}. Write it like 512M or 2G; 0 is no limit.",
        where, shown(value)));
  out.bytes = *count * factor;
}

}  // namespace sonde::cli
