#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <sonde/layers/permute.hpp>

#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct PermuteOp {
  /// For each number of the output in row-major order, its place in the input: within a step when
  /// time stays, else within the row.
  std::vector<Index> from;
  bool time_stays;

  template <class T>
  void forward(const View<T>& v) const {
    if (time_stays) v.produce(v.x().steps);
    each_pair(v.x(), v.y(), [&](Index in, Index out) { v.y().data[out] = v.x().data[in]; });
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx())
      each_pair(v.dx(), v.dy(), [&](Index in, Index out) { v.dx().data[in] = v.dy().data[out]; });
  }
  /// Calls f(place in the input, place in the output) for all numbers.
  template <class X, class Y, class F>
  void each_pair(const Chunk<X>& x, const Chunk<Y>& y, F f) const {
    const Index size = static_cast<Index>(from.size());
    if (time_stays) {
      for (Index k = 0; k < x.vectors(); ++k)
        for (Index i = 0; i < size; ++i)
          f(k * size + from[static_cast<std::size_t>(i)], k * size + i);
      return;
    }
    for (Index i = 0; i < size; ++i) {
      const Index at = from[static_cast<std::size_t>(i)];
      const Index in = at / x.width * x.rows * x.width + at % x.width;
      const Index out = i / y.width * y.rows * y.width + i % y.width;
      for (Index r = 0; r < x.rows; ++r) f(in + r * x.width, out + r * y.width);
    }
  }
};

/// The place in a row-major array of `sizes` of each number of its permutation by `order`.
std::vector<Index> places(const std::vector<Index>& sizes, const std::vector<Index>& order) {
  std::vector<Index> from{0};
  for (const Index axis : order) {
    Index pitch = 1;
    for (std::size_t a = static_cast<std::size_t>(axis) + 1; a < sizes.size(); ++a)
      pitch *= sizes[a];
    std::vector<Index> finer;
    for (const Index start : from)
      for (Index i = 0; i < sizes[static_cast<std::size_t>(axis)]; ++i)
        finer.push_back(start + i * pitch);
    from = std::move(finer);
  }
  return from;
}

}  // namespace

AnyOp Permute::plan(Planner& planner) const {
  expect_one_input(planner);
  const Shape& input = planner.input();
  std::vector<Index> order = *dims, all(static_cast<std::size_t>(input.rank()));
  std::iota(all.begin(), all.end(), 1);
  if (!std::is_permutation(order.begin(), order.end(), all.begin(), all.end()))
    planner.refuse(
        fmt::format("dims must hold each axis of {} once, 1 to {}, got ({}). "
                    "The batch is no part of them.",
                    to_string(input), input.rank(), fmt::join(order, ", ")));
  for (Index& axis : order) --axis;

  std::vector<Index> sizes(input.begin(), input.end()), permuted;
  for (const Index axis : order) permuted.push_back(input[axis]);
  const bool time_stays = input.rank() >= 2 && order[0] == 0;
  if (time_stays) {
    sizes.erase(sizes.begin());
    order.erase(order.begin());
    for (Index& axis : order) --axis;
  } else if (input.rank() >= 2) {
    planner.cannot_stream(
        fmt::format("dims = ({}) makes time another axis. Only dims = (1, …) leaves it in place.",
                    fmt::join(*dims, ", ")));
    if (!input.is_static())
      planner.refuse(
          fmt::format("dims = ({}) needs a known number of steps, got {}. Give Input the length.",
                      fmt::join(*dims, ", "), to_string(input)));
  }
  planner.output(Shape(std::move(permuted)));
  return PermuteOp{places(sizes, order), time_stays};
}

Tensor Permute::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
