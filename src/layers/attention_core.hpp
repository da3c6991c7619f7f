#pragma once
#include <algorithm>
#include <optional>
#include <sonde/layer.hpp>

#include "kernels/kernels.hpp"
#include "layers/dropout_mask.hpp"

namespace sonde {

/// One head of one row inside time-major memory: a vector every `pitch` scalars, one for each step.
template <class T>
struct Steps {
  T* data = nullptr;
  Index pitch = 0;
};

template <class T>
Steps<T> steps_of(const Chunk<T>& chunk, Index row, Index offset = 0) {
  return {chunk.data + row * chunk.width + offset, chunk.rows * chunk.width};
}

/// The three products between scores (query steps, value steps), vectors of the value steps and
/// vectors of the query steps, all of one head: those of a dense layer whose kernel is data.
struct HeadProduct {
  kernels::Window window;
  Slot packed;

  static HeadProduct plan(Planner& planner, Index query_steps, Index value_steps, Index width) {
    HeadProduct p;
    p.window = {.steps_in = query_steps,
                .steps_out = query_steps,
                .channels = value_steps,
                .filters = width,
                .x_pitch = value_steps,
                .y_pitch = width,
                .w_pitch = width};
    const bool known = query_steps != dynamic && value_steps != dynamic;
    p.packed = planner.scratch(0, known ? std::max(kernels::window_packed_size<float>(p.window),
                                                   kernels::window_packed_size<double>(p.window))
                                        : 0);
    return p;
  }

  /// Makes the value side ready for the two products that read it.
  template <class T>
  void pack(const View<T>& v, Steps<const T> values) const {
    kernels::window_pack(between(values.pitch, values.pitch), values.data, v[packed]);
  }
  /// queries = scores * values
  template <class T>
  void to_queries(const View<T>& v, const T* scores, Steps<T> queries) const {
    kernels::window_forward(between(queries.pitch, queries.pitch), scores, v[packed], nullptr,
                            false, queries.data);
  }
  /// scores = queries * values transposed
  template <class T>
  void to_scores(const View<T>& v, Steps<const T> queries, T* scores) const {
    kernels::window_backward_input(between(queries.pitch, queries.pitch), queries.data, v[packed],
                                   scores);
  }
  /// values += scores transposed * queries
  template <class T>
  void add_to_values(const T* scores, Steps<const T> queries, Steps<T> values) const {
    kernels::window_backward_weights(between(queries.pitch, values.pitch), scores, queries.data,
                                     values.data, nullptr);
  }

 private:
  kernels::Window between(Index query_pitch, Index value_pitch) const {
    kernels::Window w = window;
    w.y_pitch = query_pitch;
    w.w_pitch = value_pitch;
    return w;
  }
};

/// From scores to what they pick of the values: y = dropout(softmax(scores)) * value, for one head
/// of one row at a time.
struct AttentionCore {
  Index query_steps = 1, value_steps = 1, heads = 1;
  bool is_causal = false;       ///< query step t reads the value steps 0 … t
  std::optional<Index> window;  ///< it reads those nearer than this
  double dropout = 0;
  std::optional<Index> seed;
  HeadProduct value;
  Slot weights;  // after the softmax: of all heads of all rows while training, else of one
  Slot mask;     // of all
  Slot dropped;  // of one: weights under the mask
  Slot dscores;  // of one

  struct Options {
    Index heads = 1;
    Index value_width = 1;
    bool is_causal = false;
    std::optional<Index> window = {};
    double dropout = 0;
    std::optional<Index> seed = {};
  };
  static AttentionCore plan(Planner& planner, Index query_steps, Index value_steps,
                            Options options);

  Index size() const { return query_steps * value_steps; }

  /// Where the scores of one head go before forward() is called.
  template <class T>
  T* scores(const View<T>& v, Index row, Index head) const {
    return v[weights] + (keeps_all ? (row * heads + head) * size() : 0);
  }
  /// Turns scores() into weights; returns them as they pick, with dropout.
  template <class T>
  const T* forward(const View<T>& v, Index row, Index head, Steps<const T> values,
                   Steps<T> y) const {
    T* w = scores(v, row, head);
    normalize(w);
    const T* picks = w;
    if (drops(v)) {
      T* m = v[mask] + (row * heads + head) * size();
      draw_mask(mask_key(v, seed), ((v.row_number(row)) * heads + head) * size(), size(), dropout,
                m);
      picks = under_mask(v, row, head);
    }
    value.pack(v, values);
    value.to_queries(v, picks, y);
    return picks;
  }
  /// Adds to dvalue (or null) and returns the gradient of the weights under dropout, for
  /// backward_scores; dy may be null.
  template <class T>
  T* backward(const View<T>& v, Index row, Index head, Steps<const T> values, Steps<const T> dy,
              Steps<T> dvalue) const {
    T* dpicks = v[dscores];
    if (!dy.data) {
      std::fill_n(dpicks, size(), T(0));
      return dpicks;
    }
    value.pack(v, values);
    value.to_scores(v, dy, dpicks);
    if (dvalue.data)
      value.add_to_values(drops(v) ? under_mask(v, row, head) : scores(v, row, head), dy, dvalue);
    return dpicks;
  }
  /// Back through the dropout.
  template <class T>
  void backward_dropout(const View<T>& v, Index row, Index head, T* dpicks) const {
    if (!drops(v)) return;
    const T* m = v[mask] + (row * heads + head) * size();
    for (Index i = 0; i < size(); ++i) dpicks[i] *= m[i];
  }
  /// Back through the softmax, in place: dweights become the gradient of the scores.
  template <class T>
  void backward_softmax(const View<T>& v, Index row, Index head, T* dweights) const {
    // Weights that were not allowed are zeros, and so are their gradients.
    kernels::activation_backward(ActivationFunction::softmax, query_steps, value_steps, nullptr,
                                 scores(v, row, head), dweights, dweights);
  }

 private:
  bool keeps_all = false;

  template <class T>
  bool drops(const View<T>& v) const {
    return mask && v.training();
  }
  template <class T>
  const T* under_mask(const View<T>& v, Index row, Index head) const {
    const T *w = scores(v, row, head), *m = v[mask] + (row * heads + head) * size();
    T* d = v[dropped];
    for (Index i = 0; i < size(); ++i) d[i] = w[i] * m[i];
    return d;
  }
  template <class T>
  void normalize(T* w) const {
    if (!is_causal && !window) {
      kernels::activation_forward(ActivationFunction::softmax, query_steps, value_steps, w, w);
      return;
    }
    for (Index t = 0; t < query_steps; ++t, w += value_steps) {
      const Index near = window.value_or(std::max(query_steps, value_steps));
      const Index first = std::max<Index>(0, t - near + 1);
      const Index end = std::min(value_steps, is_causal ? t + 1 : t + near);
      std::fill(w, w + first, T(0));
      std::fill(w + end, w + value_steps, T(0));
      kernels::activation_forward(ActivationFunction::softmax, 1, end - first, w + first,
                                  w + first);
    }
  }
};

/// Checks what all attention layers ask of their two or three inputs.
void expect_attention_inputs(const Planner& planner);

}  // namespace sonde
