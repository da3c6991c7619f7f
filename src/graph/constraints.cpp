#include <sonde/constraints.hpp>

namespace sonde {

Value to_value(const Axes& axes) {
  Value::List list;
  for (const Index axis : axes) list.push_back(to_value(axis));
  if (list.size() == 1) return list.front();
  return list;
}

void from_value(const Value& value, const Where& where, Axes& out) {
  std::vector<Index> axes;
  if (value.as<Value::List>()) from_value(value, where, axes);
  else from_value(value, where, axes.emplace_back());
  out = Axes(std::move(axes));
}

}  // namespace sonde
