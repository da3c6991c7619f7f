#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <sonde/error.hpp>
#include <sonde/shape.hpp>
#include <sonde/value.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

/// One list of fields per spec is its constructor's documentation, its Keras config, its equality
/// and its reader. A spec is an aggregate with `static constexpr std::string_view type` and
/// `static constexpr auto fields()`; fields stand in Keras' argument order.
namespace sonde {

namespace detail {
struct Anything;
}

/// Stands for an argument that a reader fills in afterwards.
struct Blank {};

/// An argument that must be given: leaving it out is a compile error.
template <class T>
class Required {
 public:
  Required(T value) : value_(std::move(value)) {}
  /// From what T is made of: any layer for an AnyLayer, one number for one of several.
  template <class U>
  requires(!std::same_as<U, T> && !std::same_as<U, Required> && !std::same_as<U, Blank> &&
           !std::same_as<U, detail::Anything> && std::convertible_to<U, T>) Required(U value)
      : value_(std::move(value)) {}
  /// `{1, 8}` where T is a size of two axes.
  Required(Index first, Index second) requires requires { T::dimensions; } : value_(first, second) {
  }
  explicit Required(Blank) : value_() {}
  operator const T&() const { return value_; }
  const T& operator*() const { return value_; }
  bool operator==(const Required&) const = default;

 private:
  T value_;
};

template <class S, class T>
struct Field {
  std::string_view name;
  T S::*member;

  /// Only for required fields.
  static T blank() { return T(Blank{}); }
};

template <class S, class T>
constexpr Field<S, T> field(std::string_view name, T S::*member) {
  return {name, member};
}

template <class... F>
constexpr auto fields_of(F... fields) {
  return std::make_tuple(fields...);
}

template <class S>
concept Spec = requires {
  { S::type } -> std::convertible_to<std::string_view>;
  S::fields();
};

/// Calls f(name, value) for each field of `spec`, in order.
template <Spec S, class F>
void for_each_field(S& spec, F&& f) {
  std::apply([&](const auto&... each) { (f(each.name, spec.*(each.member)), ...); },
             std::remove_const_t<S>::fields());
}

/// Equality over the listed fields.
template <Spec S>
bool same_fields(const S& a, const S& b) {
  return std::apply(
      [&](const auto&... each) { return ((a.*(each.member) == b.*(each.member)) && ...); },
      S::fields());
}

namespace detail {
struct Anything {
  template <class T>
  operator T() const;
};
template <class S, std::size_t... I>
constexpr bool braces_take(std::index_sequence<I...>) {
  return requires { S{(static_cast<void>(I), Anything{})...}; };
}
}  // namespace detail

/// The number of members of an aggregate, up to 40.
template <class S, std::size_t N = 40>
constexpr std::size_t arity() {
  if constexpr (detail::braces_take<S>(std::make_index_sequence<N>())) return N;
  else return arity<S, N - 1>();
}

// --- fields to values and back -------------------------------------------------------------------

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enum_names(e);
};

template <class T>
struct is_variant : std::false_type {};
template <class... T>
struct is_variant<std::variant<T...>> : std::true_type {};

/// Where a value stands, for messages: `Conv1D "conv_2": kernel_size`.
using Where = std::string;

/// "kernel_size must be a whole number, got a list."
[[noreturn]] void refuse_value(const Where& where, std::string_view expected, const Value& got);
/// The entry of `names` nearest to `word`, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string_view>& names);
[[noreturn]] void refuse_name(const Where& where, std::string_view got,
                              const std::vector<std::string_view>& names);

Value to_value(bool v);
Value to_value(int v);
Value to_value(Index v);
Value to_value(float v);
Value to_value(double v);
Value to_value(const std::string& v);
Value to_value(const Shape& v);
void from_value(const Value& value, const Where& where, bool& out);
void from_value(const Value& value, const Where& where, int& out);
void from_value(const Value& value, const Where& where, Index& out);
void from_value(const Value& value, const Where& where, float& out);
void from_value(const Value& value, const Where& where, double& out);
void from_value(const Value& value, const Where& where, std::string& out);
void from_value(const Value& value, const Where& where, Shape& out);

template <Spec S>
Value::Dict to_config(const S& spec);
template <Spec S>
void read_config(const Value::Dict& config, const Where& where, S& out);

template <NamedEnum E>
Value to_value(E v) {
  return Value(enum_names(v)[static_cast<std::size_t>(v)]);
}
template <NamedEnum E>
void from_value(const Value& value, const Where& where, E& out) {
  static constexpr auto names = enum_names(E{});
  const auto* text = value.as<std::string>();
  if (!text) refuse_value(where, "a name", value);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == *text) return void(out = static_cast<E>(i));
  refuse_name(where, *text, {names.begin(), names.end()});
}

template <class T>
Value to_value(const std::vector<T>& v);
template <class T>
void from_value(const Value& value, const Where& where, std::vector<T>& out);

