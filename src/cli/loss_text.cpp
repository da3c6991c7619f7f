#include "cli/loss_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "cli/options.hpp"

namespace sonde::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// At commas outside of brackets.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '[') ++depth;
    if (i < text.size() && text[i] == ']') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    parts.push_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return parts;
}

Value value_of(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  if (text.size() > 1 && text.front() == '[' && text.back() == ']') {
    Value::List list;
    for (const std::string_view part : parts_of(text.substr(1, text.size() - 2)))
      list.push_back(value_of(part));
    return list;
  }
  const Value whole = whole_number(text);
  return whole.as<std::int64_t>() ? whole : real_number(text);
}

std::string text_of(const Value& value) {
  const auto* list = value.as<Value::List>();
  if (!list) return shown(value);
  std::vector<std::string> parts;
  for (const Value& each : *list) parts.push_back(text_of(each));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace

Loss read_loss(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == text.npos) return loss_from_name(text);
  Loss loss = loss_from_name(trimmed(text.substr(0, open)));
  const std::string_view rest = trimmed(text.substr(open));
  const auto refuse = [&](std::string_view what) {
    throw ArgumentError(fmt::format(
        "loss: {} in \"{}\". Arguments stand behind the name: \"tversky(alpha=0.7, beta=0.3)\".",
        what, text));
  };
  if (!rest.ends_with(')')) refuse("there is no ) at the end");
  Value::Dict arguments;
  const std::string_view inside = trimmed(rest.substr(1, rest.size() - 2));
  for (const std::string_view part : parts_of(inside)) {
    if (inside.empty()) break;
    const std::size_t equals = part.find('=');
    if (equals == part.npos) refuse(fmt::format("\"{}\" is no argument with its value", part));
    const std::string key(trimmed(part.substr(0, equals)));
    if (std::any_of(arguments.begin(), arguments.end(),
                    [&](const auto& each) { return each.first == key; }))
      refuse(fmt::format("{} stands twice", key));
    arguments.emplace_back(key, value_of(trimmed(part.substr(equals + 1))));
  }
  std::visit([&](auto& spec) { read_config(arguments, "loss: " + spec.name, spec); }, loss);
  return loss;
}

std::string loss_text(const Loss& loss) {
  return std::visit(
      [](const auto& spec) {
        const std::decay_t<decltype(spec)> usual{};
        const Value::Dict given = to_config(spec), others = to_config(usual);
        std::vector<std::string> arguments;
        for (std::size_t i = 0; i < given.size(); ++i)
          if (given[i].first != "name" && !given[i].second.is_null() &&
              !(given[i].second == others[i].second))
            arguments.push_back(fmt::format("{}={}", given[i].first, text_of(given[i].second)));
        return arguments.empty() ? usual.name
                                 : fmt::format("{}({})", usual.name, fmt::join(arguments, ", "));
      },
      loss);
}

}  // namespace sonde::cli
