#pragma once
#include <algorithm>
#include <sonde/layer.hpp>

#include "kernels/kernels.hpp"

namespace sonde {

/// The outputs of a convolution that a stream has begun and not ended: their sums, not the steps
/// they read. So nothing of a window waits for its last step but that step's own products.
struct StreamSums {
  Index left = 0;   ///< padding steps before the signal
  Index right = 0;  ///< padding steps after it
  Slot sums = {};   ///< (taps - 1, rows, filters), oldest first; those before the signal's are none
  Slot counters = {};  ///< 0: how many of the oldest are none

  /// Books memory for chunks of the planned length; returns the most outputs of one call.
  Index plan(Planner& planner, const kernels::Window& w) {
    sums = planner.state((w.taps - 1) * w.y_pitch);
    counters = planner.counters(1);
    return planner.input()[0] + right;
  }

  /// Puts b (width by y_pitch, or null) where windows begin before the signal does.
  template <class T>
  void begin(const View<T>& v, const kernels::Window& w, const T* b) const {
    if (!v.first()) return;
    for (Index i = 0; i < (w.taps - 1) * w.rows; ++i) {
      T* sum = v[sums] + i * w.y_pitch;
      if (b) std::copy_n(b, w.y_pitch, sum);
      else std::fill_n(sum, w.y_pitch, T(0));
    }
    *v.counters(counters) = w.taps - 1 - left;
  }

  /// Counts a window that goes: 1, or 0 where it was none.
  template <class T>
  Index leave(const View<T>& v) const {
    Index& none = *v.counters(counters);
    if (none == 0) return 1;
    --none;
    return 0;
  }

  /// Ends the windows that read nothing but padding any more; `made` outputs are there already.
  /// Returns how many there are then.
  template <class T>
  Index finish(const View<T>& v, const kernels::Window& w, bool relu, T* y, Index made) const {
    const Index vector = w.rows * w.y_pitch;
    for (Index i = 0; i < right; ++i) {
      const T* sum = v[sums] + i * vector;
      T* to = y + made * vector;
      for (Index f = 0; f < vector; ++f) to[f] = relu && sum[f] < 0 ? T(0) : sum[f];
      made += leave(v);
    }
    return made;
  }
};

}  // namespace sonde
