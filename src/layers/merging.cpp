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

struct MultiplyOp {
  Index inputs;
  MergedMask mask;

  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    mask.write(v);
    const Index size = v.x().size();
    T* y = v.y().data;
    std::copy_n(v.x().data, size, y);
    for (Index i = 1; i < inputs; ++i) {
      const T* x = v.x(i).data;
      for (Index k = 0; k < size; ++k) y[k] *= x[k];
    }
  }
  /// No division: factors may be 0.
  template <class T>
  void backward(const View<T>& v) const {
    const Index size = v.dy().size();
    for (Index i = 0; i < inputs; ++i) {
      T* dx = v.dx(i).data;
      if (!dx) continue;
      std::copy_n(v.dy().data, size, dx);
      for (Index j = 0; j < inputs; ++j) {
        const T* x = v.x(j).data;
        for (Index k = 0; j != i && k < size; ++k) dx[k] *= x[k];
      }
    }
  }
};

/// The greatest, or with sign -1 the smallest, taken input by input as Keras does: of two that are
/// equal each gets half of the gradient.
struct ExtremeOp {
  Index inputs;
  int sign;
  MergedMask mask;

  template <class T>
  T better(T best, T x) const {
    const T s = static_cast<T>(sign);
    return s * x > s * best || x != x ? x : best;
  }
  template <class T>
  void forward(const View<T>& v) const {
    v.produce(v.x().steps);
    mask.write(v);
    const Index size = v.x().size();
    T* y = v.y().data;
    std::copy_n(v.x().data, size, y);
    for (Index i = 1; i < inputs; ++i) {
      const T* x = v.x(i).data;
      for (Index k = 0; k < size; ++k) y[k] = better(y[k], x[k]);
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    for (Index k = 0; k < v.dy().size(); ++k) {
      T rest = v.dy().data[k];  // what the inputs before i share
      for (Index i = inputs - 1; i > 0; --i) {
        T before = v.x(0).data[k];
        for (Index j = 1; j < i; ++j) before = better(before, v.x(j).data[k]);
        const T x = v.x(i).data[k];
        const T share = x == before ? T(0.5) : better(before, x) == x ? T(1) : T(0);
        if (v.dx(i)) v.dx(i).data[k] = rest * share;
        rest *= 1 - share;
      }
      if (v.dx(0)) v.dx(0).data[k] = rest;
    }
  }
};

MergedMask merged(Planner& planner) { return MergedMask::plan(planner); }

void keep_inputs(Planner& planner) {
  for (Index i = 0; i < planner.inputs(); ++i) planner.keep_input(i);
}

}  // namespace

AnyOp Subtract::plan(Planner& planner) const {
  plan_merging(planner);
  if (planner.inputs() != 2)
    planner.refuse(fmt::format("takes two inputs, got {}.", planner.inputs()));
  return SubtractOp{merged(planner)};
}

Tensor Subtract::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Average::plan(Planner& planner) const {
  plan_merging(planner);
  return AverageOp{planner.inputs(), merged(planner)};
}

Tensor Average::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Multiply::plan(Planner& planner) const {
  plan_merging(planner);
  keep_inputs(planner);
  return MultiplyOp{planner.inputs(), merged(planner)};
}

Tensor Multiply::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Maximum::plan(Planner& planner) const {
  plan_merging(planner);
  keep_inputs(planner);
  return ExtremeOp{planner.inputs(), 1, merged(planner)};
}

Tensor Maximum::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

AnyOp Minimum::plan(Planner& planner) const {
  plan_merging(planner);
  keep_inputs(planner);
  return ExtremeOp{planner.inputs(), -1, merged(planner)};
}

Tensor Minimum::operator()(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs)).front();
}

}  // namespace sonde
