#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "cli/options.hpp"

namespace sonde::cli {
namespace {

Value to_value(const toml::node& node, const std::string& where) {
  if (const auto* table = node.as_table()) {
    Value::Dict dict;
    for (const auto& [key, each] : *table)
      dict.emplace_back(std::string(key.str()), to_value(each, where));
    return dict;
  }
  if (const auto* array = node.as_array()) {
    Value::List list;
    for (const auto& each : *array) list.push_back(to_value(each, where));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_integer()) return std::int64_t{number->get()};
  if (const auto* number = node.as_floating_point()) return number->get();
  throw ArgumentError(fmt::format("{}, line {}: dates and times are not used here.", where,
                                  node.source().begin.line));
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      result += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    else result += c;
  }
  return result + "\"";
}

/// A key as it is where TOML takes it so, else as text.
std::string key_of(const std::string& name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? name : quoted(name);
}

std::string to_toml(const Value& value) {
  if (const auto* text = value.as<std::string>()) return quoted(*text);
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* number = value.as<std::int64_t>()) return fmt::format("{}", *number);
  if (const auto* number = value.as<double>()) {
    // A float must look like one, or it is read back as a whole number.
    std::string text = fmt::format("{}", *number);
    return text.find_first_of(".eni") == std::string::npos ? text + ".0" : text;
  }
  if (const auto* table = value.as<Value::Dict>()) {
    std::string text = "{";
    for (const auto& [key, each] : *table)
      if (!each.is_null())
        text += fmt::format("{} {} = {}", text.size() > 1 ? "," : "", quoted(key), to_toml(each));
    return text + " }";
  }
  std::string text = "[";
  if (const auto* list = value.as<Value::List>())
    for (const Value& each : *list) text += (text.size() > 1 ? ", " : "") + to_toml(each);
  return text + "]";
}

/// Entries of `from` replace those of `into`; tables are put together key by key. Throws
/// ArgumentError where a list would become a table.
void merge(const Value::Dict& from, Value::Dict& into) {
  for (const auto& [key, value] : from) {
    const auto same = [name = std::string_view(key)](const auto& entry) {
      return entry.first == name;
    };
    const auto found = std::find_if(into.begin(), into.end(), same);
    if (found == into.end()) {
      into.emplace_back(key, value);
      continue;
    }
    const auto *table = value.as<Value::Dict>(), *old = found->second.as<Value::Dict>();
    if (table && old) {
      Value::Dict both = *old;
      merge(*table, both);
      found->second = std::move(both);
    } else if (table && found->second.as<Value::List>()) {
      throw ArgumentError(fmt::format(
          "--set: {} is a list; give it whole, as in {}=[…], or change it in the file.", key, key));
    } else {
      found->second = value;
    }
  }
}

/// The key and the value of a setting, as the only entry of a table.
Value::Dict read_setting(const std::string& setting) {
  constexpr std::ptrdiff_t deepest = 8;
  const auto parsed = [&](const std::string& text) -> std::optional<Value::Dict> {
    try {
      return *to_value(toml::parse(text), "--set").as<Value::Dict>();
    } catch (const toml::parse_error&) {
    } catch (const ArgumentError&) {  // a date
    }
    return std::nullopt;
  };
  const std::size_t sign = setting.find('=');
  const std::string key = setting.substr(0, sign);
  if (sign != std::string::npos && setting.find('\n') == std::string::npos &&
      key.find_first_of("[#") == std::string::npos &&
      std::count(key.begin(), key.end(), '.') < deepest) {
    std::optional<Value::Dict> found = parsed(setting);
    if (!found) found = parsed(key + "=" + quoted(setting.substr(sign + 1)));
    if (found && found->size() == 1) return *std::move(found);
  }
  throw ArgumentError(
      fmt::format("--set must be KEY=VALUE, as in --set split.folds=5, got \"{}\".", setting));
}

}  // namespace

void apply_setting(const std::string& setting, Value::Dict& config) {
  merge(read_setting(setting), config);
}

std::string first_key(const std::string& setting) { return read_setting(setting).front().first; }

Value::Dict read_toml(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw IoError(fmt::format("\"{}\" cannot be opened: {}.", path, std::strerror(errno)));
  try {
    return *to_value(toml::parse(file, path), path).as<Value::Dict>();
  } catch (const toml::parse_error& error) {
    throw ArgumentError(
        fmt::format("{}, line {}: {}.", path, error.source().begin.line, error.description()));
  }
}

std::string write_toml(const Value::Dict& config, std::span<const OptionText> texts) {
  std::string result, group;
  for (const auto& [key, value] : config)
    for (const OptionText& text : texts) {
      if (text.field != key || value.as<Value::Dict>()) continue;
      if (text.group != group) {
        group = text.group;
        result += fmt::format("{}# {}\n\n", result.empty() ? "" : "\n", group);
      }
      result += fmt::format("# {}\n", text.text);
      result += value.is_null() ? fmt::format("# {} =\n", key)
                                : fmt::format("{} = {}\n", key, to_toml(value));
    }
  // Tables come last: what stands below a table's name belongs to it.
  for (const auto& [key, value] : config)
    if (const auto* table = value.as<Value::Dict>()) {
      result += fmt::format("\n[{}]\n", key);
      for (const auto& [name, each] : *table)
        result += each.is_null() ? fmt::format("# {} =\n", key_of(name))
                                 : fmt::format("{} = {}\n", key_of(name), to_toml(each));
    }
  return result;
}

}  // namespace sonde::cli
