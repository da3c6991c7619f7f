#include "formats/recordings/pattern.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// A pattern in the first line, a path in the second.
void fuzz_one(Bytes bytes) {
  const std::string_view text = text_of(bytes);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const formats::Pattern pattern(text.substr(0, end), "fuzz");
  if (const auto captures = pattern.match(text.substr(std::min(end + 1, text.size()))))
    formats::filled(text.substr(0, end), *captures, "fuzz");
}

}  // namespace sonde::fuzz
