#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <sonde/fields.hpp>
#include <sonde/words.hpp>
#include <utility>

namespace sonde {
namespace {

/// Insertions, deletions, replacements, and two neighbours the wrong way round.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last, row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

std::string folded(std::string_view word) {
  std::string text;
  for (const char c : word)
    if (c != '_' && c != '-')
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string_view>& names) {
  std::string best;
  // A slip in every third letter; beyond, two words have little in common. Words of one letter are
  // near when they differ in case.
  std::size_t best_edits = (word.size() + 1) / 3;
  for (const std::string_view name : names) {
    // A word cut short, as val_acc for val_accuracy, is as near as one slip.
    const bool begun = word.size() >= 3 && folded(name).starts_with(folded(word));
    std::size_t n = edits(folded(word), folded(name));
    if (begun) n = std::min<std::size_t>(n, 1);
    if (n <= best_edits) {
      if (n == best_edits && !best.empty()) continue;
      best = name;
      best_edits = n;
    }
  }
  return best;
}

void refuse_value(const Where& where, std::string_view expected, const Value& got) {
  throw ArgumentError(
      fmt::format("{} must be {}, got {} ({}).", where, expected, to_string(got), kind_of(got)));
}

void refuse_name(const Where& where, std::string_view got,
                 const std::vector<std::string_view>& names) {
  if (const std::string near = did_you_mean(got, names); !near.empty())
    throw ArgumentError(fmt::format("{}: \"{}\" is not known.{}", where, got, near));
  throw ArgumentError(
      fmt::format("{}: \"{}\" is not known. Known: {}.", where, got, fmt::join(names, ", ")));
}

Value to_value(bool v) { return v; }
Value to_value(int v) { return v; }
Value to_value(Index v) { return std::int64_t{v}; }
Value to_value(float v) { return double{v}; }
Value to_value(double v) { return v; }
Value to_value(const std::string& v) { return v; }
Value to_value(const Shape& v) {
  Value::List list;
  for (const Index size : v) list.push_back(size == dynamic ? Value() : to_value(size));
  return list;
}

void from_value(const Value& value, const Where& where, bool& out) {
  const auto* b = value.as<bool>();
  if (!b) refuse_value(where, "true or false", value);
  out = *b;
}

void from_value(const Value& value, const Where& where, Index& out) {
  if (const auto* i = value.as<std::int64_t>()) return void(out = *i);
  // Keras writes the sizes of one-dimensional layers as lists of one number.
  if (const auto* list = value.as<Value::List>(); list && list->size() == 1)
    return from_value(list->front(), where, out);
  refuse_value(where, "a whole number", value);
}

void from_value(const Value& value, const Where& where, int& out) {
  Index wide = 0;
  from_value(value, where, wide);
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
    refuse_value(where, "a whole number below 2^31", value);
  out = static_cast<int>(wide);
}

void from_value(const Value& value, const Where& where, double& out) {
  if (const auto* d = value.as<double>()) return void(out = *d);
  if (const auto* i = value.as<std::int64_t>()) return void(out = static_cast<double>(*i));
  refuse_value(where, "a number", value);
}

void from_value(const Value& value, const Where& where, float& out) {
  double wide = 0;
  from_value(value, where, wide);
  out = static_cast<float>(wide);
}

void from_value(const Value& value, const Where& where, std::string& out) {
  const auto* s = value.as<std::string>();
  if (!s) refuse_value(where, "a text", value);
  out = *s;
}

void from_value(const Value& value, const Where& where, Shape& out) {
  const auto* list = value.as<Value::List>();
  if (!list) refuse_value(where, "a list of sizes", value);
  std::vector<Index> sizes;
  for (const Value& each : *list) {
    if (each.is_null()) sizes.push_back(dynamic);
    else from_value(each, where, sizes.emplace_back());
  }
  out = Shape(std::move(sizes));
}

namespace detail {

bool names_class(std::string_view given, std::string_view type) {
  return folded(given) == folded(type);
}

std::pair<std::string, Value::Dict> read_class(const Value& value, const Where& where) {
  if (const auto* name = value.as<std::string>()) return {*name, {}};
  const Value* name = value.find("class_name");
  if (!name || !name->as<std::string>())
    refuse_value(where, "a name or {class_name, config}", value);
  const Value* config = value.find("config");
  if (!config || config->is_null()) return {*name->as<std::string>(), {}};
  if (!config->as<Value::Dict>()) refuse_value(where + ": config", "a table", *config);
  return {*name->as<std::string>(), *config->as<Value::Dict>()};
}

}  // namespace detail
}  // namespace sonde
