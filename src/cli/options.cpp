#include "cli/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sonde::cli {
namespace {

template <class T>
bool read_all(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string option_name(std::string_view field) {
  std::string name = "--" + std::string(field);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

Value whole_number(std::string_view text) {
  std::int64_t number = 0;
  return read_all(text, number) ? Value(number) : Value(text);
}

Value real_number(std::string_view text) {
  double number = 0;
  return read_all(text, number) && std::isfinite(number) ? Value(number) : Value(text);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string shown(const Value& value) {
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* list = value.as<Value::List>()) {
    std::vector<std::string> parts;
    for (const Value& each : *list) parts.push_back(each.is_null() ? "None" : shown(each));
    return fmt::format("{}", fmt::join(parts, ","));
  }
  if (const auto* number = value.as<double>()) return fmt::format("{}", *number);
  return value.is_null() ? "" : to_string(value);
}

}  // namespace sonde::cli
