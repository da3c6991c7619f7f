#pragma once
#include "layers/attention_core.hpp"

namespace sonde {

/// Scores by a sum in place of a product: the score of (query, key) is
/// outer * sum over d of each[d] * tanh(inner * (query[d] + key[d])). Factors left out are 1.
struct AdditiveScores {
  Index query_steps = 1, key_steps = 1, width = 1;
  Slot inner, each, outer;  // weights
  Slot sums;                // width numbers of scratch

  static AdditiveScores plan(Planner& planner, Index query_steps, Index key_steps, Index width) {
    AdditiveScores s;
    s.query_steps = query_steps;
    s.key_steps = key_steps;
    s.width = width;
    s.sums = planner.scratch(0, width);
    return s;
  }

  template <class T>
  void forward(const View<T>& v, Steps<const T> query, Steps<const T> key, T* scores) const {
    const T* factor = v[each];
    const T scale = outer ? *v[outer] : T(1);
    for (Index t = 0; t < query_steps; ++t)
      for (Index s = 0; s < key_steps; ++s) {
        const T* bent = bend(v, query, key, t, s);
        T sum = 0;
        for (Index d = 0; d < width; ++d) sum += factor ? factor[d] * bent[d] : bent[d];
        *scores++ = scale * sum;
      }
  }
  /// Adds to dquery and dkey (or null) and to the gradients of the factors.
  template <class T>
  void backward(const View<T>& v, Steps<const T> query, Steps<const T> key, const T* dscores,
                Steps<T> dquery, Steps<T> dkey) const {
    const T* factor = v[each];
    T* deach = v.gradient(each);
    const T in = inner ? *v[inner] : T(1), out = outer ? *v[outer] : T(1);
    // Many small numbers: added up where none is lost.
    double dinner = 0, douter = 0;
    for (Index t = 0; t < query_steps; ++t)
      for (Index s = 0; s < key_steps; ++s) {
        const T* bent = bend(v, query, key, t, s);
        const T given = *dscores++;
        for (Index d = 0; d < width; ++d) {
          const T f = factor ? factor[d] : T(1);
          douter += static_cast<double>(given * f * bent[d]);
          if (deach) deach[d] += given * out * bent[d];
          const T dsum = given * out * f * (1 - bent[d] * bent[d]);
          dinner += static_cast<double>(dsum * (at(query, t)[d] + at(key, s)[d]));
          if (dquery.data) at(dquery, t)[d] += dsum * in;
          if (dkey.data) at(dkey, s)[d] += dsum * in;
        }
      }
    if (inner) *v.gradient(inner) += static_cast<T>(dinner);
    if (outer) *v.gradient(outer) += static_cast<T>(douter);
  }

 private:
  template <class T>
  static T* at(Steps<T> steps, Index t) {
    return steps.data + t * steps.pitch;
  }
  /// tanh(inner * (query + key)) of one pair.
  template <class T>
  const T* bend(const View<T>& v, Steps<const T> query, Steps<const T> key, Index t,
                Index s) const {
    const T *q = at(query, t), *k = at(key, s);
    const T in = inner ? *v[inner] : T(1);
    T* z = v[sums];
    for (Index d = 0; d < width; ++d) z[d] = in * (q[d] + k[d]);
    kernels::tanh(width, z, z);
    return z;
  }
};

}  // namespace sonde
