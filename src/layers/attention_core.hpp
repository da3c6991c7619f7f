#pragma once
#include <algorithm>
#include <optional>
#include <sonde/layer.hpp>
#include <vector>

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

/// Scores that a mask, causality or a window hides, where the softmax comes to them. All three give
/// a hidden step the weight 0; they differ for a query step from which every value step is hidden.
enum class Hidden : unsigned char {
  lowered,   ///< by 1e9: the softmax of what is left of them, in float next to nothing, so that all
             ///< value steps weigh alike; in double some of it. Keras: Attention
  replaced,  ///< by -1e9: all value steps weigh alike. Keras: ops.dot_product_attention
  dropped    ///< every weight is 0. Keras: Softmax with a mask
};

/// From scores to what they pick of the values: y = dropout(softmax(scores)) * value, for one head
/// of one row at a time.
struct AttentionCore {
  Index query_steps = 1, value_steps = 1, heads = 1;
  bool is_causal = false;       ///< query step t reads the value steps 0 … t
  std::optional<Index> window;  ///< it reads those nearer than this
  Hidden hidden = Hidden::dropped;
  std::vector<Index> hiding;   ///< inputs whose masks hide value steps
  bool hides_queries = false;  ///< the mask of the queries hides all value steps from them
  bool drops_queries = false;  ///< what masked queries pick is 0
  double dropout = 0;
  std::optional<Index> seed;
  HeadProduct value;
  Slot weights;  // after the softmax: of all heads of all rows while training, else of one
  Slot mask;     // of all
  Slot picks;    // of one: weights under dropout, and without those of masked queries
  Slot dscores;  // of one
  Slot shown;    // one row's value steps

  struct Options {
    Index heads = 1;
    Index value_width = 1;
    bool is_causal = false;
    std::optional<Index> window = {};
    double dropout = 0;
    std::optional<Index> seed = {};
    Hidden hidden = Hidden::dropped;
    std::vector<Index> hiding = {};
    bool hides_queries = false;
    bool drops_queries = false;
  };
  static AttentionCore plan(Planner& planner, Index query_steps, Index value_steps,
                            Options options);

  Index size() const { return query_steps * value_steps; }

  /// Where the scores of one head go before forward() is called.
  template <class T>
  T* scores(const View<T>& v, Index row, Index head) const {
    return v[weights] + (keeps_all ? (row * heads + head) * size() : 0);
  }
  /// Turns scores() into weights, and these into what they pick.
  template <class T>
  void forward(const View<T>& v, Index row, Index head, Steps<const T> values, Steps<T> y) const {
    normalize(v, row, scores(v, row, head));
    if (T* factors = drawn(v, row, head))
      draw_mask(mask_key(v, seed), (v.row_number(row) * heads + head) * size(), size(), dropout,
                factors);
    value.pack(v, values);
    value.to_queries(v, what_picks(v, row, head), y);
  }
  /// The weights, under dropout, as an output: a vector for each query step.
  template <class T>
  void write_weights(const View<T>& v, Index row, Index head, Steps<T> out) const {
    const T *w = scores(v, row, head), *factors = drawn(v, row, head);
    for (Index t = 0; t < query_steps; ++t)
      under_dropout(value_steps, t * value_steps, w, factors, out.data + t * out.pitch);
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
    if (dvalue.data) value.add_to_values(what_picks(v, row, head), dy, dvalue);
    for (Index t = 0; drops_queries && t < query_steps; ++t)
      if (!counts(v, 0, row, t)) std::fill_n(dpicks + t * value_steps, value_steps, T(0));
    return dpicks;
  }
  /// Back through the dropout.
  template <class T>
  void backward_dropout(const View<T>& v, Index row, Index head, T* dpicks) const {
    if (const T* factors = drawn(v, row, head)) under_dropout(size(), 0, dpicks, factors, dpicks);
  }
  /// Back through the softmax, in place: dweights become the gradient of the scores.
  template <class T>
  void backward_softmax(const View<T>& v, Index row, Index head, T* dweights) const {
    // Weights that were hidden are zeros, and so are their gradients.
    kernels::activation_backward(ActivationFunction::softmax, query_steps, value_steps, nullptr,
                                 scores(v, row, head), dweights, dweights);
    if (hidden != Hidden::replaced || !hides()) return;
    const T* show = shown_steps(v, row);
    for (Index t = 0; t < query_steps; ++t)
      if (nothing_seen(v, show, row, t)) std::fill_n(dweights + t * value_steps, value_steps, T(0));
  }

