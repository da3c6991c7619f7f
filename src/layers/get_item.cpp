#include <sonde/layers/get_item.hpp>

#include <algorithm>

#include "layers/one_input.hpp"

namespace sonde {

Value to_value(const Slice& slice) {
  if (slice.is_place) return to_value(*slice.start);
  if (slice.is_rest) return Value::Dict{{"class_name", "__ellipsis__"}, {"config", Value::Dict{}}};
  return Value::Dict{{"class_name", "__slice__"},
                     {"config", Value::Dict{{"start", to_value(slice.start)},
                                            {"stop", to_value(slice.stop)},
                                            {"step", to_value(slice.step)}}}};
}

void from_value(const Value& value, const Where& where, Slice& out) {
  out = {};
  const Value* class_name = value.find("class_name");
  if (!class_name) {
    out.is_place = true;
    from_value(value, where, out.start.emplace());
  } else if (*class_name == Value("__ellipsis__")) {
    out.is_rest = true;
  } else if (*class_name == Value("__slice__")) {
    const auto read = [&](std::string_view part, std::optional<Index>& number) {
      const Value* config = value.find("config");
      if (const Value* found = config ? config->find(part) : nullptr)
        from_value(*found, where, number);
    };
    read("start", out.start);
    read("stop", out.stop);
    read("step", out.step);
  } else {
    refuse_value(where, "a slice or a whole number", value);
  }
}

namespace {

/// Places of one axis, and how far apart two neighbours on it lie in row-major order.
struct Range {
  Index start = 0;
  Index step = 1;
  Index count = 0;
  Index pitch = 1;
};

/// Python's rule: what lies outside an axis is cut off.
Range range_of(const Slice& slice, Index size) {
  const Index step = slice.step.value_or(1);
  const auto at = [&](Index given) {
    const Index from_begin = given < 0 ? std::max(given, -size - 1) + size : given;
    return step > 0 ? std::clamp<Index>(from_begin, 0, size)
                    : std::clamp<Index>(from_begin, -1, size - 1);
  };
  const Index start = slice.start ? at(*slice.start) : step > 0 ? 0 : size - 1;
  const Index stop = slice.stop ? at(*slice.stop) : step > 0 ? size : Index{-1};
  const Index way = step > 0 ? stop - start : start - stop;
  const Index stride = step > 0 ? step : -step;
  return {start, step, way > 0 ? (way - 1) / stride + 1 : 0, 1};
}

/// One slice for each axis.
std::vector<Slice> complete(std::vector<Slice> key, const Planner& planner) {
  const auto rank = static_cast<std::size_t>(planner.input().rank());
  const auto rest =
      std::find_if(key.begin(), key.end(), [](const Slice& slice) { return slice.is_rest; });
  const std::size_t named = key.size() - (rest == key.end() ? 0 : 1);
  if (named > rank)
    planner.refuse(fmt::format("key has {} parts, but the input {} has only {} axes.", named,
                               to_string(planner.input()), rank));
  const auto missing = rank - named;
  if (rest == key.end()) {
    key.resize(rank);
  } else {
    const auto at = key.erase(rest);
    key.insert(at, missing, Slice{});
  }
  for (const Slice& slice : key) {
    if (slice.is_rest) planner.refuse("key holds two ellipses, expected one.");
    if (slice.step == 0) planner.refuse("a slice has step 0.");
  }
  return key;
}

bool takes_all(const Slice& slice) {
  return !slice.is_place && slice.start.value_or(0) == 0 && !slice.stop &&
         slice.step.value_or(1) == 1;
}

struct GetItemOp {
  std::vector<Range> axes;  ///< of a step when time stays, else of the row
  bool time_stays = false;

  template <class T>
  void forward(const View<T>& v) const {
    if (time_stays) v.produce(v.x().steps);
    each_pair(v.x(), v.y(), [&](Index in, Index out) { v.y().data[out] = v.x().data[in]; });
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    std::fill_n(v.dx().data, v.dx().size(), T(0));
    each_pair(v.dx(), v.dy(), [&](Index in, Index out) { v.dx().data[in] = v.dy().data[out]; });
  }
  /// Calls f(place in the input, place in the output) for all numbers.
  template <class X, class Y, class F>
  void each_pair(const Chunk<X>& x, const Chunk<Y>& y, F f) const {
    if (time_stays) {
      for (Index k = 0; k < x.vectors(); ++k)
        each_place(0, 0, 0, [&](Index at, Index i) { f(k * x.width + at, k * y.width + i); });
      return;
    }
    each_place(0, 0, 0, [&](Index at, Index i) {
      const Index in = at / x.width * x.rows * x.width + at % x.width;
      const Index out = i / y.width * y.rows * y.width + i % y.width;
      for (Index r = 0; r < x.rows; ++r) f(in + r * x.width, out + r * y.width);
    });
  }
  /// Calls f(place, number) for all combinations of places; returns the next number.
  template <class F>
  Index each_place(std::size_t axis, Index at, Index number, const F& f) const {
    if (axis == axes.size()) {
      f(at, number);
      return number + 1;
    }
    const Range& range = axes[axis];
    for (Index i = 0; i < range.count; ++i)
      number = each_place(axis + 1, at + (range.start + i * range.step) * range.pitch, number, f);
    return number;
  }
};

}  // namespace

AnyOp GetItem::plan(Planner& planner) const {
  expect_one_input(planner);
  const Shape& input = planner.input();
  const std::vector<Slice> slices = complete(*key, planner);
  const bool has_time = input.rank() >= 2;
  const auto axes = static_cast<Index>(slices.size());
  const bool keeps_more = std::any_of(slices.begin() + (has_time ? 1 : 0), slices.end(),
                                      [](const Slice& slice) { return !slice.is_place; });
  const bool time_stays = has_time && takes_all(slices[0]) && keeps_more;
  if (has_time && !time_stays)
    planner.cannot_stream(
        "it takes steps of the whole signal. Only a key that takes all steps "
        "streams.");
  if (planner.any_masked()) planner.end_mask();

  std::vector<Index> sizes;
  std::vector<Range> ranges;
  for (Index axis = 0; axis < axes; ++axis) {
    const Slice& slice = slices[static_cast<std::size_t>(axis)];
    const Index size = input[axis];
    const bool is_open = axis == 0 && has_time && size == dynamic;
    if (is_open && !keeps_more && !slice.is_place)
      planner.refuse(fmt::format(
          "makes the steps a vector, which needs their number, got {}. Give Input the length.",
          to_string(input)));
    if (is_open || (axis == 0 && time_stays)) {
      if (!slice.is_place) sizes.push_back(size);
      continue;
    }
    Range range;
    if (slice.is_place) {
      const Index at = *slice.start;
      if (at < -size || at >= size)
        planner.refuse(fmt::format("place {} of axis {} is not there: the input is {}.", at, axis,
                                   to_string(input)));
      range = {at < 0 ? at + size : at, 1, 1, 1};
    } else {
      range = range_of(slice, size);
      if (range.count == 0)
        planner.refuse(fmt::format("nothing is left of axis {} of {}.", axis, to_string(input)));
      sizes.push_back(range.count);
    }
    for (Index inner = axis + 1; inner < axes; ++inner) range.pitch *= input[inner];
    ranges.push_back(range);
  }
  if (sizes.empty())
    planner.refuse(
        fmt::format("takes one number of {}, expected at least one axis to stay. Use a "
                    "slice of length 1.",
                    to_string(input)));
  planner.output(Shape(std::move(sizes)));
  return GetItemOp{std::move(ranges), time_stays};
}

Tensor GetItem::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
