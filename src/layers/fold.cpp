#include "layers/fold.hpp"

#include <algorithm>

namespace sonde {
namespace {

/// Outside: (steps, rows, inner * width). Inside: (inner, steps * rows, width).
struct Folds {
  Index inner = 1;  ///< steps inside

  template <class T>
  void into(const T* outside, Index vectors, Index width, T* inside) const {
    for (Index k = 0; k < vectors; ++k)
      for (Index i = 0; i < inner; ++i)
        std::copy_n(outside + (k * inner + i) * width, width, inside + (i * vectors + k) * width);
  }
  template <class T>
  void out_of(const T* inside, Index vectors, Index width, T* outside) const {
    for (Index k = 0; k < vectors; ++k)
      for (Index i = 0; i < inner; ++i)
        std::copy_n(inside + (i * vectors + k) * width, width, outside + (k * inner + i) * width);
  }
};

struct FoldOp {
  Folds folds;

  template <class T>
  void forward(const View<T>& v) const {
    folds.into(v.x().data, v.x().vectors(), v.y().width, v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) folds.out_of<T>(v.dy().data, v.dx().vectors(), v.dy().width, v.dx().data);
  }
};

struct UnfoldOp {
  Folds folds;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x(1).steps);
    folds.out_of(v.x().data, v.y().vectors(), v.x().width, v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) folds.into<T>(v.dy().data, v.dy().vectors(), v.dx().width, v.dx().data);
  }
};

struct ReverseOp {
  template <class T>
  void forward(const View<T>& v) const {
    turn(v.x(), v.y().data);
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (v.dx()) turn<T>({v.dy().data, v.dy().steps, v.dy().rows, v.dy().width}, v.dx().data);
  }
  template <class T>
  static void turn(Chunk<const T> from, T* to) {
    const Index vector = from.rows * from.width;
    for (Index t = 0; t < from.steps; ++t)
      std::copy_n(from.step(t), vector, to + (from.steps - 1 - t) * vector);
  }
};

}  // namespace

AnyOp FoldSteps::plan(Planner& planner) const {
  const Shape& shape = planner.input();
  if (shape.rank() < 2)
    planner.refuse("expects an input of shape (time, …), got " + to_string(shape) + ".");
  const Shape inside = shape.without_front();
  planner.output(inside);
  planner.folding(Planner::Folding::fold);
  if (planner.masked()) planner.end_mask();  // TimeDistributed puts it back after Unfold
  return FoldOp{{inside.rank() >= 2 ? inside[0] : 1}};
}

AnyOp UnfoldSteps::plan(Planner& planner) const {
  const Shape& inside = planner.input();
  planner.output(inside.with_front(planner.input(1)[0]));
  planner.folding(Planner::Folding::unfold);
  planner.count_steps_only(1);
  if (planner.masked(1)) planner.pass_mask(1);
  else planner.end_mask();
  return UnfoldOp{{inside.rank() >= 2 ? inside[0] : 1}};
}

AnyOp Reverse::plan(Planner& planner) const {
  planner.expect_rank(2, "(time, channels)");
  planner.cannot_stream("it begins with the last step.");
  planner.output(planner.input());
  planner.pass_mask();
  return ReverseOp{};
}

}  // namespace sonde
