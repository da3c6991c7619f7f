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
  MergedInputs inputs;
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    inputs.begin(v);
    mask.write(v);
    const T *a = inputs.x(v, 0), *b = inputs.x(v, 1);
    for (Index k = 0; k < v.y().size(); ++k) v.y().data[k] = a[k] - b[k];
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Chunk<T> dy = v.dy();
    T *da = inputs.dx(v, 0), *db = inputs.dx(v, 1);
    if (da) std::copy_n(dy.data, dy.size(), da);
    for (Index k = 0; db && k < dy.size(); ++k) db[k] = -dy.data[k];
    inputs.narrow(v);
  }
};

struct AverageOp {
  MergedInputs inputs;
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    inputs.begin(v);
    mask.write(v);
    inputs.add_up(v);
    for (Index k = 0; k < v.y().size(); ++k) v.y().data[k] /= static_cast<T>(inputs.count);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Chunk<T> dy = v.dy();
    for (Index i = 0; i < inputs.count; ++i) {
      T* dx = inputs.dx(v, i);
      for (Index k = 0; dx && k < dy.size(); ++k) dx[k] = dy.data[k] / static_cast<T>(inputs.count);
    }
    inputs.narrow(v);
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
    return counts == nullptr || counts[k / v.y().width] != 0;
  }
};

/// A masked step is a factor of 1; where all are masked the product is 0.
struct MultiplyOp {
  MergedInputs inputs;
  Counting counts;

  template <class T>
  void forward(const View<T>& v) const {
    inputs.begin(v);
    counts.mask.write(v);
    const Index size = v.y().size();
    T* y = v.y().data;
    std::fill_n(y, size, T(1));
    for (Index i = 0; i < inputs.count; ++i) multiply(v, i, size, y);
    for (Index k = 0; counts.mask.inputs > 0 && k < size; ++k)
      if (v.made_mask().data[k / v.y().width] == 0) y[k] = 0;
  }
  /// No division: factors may be 0.
  template <class T>
  void backward(const View<T>& v) const {
    const Index size = v.dy().size();
    inputs.widen(v);
    for (Index i = 0; i < inputs.count; ++i) {
      T* dx = inputs.dx(v, i);
      if (!dx) continue;
      for (Index k = 0; k < size; ++k) dx[k] = counts(v, i, k) ? v.dy().data[k] : T(0);
      for (Index j = 0; j < inputs.count; ++j)
        if (j != i) multiply(v, j, size, dx);
    }
    inputs.narrow(v);
  }
  template <class T>
  void multiply(const View<T>& v, Index i, Index size, T* product) const {
    const T* x = inputs.x(v, i);
    for (Index k = 0; k < size; ++k)
      if (!counts.some || counts(v, i, k)) product[k] *= x[k];
  }
};

/// The greatest, or with sign -1 the smallest, taken input by input as Keras does: of two that are
/// equal each gets half of the gradient.
struct ExtremeOp {
  MergedInputs inputs;
  int sign;
  Counting counts;

  template <class T>
  T better(T best, T x) const {
    const T s = static_cast<T>(sign);
    return s * x > s * best || x != x ? x : best;
  }
  template <class T>
  void forward(const View<T>& v) const {
    inputs.begin(v);
    counts.mask.write(v);
    const Index size = v.y().size();
    T* y = v.y().data;
    if (counts.some) {
      for (Index k = 0; k < size; ++k) y[k] = best_of(v, inputs.count, k).value;
      return;
    }
    std::copy_n(inputs.x(v, 0), size, y);
    for (Index i = 1; i < inputs.count; ++i) {
      const T* x = inputs.x(v, i);
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
    Best<T> best{inputs.x(v, 0)[k], counts(v, 0, k)};
    for (Index i = 1; i < count; ++i) {
      if (!counts(v, i, k)) continue;
      const T x = inputs.x(v, i)[k];
      best = {best.is_counted ? better(best.value, x) : x, true};
    }
    return best;
  }
  template <class T>
  void backward(const View<T>& v) const {
    inputs.widen(v);
    for (Index k = 0; k < v.dy().size(); ++k) {
      T rest = v.dy().data[k];  // what the inputs before i share
      for (Index i = inputs.count - 1; i > 0; --i) {
        const Best<T> before = best_of(v, i, k);
        const T x = inputs.x(v, i)[k];
        T share = x == before.value ? T(0.5) : better(before.value, x) == x ? T(1) : T(0);
        if (!counts(v, i, k)) share = 0;
        else if (!before.is_counted) share = 1;
        if (T* dx = inputs.dx(v, i)) dx[k] = rest * share;
        rest *= 1 - share;
      }
      if (T* dx = inputs.dx(v, 0)) dx[k] = rest;
    }
    inputs.narrow(v);
  }
};

void keep_inputs(Planner& planner) {
  for (Index i = 0; i < planner.inputs(); ++i) planner.keep_input(i);
}

}  // namespace

AnyOp Subtract::plan(Planner& planner) const {
  MergedInputs inputs = MergedInputs::plan(planner);
  if (planner.inputs() != 2)
    planner.refuse(fmt::format("takes two inputs, got {}.", planner.inputs()));
  return SubtractOp{std::move(inputs), MergedMask::plan(planner)};
}

Tensor Subtract::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Average::plan(Planner& planner) const {
  MergedInputs inputs = MergedInputs::plan(planner);
  return AverageOp{std::move(inputs), MergedMask::plan(planner)};
}

Tensor Average::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Multiply::plan(Planner& planner) const {
  MergedInputs inputs = MergedInputs::plan(planner);
  keep_inputs(planner);
  return MultiplyOp{std::move(inputs), Counting::plan(planner)};
}

Tensor Multiply::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Maximum::plan(Planner& planner) const {
  MergedInputs inputs = MergedInputs::plan(planner);
  keep_inputs(planner);
  return ExtremeOp{std::move(inputs), 1, Counting::plan(planner)};
}

Tensor Maximum::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Minimum::plan(Planner& planner) const {
  MergedInputs inputs = MergedInputs::plan(planner);
  keep_inputs(planner);
  return ExtremeOp{std::move(inputs), -1, Counting::plan(planner)};
}

Tensor Minimum::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
