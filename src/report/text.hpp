#pragma once
#include <sonde/shape.hpp>
#include <span>
#include <string>
#include <string_view>

/// Text of strangers and numbers, as they may stand in a page.
namespace sonde::report {

/// `text` as valid UTF-8 without control characters; what is wrong becomes U+FFFD.
std::string clean(std::string_view text);
/// For HTML and SVG, between tags and inside quoted attributes.
std::string html(std::string_view text);
/// A JSON string that may also stand inside <script>: no '<', '>', '&', U+2028 or U+2029.
std::string json(std::string_view text);
/// The fewest digits that read back as the same double; null for NaN and infinity.
std::string json(double value);
/// A cell of a CSV file, quoted where it must be.
std::string csv(std::string_view text);
/// The fewest digits that read back as the same double; "nan", "inf", "-inf".
std::string csv(double value);

/// "0.913", or a dash for NaN.
std::string rounded(double value, int digits = 3);
/// "12 345 678", with thin blanks.
std::string counted(Index value);
/// "2 h 05 min", "3.2 s".
std::string duration(double seconds);
/// Of base64, without line ends.
std::string base64(std::span<const std::byte> bytes);

}  // namespace sonde::report