template <class T>
Value to_value(const Required<T>& v) {
  return to_value(*v);
}
template <class T>
void from_value(const Value& value, const Where& where, Required<T>& out) {
  T read{};
  from_value(value, where, read);
  out = std::move(read);
}

template <class T>
Value to_value(const std::optional<T>& v) {
  return v ? to_value(*v) : Value();
}
template <class T>
void from_value(const Value& value, const Where& where, std::optional<T>& out) {
  if (value.is_null()) return out.reset();
  from_value(value, where, out.emplace());
}

template <class T>
Value to_value(const std::vector<T>& v) {
  Value::List list;
  for (const T& each : v) list.push_back(to_value(each));
  return list;
}
template <class T>
void from_value(const Value& value, const Where& where, std::vector<T>& out) {
  const auto* list = value.as<Value::List>();
  if (!list) refuse_value(where, "a list", value);
  out.clear();
  for (const Value& each : *list) from_value(each, where, out.emplace_back());
}

inline Value to_value(std::monostate) { return {}; }

/// A choice of specs is Keras' {"class_name": …, "config": {…}}; no choice is null.
template <class... T>
Value to_value(const std::variant<T...>& v) {
  return std::visit(
      [](const auto& spec) -> Value {
        using S = std::decay_t<decltype(spec)>;
        if constexpr (std::is_same_v<S, std::monostate>) return {};
        else return Value::Dict{{"class_name", Value(S::type)}, {"config", to_config(spec)}};
      },
      v);
}
/// Reads {"class_name", "config"} (other keys of Keras' wrapper are ignored), a bare name, or null.
template <class... T>
void from_value(const Value& value, const Where& where, std::variant<T...>& out);

// --- definitions -----------------------------------------------------------------------------

template <Spec S>
Value::Dict to_config(const S& spec) {
  Value::Dict config;
  for_each_field(spec, [&](std::string_view name, const auto& member) {
    config.emplace_back(std::string(name), to_value(member));
  });
  return config;
}

/// Reads the keys of `config` into the fields of `out`; keys left out keep their value, and a key
/// that is no field is refused with the nearest name.
template <Spec S>
void read_config(const Value::Dict& config, const Where& where, S& out) {
  std::vector<std::string_view> names;
  for_each_field(out, [&](std::string_view name, auto&) { names.push_back(name); });
  for (const auto& entry : config) {
    bool known = false;
    for_each_field(out, [&](std::string_view name, auto& member) {
      if (name != entry.first) return;
      from_value(entry.second, where + ": " + entry.first, member);
      known = true;
    });
    if (!known) refuse_name(where, entry.first, names);
  }
}

namespace detail {
template <class T>
struct is_required : std::false_type {};
template <class T>
struct is_required<Required<T>> : std::true_type {};
template <class S, class T>
constexpr bool field_is_required(const Field<S, T>&) {
  return is_required<T>::value;
}
template <class S, std::size_t... I>
S make_blank(std::index_sequence<I...>) {
  return S{std::tuple_element_t<I, decltype(S::fields())>::blank()...};
}
template <class... F>
constexpr std::size_t count_required(const std::tuple<F...>& fields) {
  return std::apply([](const auto&... f) { return (std::size_t{field_is_required(f)} + ... + 0); },
                    fields);
}
/// "GlorotUniform" and "glorot_uniform" both name GlorotUniform, as in Keras.
bool names_class(std::string_view given, std::string_view type);
/// The name and config of {"class_name", "config"}, of a bare name, or refused.
std::pair<std::string, Value::Dict> read_class(const Value& value, const Where& where);
}  // namespace detail

/// A spec from its config. Required fields stand first, and their keys must be there.
template <Spec S>
S from_config(const Value::Dict& config, const Where& where) {
  constexpr std::size_t required = detail::count_required(S::fields());
  S spec = detail::make_blank<S>(std::make_index_sequence<required>());
  std::size_t position = 0;
  for_each_field(spec, [&](std::string_view name, const auto&) {
    if (position++ >= required) return;
    for (const auto& [key, value] : config)
      if (key == name) return;
    throw ArgumentError(where + ": " + std::string(name) + " is required and was not given.");
  });
  read_config(config, where, spec);
  return spec;
}

template <class... T>
void from_value(const Value& value, const Where& where, std::variant<T...>& out) {
  if constexpr ((std::is_same_v<T, std::monostate> || ...))
    if (value.is_null()) return void(out = std::monostate{});
  const auto given = detail::read_class(value, where);
  std::vector<std::string_view> known;
  const bool found = ([&] {
    if constexpr (!std::is_same_v<T, std::monostate>) {
      known.push_back(T::type);
      if (!detail::names_class(given.first, T::type)) return false;
      out = from_config<T>(given.second, where + ": " + std::string(T::type));
      return true;
    }
    return false;
  }() || ...);
  if (!found) refuse_name(where, given.first, known);
}

}  // namespace sonde
