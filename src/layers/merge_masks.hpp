#pragma once
#include <algorithm>
#include <sonde/view.hpp>

namespace sonde {

/// The mask of a layer that joins its inputs step by step. Keras: a sum counts where any of its
/// terms does, a concatenation of features where all of its parts do.
struct MergedMask {
  enum class Rule { any, all } rule = Rule::any;
  Index inputs = 0;  ///< 0: there is no mask

  static MergedMask plan(Planner& planner, Rule rule) {
    if (!planner.any_masked()) return {};
    bool all_masked = true;
    for (Index i = 0; i < planner.inputs(); ++i) all_masked = all_masked && planner.masked(i);
    // A sum with an input that counts everywhere would count everywhere: not in silence.
    if (rule == Rule::any && !all_masked) return {};
    planner.make_mask();
    return {rule, planner.inputs()};
  }

  template <class T>
  void write(const View<T>& v) const {
    if (inputs == 0) return;
    const Chunk<T> made = v.made_mask();
    std::fill_n(made.data, made.size(), rule == Rule::all ? T(1) : T(0));
    for (Index i = 0; i < inputs; ++i) {
      const T* mask = v.mask(i).data;
      if (mask == nullptr) continue;
      for (Index k = 0; k < made.size(); ++k)
        made.data[k] =
            rule == Rule::all ? std::min(made.data[k], mask[k]) : std::max(made.data[k], mask[k]);
    }
  }
};

}  // namespace sonde
