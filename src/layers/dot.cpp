#include <sonde/layers/dot.hpp>

#include <fmt/format.h>

#include "layers/unit_length.hpp"

namespace sonde {
namespace {

/// One of the two tensors of a row as a matrix: its other axes by the summed one.
struct DotSide {
  Index outer = 1, summed = 1, inner = 1;

  Index vectors() const { return outer * inner; }
  Index size() const { return outer * summed * inner; }

  static DotSide of(const Shape& shape, Index place) {
    DotSide side;
    if (!shape.is_static()) return side;  // only shapes are asked
    for (Index axis = 0; axis < shape.rank(); ++axis)
      (axis < place ? side.outer : axis == place ? side.summed : side.inner) *= shape[axis];
    return side;
  }
  /// Calls f(place in the chunk, place in the matrix) for each number of a row.
  template <class T, class F>
  void each(const Chunk<T>& x, Index row, F f) const {
    for (Index o = 0; o < outer; ++o)
      for (Index s = 0; s < summed; ++s)
        for (Index i = 0; i < inner; ++i) {
          const Index at = (o * summed + s) * inner + i;
          f((at / x.width * x.rows + row) * x.width + at % x.width, (o * inner + i) * summed + s);
        }
  }
};

struct DotOp {
  DotSide a, b;
  bool normalize;
  Slot matrices;   // of one row: a, b
  Slot gradients;  // the same

  static constexpr double epsilon = 1e-7;  // Keras: backend.epsilon()

  template <class T>
  void forward(const View<T>& v) const {
    T *left = v[matrices], *right = left + a.size();
    for (Index r = 0; r < v.rows(); ++r) {
      read(a, v.x(0), r, left);
      read(b, v.x(1), r, right);
      each_product(v.y(), r, [&](T& y, Index i, Index j) {
        y = 0;
        for (Index s = 0; s < a.summed; ++s) y += left[i + s] * right[j + s];
      });
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    T *left = v[matrices], *right = left + a.size();
    T *dleft = v[gradients], *dright = dleft + a.size();
    for (Index r = 0; r < v.rows(); ++r) {
      read(a, v.x(0), r, left);
      read(b, v.x(1), r, right);
      std::fill_n(dleft, a.size() + b.size(), T(0));
      each_product(v.dy(), r, [&](const T& dy, Index i, Index j) {
        for (Index s = 0; s < a.summed; ++s) {
          dleft[i + s] += dy * right[j + s];
          dright[j + s] += dy * left[i + s];
        }
      });
      write(a, v.x(0), r, dleft, left, v.dx(0));
      write(b, v.x(1), r, dright, right, v.dx(1));
    }
  }
  /// A row's numbers as a matrix.
  template <class T>
  void read(const DotSide& side, const Chunk<const T>& x, Index row, T* matrix) const {
    side.each(x, row, [&](Index from, Index to) { matrix[to] = x.data[from]; });
    if (!normalize) return;
    for (Index at = 0; at < side.size(); at += side.summed) {
      const T s = inverse_length(matrix + at, side.summed, epsilon);
      for (Index i = 0; i < side.summed; ++i) matrix[at + i] *= s;
    }
  }
  /// The gradient of a row, from that of its matrix; `plain` is overwritten.
  template <class T>
  void write(const DotSide& side, const Chunk<const T>& x, Index row, T* gradient, T* plain,
             const Chunk<T>& dx) const {
    if (!dx) return;
    if (normalize) {
      side.each(x, row, [&](Index from, Index to) { plain[to] = x.data[from]; });
      for (Index at = 0; at < side.size(); at += side.summed)
        unit_length_backward(plain + at, side.summed, epsilon, gradient + at, gradient + at);
    }
    side.each(x, row, [&](Index to, Index from) { dx.data[to] = gradient[from]; });
  }
  /// Calls f(number of y, where its vector of a begins, where its vector of b begins).
  template <class T, class F>
  void each_product(const Chunk<T>& y, Index row, F f) const {
    Index at = 0;
    for (Index i = 0; i < a.vectors(); ++i)
      for (Index j = 0; j < b.vectors(); ++j, ++at)
        f(y.data[(at / y.width * y.rows + row) * y.width + at % y.width], i * a.summed,
          j * b.summed);
  }
};

/// The axis that input `i` is summed over, without the batch.
Index summed_axis(const Planner& planner, const OneOrMany<Index>& axes, Index i) {
  const Index rank = planner.input(i).rank(), given = axes[axes.size() == 2 ? i : 0];
  const Index place = given < 0 ? given + rank : given - 1;
  if (given == 0 || place < 0 || place >= rank)
    planner.refuse(
        fmt::format("axes must be 1 to {} or -{} to -1 for an input of shape {}, got {}. "
                    "Axis 0 is the batch.",
                    rank, rank, to_string(planner.input(i)), given));
  return place;
}

}  // namespace

AnyOp Dot::plan(Planner& planner) const {
  if (planner.inputs() != 2)
    planner.refuse(fmt::format("takes two inputs, got {}.", planner.inputs()));
  if ((*axes).size() != 1 && (*axes).size() != 2)
    planner.refuse(
        fmt::format("axes must be one number, or one for each input, got {}.", (*axes).size()));
  if (planner.input(0).rank() >= 2 || planner.input(1).rank() >= 2)
    planner.cannot_stream("its products need all steps of both signals.");
  std::vector<Index> sizes;
  DotSide sides[2];
  Index places[2];
  for (const Index i : {0, 1}) {
    const Shape& shape = planner.input(i);
    places[i] = summed_axis(planner, *axes, i);
    sides[i] = DotSide::of(shape, places[i]);
    for (Index axis = 0; axis < shape.rank(); ++axis)
      if (axis != places[i]) sizes.push_back(shape[axis]);
  }
  const Shape &a = planner.input(0), &b = planner.input(1);
  if (a[places[0]] != b[places[1]])
    planner.refuse(fmt::format("the summed axes must have one size, got {} of {} and {} of {}.",
                               a[places[0]], to_string(a), b[places[1]], to_string(b)));
  if (sizes.empty()) sizes.push_back(1);
  for (std::size_t axis = 0; axis < sizes.size(); ++axis)
    if (sizes[axis] == dynamic && (axis > 0 || sizes.size() == 1))
      planner.refuse(
          fmt::format("needs a known number of steps, got {} and {}. Give Input the length.",
                      to_string(a), to_string(b)));
  planner.output(Shape(std::move(sizes)));
  planner.keep_input(0);
  planner.keep_input(1);
  const Index scratch = sides[0].size() + sides[1].size();
  DotOp op{sides[0], sides[1], normalize, planner.scratch(0, scratch), {}};
  if (planner.training()) op.gradients = planner.scratch(0, scratch);
  return op;
}

Tensor Dot::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
