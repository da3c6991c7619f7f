#include <fmt/format.h>

#include <algorithm>
#include <sonde/recording_set.hpp>

namespace sonde {
namespace {

const Value::Dict& table_of(const Value& value, const Where& where) {
  const auto* dict = value.as<Value::Dict>();
  if (!dict) refuse_value(where, "a table", value);
  return *dict;
}

/// A column's number may be written as one.
Value text_of_number(const Value& value) {
  const auto* number = value.as<std::int64_t>();
  return number ? Value(fmt::format("{}", *number)) : value;
}

/// Whole numbers as texts, for columns and words.
Value::Dict with_texts(Value::Dict dict, std::initializer_list<std::string_view> keys) {
  for (auto& [key, value] : dict) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
    const auto* list = value.as<Value::List>();
    if (!list) {
      value = text_of_number(value);
      continue;
    }
    Value::List texts;
    for (const Value& each : *list) texts.push_back(text_of_number(each));
    value = std::move(texts);
  }
  return dict;
}

}  // namespace

Value to_value(const TextMap& map) {
  Value::Dict dict;
  for (const auto& [key, text] : map) dict.emplace_back(key, text);
  return dict;
}

void from_value(const Value& value, const Where& where, TextMap& out) {
  out.clear();
  for (const auto& [key, each] : table_of(value, where))
    from_value(text_of_number(each), fmt::format("{}: {}", where, key), out[key]);
}

Value to_value(const SignalFiles& files) { return to_config(files); }
void from_value(const Value& value, const Where& where, SignalFiles& out) {
  read_config(with_texts(table_of(value, where), {"columns", "names", "time"}), where, out);
}

Value to_value(const LabelFiles& files) { return to_config(files); }
void from_value(const Value& value, const Where& where, LabelFiles& out) {
  read_config(with_texts(table_of(value, where),
                         {"column", "onset", "end", "duration", "label", "unlabelled", "ignore"}),
              where, out);
}

Value to_value(const RecordingSet& set) { return to_config(set); }
void from_value(const Value& value, const Where& where, RecordingSet& out) {
  Value::Dict dict =
      with_texts(table_of(value, where), {"classes", "background", "channels", "skip"});
  for (auto& [key, each] : dict)
    if ((key == "signals" || key == "labels") && each.as<Value::Dict>())
      each = Value::List{each};  // [recordings.labels] is a list of one
  read_config(dict, where, out);
}

}  // namespace sonde