 private:
  bool keeps_all = false;

  /// What dropout multiplies the weights of a head with; null without dropout.
  template <class T>
  T* drawn(const View<T>& v, Index row, Index head) const {
    return mask && v.training() ? v[mask] + (row * heads + head) * size() : nullptr;
  }
  template <class T>
  static void under_dropout(Index n, Index from, const T* w, const T* factors, T* out) {
    for (Index i = 0; i < n; ++i) out[i] = factors ? w[from + i] * factors[from + i] : w[from + i];
  }
  bool hides() const { return hides_queries || !hiding.empty(); }
  template <class T>
  static bool counts(const View<T>& v, Index input, Index row, Index t) {
    return v.mask(input).step(t)[row] > 0;
  }
  /// Causality and window: the value steps that query step t may see, whatever masks say.
  Index first_seen(Index t) const { return window ? std::max<Index>(0, t - *window + 1) : 0; }
  Index end_seen(Index t) const {
    const Index end = is_causal ? t + 1 : window ? t + *window : value_steps;
    return std::min(value_steps, end);
  }
  /// For each value step of a row whether masks show it.
  template <class T>
  const T* shown_steps(const View<T>& v, Index row) const {
    T* show = v[shown];
    std::fill_n(show, value_steps, T(1));
    for (const Index input : hiding) {
      const Chunk<const T> mask = v.mask(input);
      for (Index s = 0; s < value_steps; ++s) show[s] *= mask.step(s)[row];
    }
    return show;
  }
  template <class T>
  bool asks(const View<T>& v, Index row, Index t) const {
    return !hides_queries || counts(v, 0, row, t);
  }
  template <class T>
  bool nothing_seen(const View<T>& v, const T* show, Index row, Index t) const {
    return !asks(v, row, t) || std::none_of(show + first_seen(t), show + end_seen(t),
                                            [](T counts) { return counts > 0; });
  }
  /// Calls f(score) for each score of a head that is hidden.
  template <class T, class F>
  void each_hidden(const View<T>& v, const T* show, Index row, T* scores, F f) const {
    for (Index t = 0; t < query_steps; ++t, scores += value_steps) {
      const bool is_asking = asks(v, row, t);
      const Index first = first_seen(t), end = end_seen(t);
      for (Index s = 0; s < value_steps; ++s)
        if (!(is_asking && s >= first && s < end && show[s] > 0)) f(scores[s]);
    }
  }
  /// The weights as they pick of the values.
  template <class T>
  const T* what_picks(const View<T>& v, Index row, Index head) const {
    const T *w = scores(v, row, head), *factors = drawn(v, row, head);
    if (!factors && !drops_queries) return w;
    T* p = v[picks];
    under_dropout(size(), 0, w, factors, p);
    for (Index t = 0; drops_queries && t < query_steps; ++t)
      if (!counts(v, 0, row, t)) std::fill_n(p + t * value_steps, value_steps, T(0));
    return p;
  }
  template <class T>
  void normalize(const View<T>& v, Index row, T* w) const {
    const auto softmax = [](Index vectors, Index width, T* x) {
      kernels::activation_forward(ActivationFunction::softmax, vectors, width, x, x);
    };
    if (!hides() && !is_causal && !window) return softmax(query_steps, value_steps, w);
    if (hides()) {
      constexpr T much = T(1e9);
      const T* show = shown_steps(v, row);
      each_hidden(v, show, row, w,
                  [&](T& score) { score = hidden == Hidden::lowered ? score - much : -much; });
      softmax(query_steps, value_steps, w);
      if (hidden == Hidden::dropped) each_hidden(v, show, row, w, [](T& weight) { weight = T(0); });
      return;
    }
    for (Index t = 0; t < query_steps; ++t, w += value_steps) {
      const Index first = first_seen(t), end = end_seen(t);
      std::fill(w, w + first, T(0));
      std::fill(w + end, w + value_steps, T(0));
      softmax(1, end - first, w + first);
    }
  }
};

/// Checks what all attention layers ask of their two or three inputs. The output has the mask of
/// the query.
void expect_attention_inputs(Planner& planner);

}  // namespace sonde
