#pragma once
#include <string>
#include <string_view>

namespace sonde::formats {

/// Text that came in a file, as it may stand in a message: one short line of plain ASCII, so that
/// no file can move the cursor of a terminal or fill its screen.
inline std::string printable(std::string_view text, std::size_t most = 80) {
  std::string shown;
  for (const char c : text.substr(0, most)) shown += c < 32 || c > 126 ? '?' : c;
  return text.size() > most ? shown + "..." : shown;
}

}  // namespace sonde::formats
