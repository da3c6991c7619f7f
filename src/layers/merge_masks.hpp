#pragma once
#include <algorithm>
#include <sonde/view.hpp>

namespace sonde {

/// The mask of a layer that joins its inputs step by step. Keras: a step counts where it does in
/// any of them.
struct MergedMask {
  Index inputs = 0;  ///< 0: there is no mask

  static MergedMask plan(Planner& planner) {
    for (Index i = 0; i < planner.inputs(); ++i)
      // With an input that counts everywhere all would count everywhere: not in silence.
      if (!planner.masked(i)) return {};
    planner.make_mask();
    return {planner.inputs()};
  }

  template <class T>
  void write(const View<T>& v) const {
    if (inputs == 0) return;
    const Chunk<T> made = v.made_mask();
    std::copy_n(v.mask(0).data, made.size(), made.data);
    for (Index i = 1; i < inputs; ++i) {
      const T* mask = v.mask(i).data;
      for (Index k = 0; k < made.size(); ++k) made.data[k] = std::max(made.data[k], mask[k]);
    }
  }
};

}  // namespace sonde
