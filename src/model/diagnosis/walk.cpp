#include "model/diagnosis/walk.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sonde::diagnosis {
namespace {

/// The arguments that say why the steps changed: "kernel_size 8, padding "valid"".
std::string reasons(const AnyLayer& layer) {
  std::vector<std::string> said;
  for (const std::string_view key : {"kernel_size", "pool_size", "strides", "dilation_rate",
                                     "padding", "size", "cropping", "target_shape", "n"}) {
    if (!has_argument(layer, key)) continue;
    Value value = argument(layer, key);
    if (const auto* list = value.as<Value::List>(); list && list->size() == 1)
      value = Value(list->front());
    const bool usual = value == Value(1) || value.is_null() ||
                       (key == "strides" && value == argument(layer, "pool_size"));
    if (!usual) said.push_back(fmt::format("{} {}", key, to_string(value)));
  }
  return said.empty() ? "" : fmt::format(" ({})", fmt::join(said, ", "));
}

std::string ending(const AnyLayer& layer, const Shape& from) {
  if (argument(layer, "return_sequences") == Value(false))
    return "return_sequences is false, time ends here";
  return fmt::format("{} steps become one vector, time ends here", from[0]);
}

}  // namespace

std::vector<std::string> walk_of_time(const Draft& draft, const Planned& planned, std::size_t o) {
  std::vector<std::string> lines;
  for (const Index c : draft.path(o)) {
    if (planned.made[at(c)].empty()) break;
    const Draft::Call& call = draft.calls[at(c)];
    const Shape &from = planned.shape(draft.resolve(call.inputs[0])),
                &to = planned.made[at(c)][0].shape();
    const Draft::Part& part = draft.part(call);
    const std::string name = short_name(part);
    if (from.rank() > 1 && to.rank() == 1)
      lines.push_back(fmt::format("{}: {}", name, ending(part.layer, from)));
    else if (from.rank() == 1 && to.rank() > 1)
      lines.push_back(fmt::format("{}: time begins again, with {} steps", name, to[0]));
    else if (from.rank() > 1 && from[0] != to[0])
      lines.push_back(fmt::format("{}: {} → {}{}", name, from[0], to[0], reasons(part.layer)));
  }
  return lines;
}

}  // namespace sonde::diagnosis
