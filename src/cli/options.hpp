#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <sonde/fields.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// A verb's options are one aggregate with fields (sonde/fields.hpp): its command line options, its
/// configuration keys, their defaults and what is written to config.toml are that one list.
namespace sonde {

/// A table within the options: `[split]` in the configuration file. Where it is left out it is
/// none.
template <Spec S>
Value to_value(const S& table) {
  return to_config(table);
}
template <Spec S>
void from_value(const Value& value, const Where& where, S& out) {
  const auto* dict = value.as<Value::Dict>();
  if (!dict) refuse_value(where, "a table", value);
  read_config(*dict, where, out);
}

}  // namespace sonde

namespace sonde::cli {

using sonde::from_value;  // for tables of this floor
using sonde::to_value;

/// How a field is shown in the help: group, field, kind of value, meaning.
struct OptionText {
  std::string_view group;
  std::string_view field;
  std::string_view kind;  ///< "N", "FILE"; empty for a switch
  std::string_view text;
  char letter = 0;  ///< a short form: 'o' for -o
};

/// "batch_size" → "--batch-size".
std::string option_name(std::string_view field);

/// What a word of the command line says for a field of type T. A word that does not fit stays text,
/// for from_value to refuse.
Value whole_number(std::string_view text);
Value real_number(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);

template <class T>
struct Reads {
  static Value from(std::string_view text) {
    if constexpr (std::is_same_v<T, bool>) return text == "true";
    else if constexpr (std::is_integral_v<T>) return whole_number(text);
    else if constexpr (std::is_floating_point_v<T>) return real_number(text);
    else return text;
  }
};
template <class T>
struct Reads<std::optional<T>> : Reads<T> {};
template <class T>
struct Reads<std::vector<T>> {
  static Value from(std::string_view text) {
    Value::List list;
    for (const std::string& part : split(text, ',')) list.push_back(Reads<T>::from(part));
    return list;
  }
};
/// "400,16" and "None,16".
template <>
struct Reads<Shape> {
  static Value from(std::string_view text) {
    Value::List list;
    for (const std::string& part : split(text, ','))
      list.push_back(part == "None" || part == "any" ? Value() : whole_number(part));
    return list;
  }
};

/// A default, for the help; empty when there is none.
std::string shown(const Value& value);

/// The table of a configuration file. Throws IoError, and ArgumentError with the line.
Value::Dict read_toml(const std::string& path);
/// Puts "split.folds=5" or "recordings.folder=walks" into a table, in the place of what stands
/// there; a table is put together with the one that does. What is no value of TOML is text. Throws
/// ArgumentError for what is no KEY=VALUE.
void apply_setting(const std::string& setting, Value::Dict& config);
/// "split.folds=5" → "split".
std::string first_key(const std::string& setting);
/// One line "key = value" for each entry, under the comments of `texts`; tables below.
std::string write_toml(const Value::Dict& config, std::span<const OptionText> texts);

/// The options of one verb: shown to `app` when made, read after parsing.
template <Spec S>
class Options {
 public:
  Options(CLI::App& app, std::span<const OptionText> texts) {
    S defaults{};
    for_each_field(defaults, [&](std::string_view field, const auto& member) {
      for (const OptionText& text : texts)
        if (text.field == field) add(app, text, member);
    });
  }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// The fields that the command line names.
  std::vector<std::string> given() const {
    std::vector<std::string> fields;
    for (const auto& entry : given_) fields.push_back(entry.first);
    return fields;
  }
  /// Defaults, then the keys of the file, then the settings, then the options given. Throws
  /// ArgumentError.
  S read(const std::string& config_file, std::span<const std::string> settings = {}) const {
    S options{};
    Value::Dict config;
    if (!config_file.empty()) config = read_toml(config_file);
    for (const std::string& each : settings) apply_setting(each, config);
    std::string where = config_file;
    if (!settings.empty()) where += where.empty() ? "--set" : " with --set";
    read_config(config, where, options);
    for_each_field(options, [&](std::string_view field, auto& member) {
      using T = std::remove_cvref_t<decltype(member)>;
      const auto found = given_.find(field);
      if (found != given_.end())
        from_value(Reads<T>::from(found->second), option_name(field), member);
    });
    return options;
  }

 private:
  template <class T>
  void add(CLI::App& app, const OptionText& text, const T& member) {
    const std::string field(text.field);
    std::string names = option_name(field);
    if (text.letter) names = std::string("-") + text.letter + "," + names;
    CLI::Option* option = nullptr;
    if constexpr (std::is_same_v<T, bool>) {
      option = app.add_flag_callback(
          names, [this, field] { given_[field] = "true"; }, std::string(text.text));
    } else {
      option = app.add_option_function<std::string>(
          names, [this, field](const std::string& word) { given_[field] = word; },
          std::string(text.text));
      option->type_name(std::string(text.kind));
      const std::string value = shown(to_value(member));
      if (!value.empty()) option->default_str(value);
    }
    option->group(std::string(text.group));
  }

  std::map<std::string, std::string, std::less<>> given_;
};

}  // namespace sonde::cli
