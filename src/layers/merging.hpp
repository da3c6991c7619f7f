#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <sonde/layer.hpp>
#include <vector>

#include "layers/broadcast.hpp"
#include "layers/final_activation.hpp"

namespace sonde {

/// The inputs of a layer that merges number by number: at least two, of one shape, or of shapes
/// that Keras brings together: axes that are missing behind the batch, and axes of size 1, are
/// repeated. The op reads x(v, i) and writes dx(v, i), which lie as its output does.
struct MergedInputs {
  /// An input that is repeated along some axes.
  struct Wide {
    Index input;
    Broadcast by;
    Slot values, gradient;  // as wide as the output
  };
  Index count = 0;
  Index lead = 0;  // has all steps of the output
  std::vector<Wide> wide = {};

  /// Plans the output. Throws ArgumentError when the shapes do not go together.
  static MergedInputs plan(Planner& planner) {
    const Shape output = output_shape(planner);
    MergedInputs all{.count = planner.inputs()};
    for (Index i = 0; i < all.count; ++i) {
      const Shape shape = padded(stepwise(planner, i, output), output.rank());
      if (shape == output) continue;
      const bool repeats_steps =
          output.rank() > 1 && (shape[0] != output[0] || planner.input(i).rank() < output.rank());
      if (repeats_steps) {
        planner.cannot_stream("one of its inputs has no time and is repeated at every step.");
        if (planner.masked(i))
          planner.refuse("an input that is repeated at every step must have no mask.");
        if (all.lead == i) ++all.lead;
      }
      const Index size = per_row(output);
      all.wide.push_back({i, Broadcast::of(output, shape), planner.scratch(size),
                          planner.training() ? planner.scratch(size) : Slot{}});
    }
    planner.output(output);
    return all;
  }

  /// For forward: says how many steps there are, and repeats what is to be repeated.
  template <class T>
  void begin(const View<T>& v) const {
    v.produce(v.x(lead).steps);
    widen(v);
  }
  template <class T>
  void widen(const View<T>& v) const {
    for (const Wide& w : wide)
      each(v, w, [&](Index from, Index to) { v[w.values][to] = v.x(w.input).data[from]; });
  }
  /// After backward: sums over what was repeated.
  template <class T>
  void narrow(const View<T>& v) const {
    for (const Wide& w : wide) {
      const Chunk<T> dx = v.dx(w.input);
      if (!dx) continue;
      std::fill_n(dx.data, dx.size(), T(0));
      each(v, w, [&](Index from, Index to) { dx.data[from] += v[w.gradient][to]; });
    }
  }

  /// y = the sum of all inputs, one after the other.
  template <class T>
  void add_up(const View<T>& v) const {
    const Index size = v.y().size();
    T* y = v.y().data;
    std::copy_n(x(v, 0), size, y);
    for (Index i = 1; i < count; ++i) {
      const T* more = x(v, i);
      for (Index k = 0; k < size; ++k) y[k] += more[k];
    }
  }

  template <class T>
  const T* x(const View<T>& v, Index i) const {
    const Wide* w = find(i);
    return w ? v[w->values] : v.x(i).data;
  }
  /// Null when nobody needs it.
  template <class T>
  T* dx(const View<T>& v, Index i) const {
    const Wide* w = find(i);
    return w && v.dx(i) ? v[w->gradient] : v.dx(i).data;
  }

 private:
  const Wide* find(Index i) const {
    for (const Wide& w : wide)
      if (w.input == i) return &w;
    return nullptr;
  }
  /// Every number of the output with the number of the input that stands there.
  template <class T, class Pair>
  static void each(const View<T>& v, const Wide& w, Pair pair) {
    const Chunk<T> y = v.y();
    const Chunk<const T> x = v.x(w.input);
    for (Index k = 0, vector = 0; vector < y.vectors(); ++vector) {
      const Index step = w.by.per_step > 0 ? vector / y.rows : 0;
      const Index first = (step * y.rows + vector % y.rows) * x.width;
      for (Index i = 0; i < y.width; ++i, ++k)
        pair(first + w.by.within[static_cast<std::size_t>(i)], k);
    }
  }

  static Shape output_shape(const Planner& planner) {
    if (planner.inputs() < 2)
      planner.refuse(fmt::format("takes at least two inputs, got {}.", planner.inputs()));
    Shape output = stepwise(planner, 0, planner.input());
    for (Index i = 1; i < planner.inputs(); ++i) {
      const Shape shape = stepwise(planner, i, output);
      const Index rank = std::max(output.rank(), shape.rank());
      const Shape a = padded(output, rank), b = padded(shape, rank);
      std::vector<Index> sizes;
      for (Index axis = 0; axis < rank; ++axis) {
        if (a[axis] != b[axis] && a[axis] != 1 && b[axis] != 1)
          planner.refuse(fmt::format(
              "all inputs must have one shape, or sizes of 1 where they differ, got {} and {}. {}",
              to_string(planner.input()), to_string(planner.input(i)),
              axis == 0 && rank > 1
                  ? "A convolution or pooling on one side may need padding = same."
                  : "A Dense layer can bring them to the same width."));
        sizes.push_back(a[axis] == 1 ? b[axis] : a[axis]);
      }
      output = Shape(std::move(sizes));
    }
    return output;
  }
  /// The shape of input i. A stream brings the inputs in step, whatever each could hold.
  static Shape stepwise(const Planner& planner, Index i, const Shape& output) {
    Shape shape = planner.input(i);
    if (!planner.streaming() || shape.rank() != output.rank() || shape.rank() < 2) return shape;
    for (Index other = 0; other < planner.inputs(); ++other)
      if (planner.input(other).rank() == shape.rank())
        shape[0] = std::max(shape[0], planner.input(other)[0]);
    return shape;
  }
  /// With axes of size 1 behind the batch.
  static Shape padded(const Shape& shape, Index rank) {
    std::vector<Index> sizes(static_cast<std::size_t>(rank - shape.rank()), 1);
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    return Shape(std::move(sizes));
  }
};

}  // namespace sonde
