#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sonde/error.hpp>
#include <vector>
#include "formats/json.hpp"

namespace sonde::formats {
namespace {

/// Stands before the words NaN, Infinity and -Infinity while the parser, which knows only strict
/// JSON, sees them as texts. An honest text cannot hold this control character by accident.
constexpr std::string_view mark = "\x01";
constexpr std::string_view escaped_mark = "\\u0001";

/// The text with Python's words for special numbers turned into marked texts.
std::string with_special_numbers_marked(std::string_view text) {
  static constexpr std::string_view words[] = {"NaN", "-Infinity", "Infinity"};
  std::string marked;
  marked.reserve(text.size() + 64);
  bool in_text = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in_text && text[i] == '\\' && i + 1 < text.size()) {
      marked += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (text[i] == '"') in_text = !in_text;
    const auto word = std::find_if(std::begin(words), std::end(words), [&](std::string_view w) {
      return !in_text && text.compare(i, w.size(), w) == 0;
    });
    if (word != std::end(words)) {
      marked += fmt::format("\"{}{}\"", escaped_mark, *word);
      i += word->size();
    } else {
      marked += text[i++];
    }
  }
  return marked;
}

/// Builds the value while nlohmann's parser walks the text; the parser itself does not recurse.
class Builder {
 public:
  Builder(const std::string& where, const JsonLimits& limits) : where_(where), limits_(limits) {}

  Value take() { return std::move(root_); }

  bool null() { return add({}); }
  bool boolean(bool b) { return add(b); }
  bool number_integer(std::int64_t i) { return add(i); }
  bool number_unsigned(std::uint64_t i) {
    if (i > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return add(static_cast<double>(i));
    return add(static_cast<std::int64_t>(i));
  }
  bool number_float(double d, const std::string&) { return add(d); }
  bool string(std::string& s) {
    if (s.starts_with(mark)) {
      const std::string_view word = std::string_view(s).substr(mark.size());
      constexpr double infinity = std::numeric_limits<double>::infinity();
      if (word == "NaN") return add(std::numeric_limits<double>::quiet_NaN());
      if (word == "Infinity") return add(infinity);
      if (word == "-Infinity") return add(-infinity);
    }
    return add(std::move(s));
  }
  bool binary(nlohmann::json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(Value(Value::Dict{})); }
  bool key(std::string& key) {
    Level& level = levels_.back();
    if (!level.keys.insert(key).second)
      throw FormatError(fmt::format("{}: the key \"{}\" stands twice in one table.", where_, key));
    level.key = std::move(key);
    return true;
  }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(Value(Value::List{})); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    // Its text begins with a number in brackets that says nothing to our reader.
    std::string_view text = error.what();
    if (const auto end = text.find("] "); text.starts_with('[') && end != text.npos)
      text.remove_prefix(end + 2);
    throw FormatError(fmt::format("{}: expected JSON, got a {}.", where_, text));
  }

 private:
  /// A table or list that is being filled.
  struct Level {
    Value::Dict dict = {};
    Value::List list = {};
    bool is_dict = false;
    std::string key = {};
    std::set<std::string, std::less<>> keys = {};
  };

  bool open(const Value& empty) {
    if (static_cast<int>(levels_.size()) >= limits_.depth)
      throw LimitError(fmt::format("{}: tables and lists lie deeper in each other than {} levels.",
                                   where_, limits_.depth));
    Level& level = levels_.emplace_back();
    level.is_dict = empty.as<Value::Dict>() != nullptr;
    return true;
  }

  bool close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return level.is_dict ? add(std::move(level.dict)) : add(std::move(level.list));
  }

  bool add(Value value) {
    if (++values_ > limits_.values)
      throw LimitError(fmt::format("{}: more than {} values.", where_, limits_.values));
    if (levels_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Level& level = levels_.back();
    if (level.is_dict) level.dict.emplace_back(std::move(level.key), std::move(value));
    else level.list.push_back(std::move(value));
    return true;
  }

  const std::string& where_;
  const JsonLimits& limits_;
  std::vector<Level> levels_;
  Value root_;
  std::size_t values_ = 0;
};

std::string printed(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  std::string text = fmt::format("{}", d);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string printed(const std::string& s) {
  try {
    return nlohmann::json(s).dump(-1, ' ', true);
  } catch (const nlohmann::json::exception&) {
    std::string shown;
    for (const char c : s) shown += static_cast<unsigned char>(c) < 127 && c >= 32 ? c : '?';
    throw ArgumentError(fmt::format("\"{}\" cannot be written as JSON: it is not UTF-8.", shown));
  }
}

void print(const Value& value, int indent, int level, std::string& out) {
  const auto new_line = [&](int at) {
    if (indent > 0) out += '\n' + std::string(static_cast<std::size_t>(indent * at), ' ');
  };
  const auto separate = [&](bool first) {
    if (!first) out += indent > 0 ? "," : ", ";
    new_line(level + 1);
  };
  if (const auto* list = value.as<Value::List>()) {
    out += '[';
    for (const Value& each : *list) {
      separate(&each == list->data());
      print(each, indent, level + 1, out);
    }
    if (!list->empty()) new_line(level);
    out += ']';
  } else if (const auto* dict = value.as<Value::Dict>()) {
    out += '{';
    for (const auto& entry : *dict) {
      separate(&entry == dict->data());
      out += printed(entry.first) + ": ";
      print(entry.second, indent, level + 1, out);
    }
    if (!dict->empty()) new_line(level);
    out += '}';
  } else if (const auto* text = value.as<std::string>()) {
    out += printed(*text);
  } else if (const auto* number = value.as<double>()) {
    out += printed(*number);
  } else if (const auto* whole = value.as<std::int64_t>()) {
    out += std::to_string(*whole);
  } else if (const auto* truth = value.as<bool>()) {
    out += *truth ? "true" : "false";
  } else {
    out += "null";
  }
}

}  // namespace

Value parse_json(std::string_view text, const std::string& where, JsonLimits limits) {
  if (text.size() > limits.bytes)
    throw LimitError(fmt::format("{}: {} bytes of JSON, more than the limit of {}.", where,
                                 text.size(), limits.bytes));
  Builder builder(where, limits);
  const bool is_special = text.find("NaN") != text.npos || text.find("Infinity") != text.npos;
  if (is_special) {
    nlohmann::json::sax_parse(with_special_numbers_marked(text), &builder);
  } else {
    nlohmann::json::sax_parse(text, &builder);
  }
  return builder.take();
}

std::string print_json(const Value& value, int indent) {
  std::string out;
  print(value, indent, 0, out);
  return out;
}

}  // namespace sonde::formats
