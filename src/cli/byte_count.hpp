#pragma once
#include <sonde/fields.hpp>

namespace sonde::cli {

/// A size in memory as people write it: 2147483648, "512M" or "2G".
struct ByteCount {
  Index bytes = 0;
  bool operator==(const ByteCount&) const = default;
};

/// The shortest of its forms.
Value to_value(const ByteCount& count);
/// Takes K, M and G for powers of 1024. Throws ArgumentError for any other word.
void from_value(const Value& value, const Where& where, ByteCount& out);

}  // namespace sonde::cli
