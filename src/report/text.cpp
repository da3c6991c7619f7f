#include "report/text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace sonde::report {
namespace {

constexpr std::string_view unknown = "\xEF\xBF\xBD";  // U+FFFD

/// The length of the UTF-8 character that begins `text`; 0 where none does.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool beyond = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || beyond ? 0 : length;
}

template <class Escape>
std::string escaped(std::string_view text, Escape escape) {
  const std::string valid = clean(text);
  std::string out;
  out.reserve(valid.size());
  for (const char c : valid) escape(out, c);
  return out;
}

}  // namespace

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = (first < 32 && first != '\n' && first != '\t') || first == 127;
    // C1 controls and U+FFFE, U+FFFF, which XML forbids.
    const bool forbidden =
        (length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) ||
        (length == 3 && text.substr(0, 2) == "\xEF\xBF" &&
         static_cast<unsigned char>(text[2]) >= 0xBE);
    if (length == 0 || control || forbidden) out += unknown;
    else out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string html(std::string_view text) {
  return escaped(text, [](std::string& out, char c) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  });
}

std::string json(std::string_view text) {
  std::string out = "\"";
  out += escaped(text, [](std::string& to, char c) {
    if (c == '"' || c == '\\') to += {'\\', c};
    else if (c == '<' || c == '>' || c == '&' || static_cast<unsigned char>(c) < 32)
      to += fmt::format("\\u{:04x}", static_cast<int>(c));
    else to += c;
  });
  // U+2028 and U+2029 end a line in old scripts.
  for (std::size_t at = 0; (at = out.find("\xE2\x80", at)) != std::string::npos; at += 2)
    if (out[at + 2] == '\xA8' || out[at + 2] == '\xA9')
      out.replace(at, 3, out[at + 2] == '\xA8' ? "\\u2028" : "\\u2029");
  return out + '"';
}

std::string json(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::string csv(std::string_view text) {
  std::string valid = clean(text);
  if (valid.find_first_of(",\"\n") == std::string::npos) return valid;
  std::string out = "\"";
  for (const char c : valid) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string csv(double value) { return fmt::format("{}", value); }

std::string rounded(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "–";
}

std::string counted(Index value) {
  std::string digits = fmt::format("{}", std::abs(value));
  for (auto at = static_cast<Index>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), "\u2009");
  return value < 0 ? "−" + digits : digits;
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "–";
  if (seconds < 60) return fmt::format("{:.3g} s", seconds);
  const auto whole = std::llround(std::min(seconds, 1e15));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data();
  for (std::size_t i = 0; i < bytes.size(); i += 3, to += 4) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (k < here ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k <= here; ++k) to[k] = letters[three >> (18 - 6 * k) & 63];
  }
  return out;
}

}  // namespace sonde::report
