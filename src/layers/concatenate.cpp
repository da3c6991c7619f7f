#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/concatenate.hpp>

#include "layers/merge_masks.hpp"

namespace sonde {
namespace {

/// Over time: whole blocks one after the other.
struct TimeOp {
  Index inputs;
  bool masked;

  template <class T>
  void forward(const View<T>& v) const {
    T* y = v.y().data;
    for (Index i = 0; i < inputs; ++i) y = std::copy_n(v.x(i).data, v.x(i).size(), y);
    if (!masked) return;
    T* mask = v.made_mask().data;
    for (Index i = 0; i < inputs; ++i) {
      const T* from = v.mask(i).data;
      const Index n = v.x(i).vectors();
      mask = from ? std::copy_n(from, n, mask) : std::fill_n(mask, n, T(1));
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dy = v.dy().data;
    for (Index i = 0; i < inputs; ++i) {
      if (v.dx(i)) std::copy_n(dy, v.dx(i).size(), v.dx(i).data);
      dy += v.x(i).size();
    }
  }
};

/// Within a step: every vector takes a run of each input in turn, `runs` times.
struct WidthOp {
  Index inputs;
  Index runs;  // product of the sizes between time and the axis
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    mask.write(v);
    each_run(v, [&](Index i, Index at, Index run, Index offset) {
      std::copy_n(v.x(i).data + at, run, v.y().data + offset);
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    each_run(v, [&](Index i, Index at, Index run, Index offset) {
      if (v.dx(i)) std::copy_n(v.dy().data + offset, run, v.dx(i).data + at);
    });
  }
  /// Calls f(input, where the run begins there, its length, where it lies in the output).
  template <class T, class F>
  void each_run(const View<T>& v, F f) const {
    const Index width = v.y().width, count = v.x().vectors() * runs;
    Index within = 0;
    for (Index i = 0; i < inputs; ++i) {
      const Index run = v.x(i).width / runs;
      for (Index k = 0; k < count; ++k) f(i, k * run, run, k * (width / runs) + within);
      within += run;
    }
  }
};

}  // namespace

AnyOp Concatenate::plan(Planner& planner) const {
  if (planner.inputs() < 2)
    planner.refuse(fmt::format("takes at least two inputs, got {}.", planner.inputs()));
  Shape output = planner.input();
  const Index rank = output.rank();
  // Keras counts the batch as axis 0; our shapes leave it out.
  const Index place = axis < 0 ? axis + rank : axis - 1;
  if (axis == 0 || place < 0 || place >= rank)
    planner.refuse(
        fmt::format("axis must be 1 to {} or -{} to -1 for inputs of shape {}, got {}. "
                    "Axis 0 is the batch.",
                    rank, rank, to_string(output), axis));
  const bool over_time = place == 0 && rank >= 2;
  if (over_time) planner.cannot_stream("the second signal begins only when the first has ended.");
  for (Index i = 1; i < planner.inputs(); ++i) {
    const Shape& shape = planner.input(i);
    bool fits = shape.rank() == rank;
    for (Index a = 0; fits && a < rank; ++a) {
      if (a == place)
        output[a] = shape[a] == dynamic || output[a] == dynamic ? dynamic : output[a] + shape[a];
      // A stream brings the inputs in step, whatever each could hold.
      else if (a == 0 && planner.streaming()) output[a] = std::max(output[a], shape[a]);
      else fits = shape[a] == output[a];
    }
    if (!fits)
      planner.refuse(
          fmt::format("inputs must agree in all sizes but that of axis {}, got {} and {}.", axis,
                      to_string(planner.input()), to_string(shape)));
  }
  planner.output(output);
  if (over_time) {
    const bool masked = planner.any_masked();
    if (masked) planner.make_mask();
    return TimeOp{planner.inputs(), masked};
  }
  Index runs = 1;
  for (Index a = 1; a < place; ++a) runs *= output[a];
  return WidthOp{planner.inputs(), runs, MergedMask::plan(planner)};
}

Tensor Concatenate::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
