#include "layers/merge_directions.hpp"

#include <algorithm>

namespace sonde {
namespace {

struct MergeDirectionsOp {
  std::optional<MergeMode> mode;
  bool turn;

  /// Calls f(place of a vector in the first input, place in the second).
  template <class T, class F>
  void each(const View<T>& v, F f) const {
    const Chunk<const T> x = v.x();
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r)
        f(t * x.rows + r, (turn ? x.steps - 1 - t : t) * x.rows + r);
  }
  template <class T>
  void forward(const View<T>& v) const {
    const Index n = v.x().width, m = v.x(1).width;
    const T *a = v.x().data, *b = v.x(1).data;
    T* y = v.y().data;
    each(v, [&](Index i, Index j) {
      const T *p = a + i * n, *q = b + j * m;
      if (!mode) {
        std::copy_n(p, n, y + i * n);
        std::copy_n(q, m, v.y(1).data + i * m);
      } else if (mode == MergeMode::concat) {
        std::copy_n(p, n, y + i * (n + m));
        std::copy_n(q, m, y + i * (n + m) + n);
      } else {
        T* out = y + i * n;
        for (Index k = 0; k < n; ++k)
          out[k] = mode == MergeMode::mul   ? p[k] * q[k]
                   : mode == MergeMode::sum ? p[k] + q[k]
                                            : (p[k] + q[k]) / 2;
      }
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Index n = v.x().width, m = v.x(1).width;
    const T *a = v.x().data, *b = v.x(1).data, *dy = v.dy().data;
    T *da = v.dx().data, *db = v.dx(1).data;
    each(v, [&](Index i, Index j) {
      if (!mode) {
        const T* second = v.dy(1).data;
        if (da) copy_or_zero(dy ? dy + i * n : nullptr, n, da + i * n);
        if (db) copy_or_zero(second ? second + i * m : nullptr, m, db + j * m);
      } else if (mode == MergeMode::concat) {
        if (da) std::copy_n(dy + i * (n + m), n, da + i * n);
        if (db) std::copy_n(dy + i * (n + m) + n, m, db + j * m);
      } else {
        for (Index k = 0; k < n; ++k) {
          const T d = mode == MergeMode::ave ? dy[i * n + k] / 2 : dy[i * n + k];
          const bool times = mode == MergeMode::mul;
          if (da) da[i * n + k] = times ? d * b[j * n + k] : d;
          if (db) db[j * n + k] = times ? d * a[i * n + k] : d;
        }
      }
    });
  }
  /// What nobody reads has no gradient.
  template <class T>
  static void copy_or_zero(const T* from, Index n, T* to) {
    if (from) std::copy_n(from, n, to);
    else std::fill_n(to, n, T(0));
  }
};

}  // namespace

AnyOp MergeDirections::plan(Planner& planner) const {
  const Shape &a = planner.input(), &b = planner.input(1);
  if (mode && mode != MergeMode::concat && !(a == b))
    planner.refuse("both directions must give the same shape, got " + to_string(a) + " and " +
                   to_string(b) + ".");
  if (mode == MergeMode::mul)
    for (const Index i : {0, 1}) planner.keep_input(i);
  if (!mode && planner.masked())
    planner.refuse(
        "merge_mode = none gives two outputs, and only one of them could keep the mask.");
  planner.cannot_stream("its backward layer begins with the last step.");
  Shape output = a;
  if (mode == MergeMode::concat) output[a.rank() - 1] += b.last();
  planner.output(output);
  if (!mode) planner.output(b);
  planner.pass_mask();
  return MergeDirectionsOp{mode, turn};
}

}  // namespace sonde
