#pragma once
#include <concepts>

#include "layers/attention_core.hpp"

namespace sonde {

/// The op of the attention layers without projections of their own. `Scores` gives and takes the
/// scores of one row: forward(v, query, key, scores), backward(v, query, key, dscores, dquery,
/// dkey).
template <class Scores>
struct AttentionOp {
  Scores score;
  AttentionCore core;
  bool returns_scores = false;

  template <class T>
  void forward(const View<T>& v) const {
    for (Index r = 0; r < v.rows(); ++r) {
      score.forward(v, query(v, r), key(v, r), core.scores(v, r, 0));
      core.forward(v, r, 0, value(v, r), steps_of(v.y(), r));
      if (returns_scores) core.write_weights(v, r, 0, steps_of(v.y(1), r));
    }
  }
  template <class T>
  void backward(const View<T>& v) const {
    // Two inputs may be one tensor, but each has a gradient of its own.
    for (Index i = 0; i < inputs; ++i)
      if (v.dx(i)) std::fill_n(v.dx(i).data, v.dx(i).size(), T(0));
    for (Index r = 0; r < v.rows(); ++r) {
      T* dscores = core.backward(v, r, 0, value(v, r), given(v.dy(), r), wanted(v, 1, r));
      if (returns_scores && v.dy(1)) {
        const Steps<const T> more = given(v.dy(1), r);
        for (Index t = 0; t < core.query_steps; ++t)
          for (Index s = 0; s < core.value_steps; ++s)
            dscores[t * core.value_steps + s] += more.data[t * more.pitch + s];
      }
      core.backward_dropout(v, r, 0, dscores);
      core.backward_softmax(v, r, 0, dscores);
      score.backward(v, query(v, r), key(v, r), dscores, wanted(v, 0, r), wanted(v, inputs - 1, r));
    }
  }

  Index inputs = 2;

 private:
  template <class T>
  static Steps<const T> query(const View<T>& v, Index row) {
    return steps_of(v.x(0), row);
  }
  template <class T>
  static Steps<const T> value(const View<T>& v, Index row) {
    return steps_of(v.x(1), row);
  }
  template <class T>
  Steps<const T> key(const View<T>& v, Index row) const {
    return steps_of(v.x(inputs - 1), row);
  }
  template <class T>
  static Steps<const T> given(const Chunk<T>& dy, Index row) {
    if (!dy) return {};
    const Steps<T> steps = steps_of(dy, row);
    return {steps.data, steps.pitch};
  }
  template <class T>
  static Steps<T> wanted(const View<T>& v, Index input, Index row) {
    return v.dx(input) ? steps_of(v.dx(input), row) : Steps<T>{};
  }
};

/// What Attention and AdditiveAttention have in common. Their queries and keys are equally wide.
template <class Scores, class Layer>
AttentionOp<Scores> plan_attention(Planner& planner, const Layer& layer) {
  expect_attention_inputs(planner);
  const Index inputs = planner.inputs();
  const Shape &query = planner.input(0), &value = planner.input(1),
              &key = planner.input(inputs - 1);
  if (query[1] != key[1])
    planner.refuse("query and " + std::string(inputs == 3 ? "key" : "value") +
                   " must have as many features, got " + to_string(query) + " and " +
                   to_string(key) + ". A Dense layer can bring them to the same width.");
  AttentionOp<Scores> op;
  op.inputs = inputs;
  // Keras: the mask of the keys, where they are another input, says nothing.
  std::vector<Index> hiding;
  if (planner.masked(1)) hiding.push_back(1);
  op.core = AttentionCore::plan(planner, query[0], value[0],
                                {.value_width = value[1],
                                 .is_causal = layer.use_causal_mask,
                                 .dropout = layer.dropout,
                                 .seed = layer.seed,
                                 .hidden = Hidden::lowered,
                                 .hiding = std::move(hiding),
                                 .drops_queries = planner.masked(0)});
  op.score = Scores::plan(planner, query[0], value[0], query[1]);
  op.returns_scores = layer.return_attention_scores;
  for (Index i = 0; i < inputs; ++i) planner.keep_input(i);
  planner.output({query[0], value[1]});
  if (layer.return_attention_scores) planner.output({query[0], value[0]});
  return op;
}

}  // namespace sonde
