#pragma once
#include <cstddef>
#include <sonde/value.hpp>
#include <string>
#include <string_view>

/// JSON texts from strangers to values and back.
namespace sonde::formats {

/// What a JSON text may make this process do.
struct JsonLimits {
  std::size_t bytes = std::size_t{64} << 20;
  int depth = 64;                  ///< tables and lists inside each other
  std::size_t values = 4'000'000;  ///< of all kinds; each takes some 50 bytes of memory
};

/// The value of a JSON text. Python's NaN, Infinity and -Infinity are read as numbers, whole
/// numbers beyond 64 bits as the nearest float. FormatError, beginning with `where`, for anything
/// else: also for a key that stands twice in one table. LimitError above a limit.
///   Value config = parse_json(text, "model.keras: config.json");
Value parse_json(std::string_view text, const std::string& where = "JSON", JsonLimits limits = {});

/// Every float is written with the fewest digits that read back as the same double, always with a
/// point or exponent so that it stays a float. Keys keep their order. Letters beyond ASCII are
/// escaped, as Python does. A text that is not UTF-8 is refused with ArgumentError.
/// With `indent` above 0, one entry a line.
std::string print_json(const Value& value, int indent = 0);

}  // namespace sonde::formats
