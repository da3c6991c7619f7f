#pragma once
#include <sonde/layer.hpp>

#include "kernels/kernels.hpp"

namespace sonde {

/// Scalars of a shape for each row; 0 while its steps are unknown.
inline Index per_row(const Shape& shape) { return shape.is_static() ? shape.elements() : 0; }

/// The activation with which an op ends. relu is left to the kernel that makes the sums.
struct FinalActivation {
  ActivationFunction function = ActivationFunction::linear;
  Index width = 1;  ///< of the last axis, over which softmax runs
  Slot z = {};      ///< the sums before the function, where its derivative needs them

  static FinalActivation plan(Planner& planner, ActivationFunction function, const Shape& output) {
    if (function != ActivationFunction::linear) planner.keep_output();
    const bool keep = kernels::activation_needs_input(function);
    return {function, output.last(), keep ? planner.saved(per_row(output)) : Slot{}};
  }

  bool fused_relu() const { return function == ActivationFunction::relu; }

  /// Where the op's sums go: its output, or the place where they are kept.
  template <class T>
  T* sums(const View<T>& v) const {
    return z ? v[z] : v.y().data;
  }
  /// y = function(sums), unless the kernel has done it.
  template <class T>
  void forward(const View<T>& v) const {
    if (!fused_relu()) apply(v);
  }
  /// y = function(sums), after a kernel that leaves relu to others.
  template <class T>
  void apply(const View<T>& v) const {
    if (function == ActivationFunction::linear) return;
    const Chunk<T> y = v.y();
    kernels::activation_forward(function, y.size() / width, width, sums(v), y.data);
  }
  /// Turns dy, in place, into the gradient of the sums.
  template <class T>
  T* backward(const View<T>& v) const {
    const Chunk<T> y = v.y(), dy = v.dy();
    if (function != ActivationFunction::linear)
      kernels::activation_backward(function, y.size() / width, width, z ? v[z] : nullptr, y.data,
                                   dy.data, dy.data);
    return dy.data;
  }
};

}  // namespace sonde
