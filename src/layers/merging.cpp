#include "layers/merging.hpp"

#include "layers/merge_masks.hpp"

#include <sonde/layers/average.hpp>
#include <sonde/layers/maximum.hpp>
#include <sonde/layers/minimum.hpp>
#include <sonde/layers/multiply.hpp>
#include <sonde/layers/subtract.hpp>

// Add is the model of these; it has a file of its own.
namespace sonde {
namespace {

struct SubtractOp {
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    mask.write(v);
    for (Index k = 0; k < v.x().size(); ++k) v.y().data[k] = v.x(0).data[k] - v.x(1).data[k];
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Chunk<T> dy = v.dy();
    if (v.dx(0)) std::copy_n(dy.data, dy.size(), v.dx(0).data);
    for (Index k = 0; v.dx(1) && k < dy.size(); ++k) v.dx(1).data[k] = -dy.data[k];
  }
};

struct AverageOp {
  Index inputs;
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    mask.write(v);
    T* y = v.y().data;
    for (Index k = 0; k < v.x().size(); ++k) {
      T sum = v.x().data[k];
      for (Index i = 1; i < inputs; ++i) sum += v.x(i).data[k];
      y[k] = sum / static_cast<T>(inputs);
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    for (Index i = 0; i < inputs; ++i)
      for (Index k = 0; v.dx(i) && k < v.dy().size(); ++k)
        v.dx(i).data[k] = v.dy().data[k] / static_cast<T>(inputs);
  }
};

/// What of each input counts: at a masked step the other inputs speak alone.
struct Counting {
  MergedMask mask;    // of the output, where all inputs have one
  bool some = false;  // have one

  /// Where an input has no mask all its steps count, and so do all of the output: none is dropped.
  static Counting plan(Planner& planner) {
    const Counting counting{MergedMask::plan(planner), planner.any_masked()};
    if (counting.some && counting.mask.inputs == 0) planner.end_mask();
    return counting;
  }
  /// Whether number k of input i counts.
  template <class T>
  bool operator()(const View<T>& v, Index i, Index k) const {
    const T* counts = some ? v.mask(i).data : nullptr;
    return counts == nullptr || counts[k / v.x(i).width] != 0;
  }
};

/// A masked step is a factor of 1; where all are masked the product is 0.
struct MultiplyOp {
  Index inputs;
  Counting counts;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    counts.mask.write(v);
    const Index size = v.x().size();
    T* y = v.y().data;
    std::fill_n(y, size, T(1));
    for (Index i = 0; i < inputs; ++i) multiply(v, i, size, y);
    for (Index k = 0; counts.mask.inputs > 0 && k < size; ++k)
      if (v.made_mask().data[k / v.x().width] == 0) y[k] = 0;
  }
  /// No division: factors may be 0.
  template <class T>
  void backward(const View<T>& v) const {
    const Index size = v.dy().size();
    for (Index i = 0; i < inputs; ++i) {
      T* dx = v.dx(i).data;
      if (!dx) continue;
      for (Index k = 0; k < size; ++k) dx[k] = counts(v, i, k) ? v.dy().data[k] : T(0);
      for (Index j = 0; j < inputs; ++j)
        if (j != i) multiply(v, j, size, dx);
    }
  }
  template <class T>
  void multiply(const View<T>& v, Index i, Index size, T* product) const {
    const T* x = v.x(i).data;
    for (Index k = 0; k < size; ++k)
      if (!counts.some || counts(v, i, k)) product[k] *= x[k];
  }
};

/// The greatest, or with sign -1 the smallest, taken input by input as Keras does: of two that are
/// equal each gets half of the gradient.
struct ExtremeOp {
  Index inputs;
  int sign;
  Counting counts;

  template <class T>
  T better(T best, T x) const {
    const T s = static_cast<T>(sign);
    return s * x > s * best || x != x ? x : best;
  }
  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    counts.mask.write(v);
    const Index size = v.x().size();
    T* y = v.y().data;
    if (counts.some) {
      for (Index k = 0; k < size; ++k) y[k] = best_of(v, inputs, k).value;
      return;
    }
    std::copy_n(v.x().data, size, y);
    for (Index i = 1; i < inputs; ++i) {
      const T* x = v.x(i).data;
      for (Index k = 0; k < size; ++k) y[k] = better(y[k], x[k]);
    }
  }
  /// Of the first `count` inputs that count; the first input where none does.
  template <class T>
  struct Best {
    T value;
    bool is_counted;
  };
  template <class T>
  Best<T> best_of(const View<T>& v, Index count, Index k) const {
    Best<T> best{v.x(0).data[k], counts(v, 0, k)};
    for (Index i = 1; i < count; ++i) {
      if (!counts(v, i, k)) continue;
      const T x = v.x(i).data[k];
      best = {best.is_counted ? better(best.value, x) : x, true};
    }
    return best;
  }
  template <class T>
  void backward(const View<T>& v) const {
    for (Index k = 0; k < v.dy().size(); ++k) {
      T rest = v.dy().data[k];  // what the inputs before i share
      for (Index i = inputs - 1; i > 0; --i) {
        const Best<T> before = best_of(v, i, k);
        const T x = v.x(i).data[k];
        T share = x == before.value ? T(0.5) : better(before.value, x) == x ? T(1) : T(0);
        if (!counts(v, i, k)) share = 0;
        else if (!before.is_counted) share = 1;
        if (v.dx(i)) v.dx(i).data[k] = rest * share;
        rest *= 1 - share;
      }
      if (v.dx(0)) v.dx(0).data[k] = rest;
    }
  }
};

void keep_inputs(Planner& planner) {
  for (Index i = 0; i < planner.inputs(); ++i) planner.keep_input(i);
}

}  // namespace

AnyOp Subtract::plan(Planner& planner) const {
  plan_merging(planner);
  if (planner.inputs() != 2)
    planner.refuse(fmt::format("takes two inputs, got {}.", planner.inputs()));
  return SubtractOp{MergedMask::plan(planner)};
}

Tensor Subtract::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Average::plan(Planner& planner) const {
  plan_merging(planner);
  return AverageOp{planner.inputs(), MergedMask::plan(planner)};
}

Tensor Average::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Multiply::plan(Planner& planner) const {
  plan_merging(planner);
  keep_inputs(planner);
  return MultiplyOp{planner.inputs(), Counting::plan(planner)};
}

Tensor Multiply::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Maximum::plan(Planner& planner) const {
  plan_merging(planner);
  keep_inputs(planner);
  return ExtremeOp{planner.inputs(), 1, Counting::plan(planner)};
}

Tensor Maximum::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Minimum::plan(Planner& planner) const {
  plan_merging(planner);
  keep_inputs(planner);
  return ExtremeOp{planner.inputs(), -1, Counting::plan(planner)};
}

Tensor Minimum::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
