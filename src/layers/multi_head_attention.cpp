#include <algorithm>
#include <cmath>
#include <sonde/layers/multi_head_attention.hpp>

#include "graph/activity_penalty.hpp"
#include "layers/attention_core.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

/// A dense layer over all vectors of a chunk. Keras: EinsumDense.
struct Projection {
  kernels::Window window;  // one tap
  Slot kernel, bias, packed;

  static Projection plan(Planner& planner, const MultiHeadAttention& layer, const std::string& name,
                         Index in, Shape kernel_shape, Shape bias_shape) {
    const Index out = bias_shape.elements();
    Projection p;
    p.window = {.channels = in, .filters = out, .x_pitch = in, .y_pitch = out, .w_pitch = out};
    p.kernel = planner.weight(
        name + "/kernel", std::move(kernel_shape),
        {layer.kernel_initializer, layer.kernel_regularizer, layer.kernel_constraint});
    if (layer.use_bias)
      p.bias =
          planner.weight(name + "/bias", std::move(bias_shape),
                         {layer.bias_initializer, layer.bias_regularizer, layer.bias_constraint});
    p.packed = planner.packed(std::max(kernels::window_packed_size<float>(p.window),
                                       kernels::window_packed_size<double>(p.window)));
    return p;
  }
  kernels::Window over(Index vectors) const {
    kernels::Window w = window;
    w.rows = vectors;
    return w;
  }
  template <class T>
  void pack(const View<T>& v) const {
    kernels::window_pack(window, v[kernel], v[packed]);
  }
  template <class T>
  void forward(const View<T>& v, Index vectors, const T* x, T* y) const {
    kernels::window_forward(over(vectors), x, v[packed], v[bias], false, y);
  }
  template <class T>
  void backward_weights(const View<T>& v, Index vectors, const T* x, const T* dy) const {
    kernels::window_backward_weights(over(vectors), x, dy, v.gradient(kernel), v.gradient(bias));
  }
  template <class T>
  void backward_input(const View<T>& v, Index vectors, const T* dy, T* dx) const {
    kernels::window_backward_input(over(vectors), dy, v[packed], dx);
  }
};

/// A projected input, its gradient, and the numbers of a head in it.
struct Projected {
  Projection by;
  Index width = 1;  // of one head
  Index heads = 1;
  Slot values, gradient;

  static Projected plan(Planner& planner, const MultiHeadAttention& layer, const std::string& name,
                        const Shape& input, Index width) {
    const Index heads = *layer.num_heads, steps = input[0];
    Projected p;
    p.by =
        Projection::plan(planner, layer, name, input[1], {input[1], heads, width}, {heads, width});
    p.width = width;
    p.heads = heads;
    const Index size = per_row({steps, heads * width});
    p.values = planner.training() ? planner.saved(size) : planner.scratch(size);
    if (planner.training()) p.gradient = planner.scratch(size);
    return p;
  }
  template <class T>
  Steps<T> head(T* data, Index rows, Index row, Index h) const {
    return {data + (row * heads + h) * width, rows * heads * width};
  }
  template <class T>
  Chunk<T> activity(const View<T>& v, Index input) const {
    return {v[values], v.x(input).steps, v.x(input).rows, heads * width};
  }
  template <class T>
  void forward(const View<T>& v, Index input, const ActivityPenalty& penalty) const {
    by.forward(v, v.x(input).vectors(), v.x(input).data, v[values]);
    penalty.forward(v, activity(v, input));
  }
  /// Overwrites dx(input), or with `more` adds to it by way of that scratch.
  template <class T>
  void backward(const View<T>& v, Index input, const ActivityPenalty& penalty,
                T* more = nullptr) const {
    const Chunk<const T> x = v.x(input);
    penalty.backward(v, activity(v, input), v[gradient]);
    const Chunk<T> dx = v.dx(input);
    by.backward_weights(v, x.vectors(), x.data, v[gradient]);
    if (!dx) return;
    by.backward_input(v, x.vectors(), v[gradient], more ? more : dx.data);
    for (Index i = 0; more && i < dx.size(); ++i) dx.data[i] += more[i];
  }
};

struct MultiHeadAttentionOp {
  AttentionCore core;
  HeadProduct product;  // of query and key
  Projected query, key, gate, value;
  Projection output;
  ActivityPenalty penalty;  // on what each projection gives
  Slot picked, dpicked;     // what the heads picked of the values
  Slot gated;               // that times the gate
  Slot more;                // a second gradient of one input
  Index key_input = 1;
  bool has_gate = false, returns_scores = false;

  Index width() const { return value.heads * value.width; }
  /// As queries meet keys; `back`: as their projection gave them.
  template <class T>
  void scale_by_width(Index vectors, T* queries, bool back = false) const {
    const double root = std::sqrt(static_cast<double>(query.width));
    const T scale = static_cast<T>(back ? root : 1 / root);
    for (Index i = 0; i < vectors * query.heads * query.width; ++i) queries[i] *= scale;
  }

  template <class T>
  void pack(const View<T>& v) const {
    for (const Projection* p : {&query.by, &key.by, &value.by, &output}) p->pack(v);
    if (has_gate) gate.by.pack(v);
  }
  template <class T>
  void forward(const View<T>& v) const {
    const Index rows = v.rows(), vectors = v.x().vectors();
    query.forward(v, 0, penalty);
    key.forward(v, key_input, penalty);
    value.forward(v, 1, penalty);
    scale_by_width(vectors, v[query.values]);
    for (Index r = 0; r < rows; ++r)
      for (Index h = 0; h < core.heads; ++h) {
        T* scores = core.scores(v, r, h);
        product.pack<T>(v, key.head<const T>(v[key.values], rows, r, h));
        product.to_scores<T>(v, query.head<const T>(v[query.values], rows, r, h), scores);
        core.forward<T>(v, r, h, value.head<const T>(v[value.values], rows, r, h),
                        value.head(v[picked], rows, r, h));
        if (returns_scores)
          std::copy_n(scores, core.size(), v.y(1).data + (h * rows + r) * core.size());
      }
    if (has_gate) {
      gate.forward(v, 0, {});
      kernels::sigmoid(vectors * width(), v[gate.values], v[gate.values]);
      penalty.forward(v, gate.activity(v, 0));
      multiply(vectors * width(), v[picked], v[gate.values], v[gated]);
    }
    output.forward<T>(v, vectors, has_gate ? v[gated] : v[picked], v.y().data);
    penalty.forward(v, v.y());
  }
  template <class T>
  void backward(const View<T>& v) const {
    const Index rows = v.rows(), vectors = v.x().vectors();
    if (v.dy()) {
      penalty.backward(v, v.y(), v.dy().data);
      if (has_gate) multiply(vectors * width(), v[picked], v[gate.values], v[gated]);
      output.backward_weights<T>(v, vectors, has_gate ? v[gated] : v[picked], v.dy().data);
      output.backward_input<T>(v, vectors, v.dy().data, v[dpicked]);
    } else {
      std::fill_n(v[dpicked], vectors * width(), T(0));
    }
    if (has_gate) {
      multiply(vectors * width(), v[dpicked], v[picked], v[gate.gradient]);
      penalty.backward(v, gate.activity(v, 0), v[gate.gradient]);
      kernels::activation_backward(ActivationFunction::sigmoid, vectors, width(), nullptr,
                                   v[gate.values], v[gate.gradient], v[gate.gradient]);
      multiply(vectors * width(), v[dpicked], v[gate.values], v[dpicked]);
    }
    std::fill_n(v[key.gradient], v.x(1).vectors() * key.heads * key.width, T(0));
    std::fill_n(v[value.gradient], v.x(1).vectors() * width(), T(0));
    for (Index r = 0; r < rows; ++r)
      for (Index h = 0; h < core.heads; ++h) backward_head(v, r, h);
    scale_by_width(vectors, v[query.gradient]);
    if (penalty) scale_by_width(vectors, v[query.values], true);
    query.backward<T>(v, 0, penalty);
    if (has_gate) gate.backward<T>(v, 0, {}, v[more]);
    value.backward<T>(v, 1, penalty);
    key.backward<T>(v, key_input, penalty, key_input == 1 ? v[more] : nullptr);
  }

 private:
  template <class T>
  void backward_head(const View<T>& v, Index r, Index h) const {
    const Index rows = v.rows();
    T* dscores = core.backward<T>(v, r, h, value.head<const T>(v[value.values], rows, r, h),
                                  value.head<const T>(v[dpicked], rows, r, h),
                                  value.head(v[value.gradient], rows, r, h));
    core.backward_dropout(v, r, h, dscores);
    if (returns_scores && v.dy(1)) {
      const T* given = v.dy(1).data + (h * rows + r) * core.size();
      for (Index i = 0; i < core.size(); ++i) dscores[i] += given[i];
    }
    core.backward_softmax(v, r, h, dscores);
    product.pack<T>(v, key.head<const T>(v[key.values], rows, r, h));
    product.to_queries<T>(v, dscores, query.head(v[query.gradient], rows, r, h));
    product.add_to_values<T>(dscores, query.head<const T>(v[query.values], rows, r, h),
                             key.head(v[key.gradient], rows, r, h));
  }
  template <class T>
  static void multiply(Index n, const T* a, const T* b, T* product) {
    for (Index i = 0; i < n; ++i) product[i] = a[i] * b[i];
  }
};

}  // namespace

AnyOp MultiHeadAttention::plan(Planner& planner) const {
  expect_attention_inputs(planner);
  const Index heads = *num_heads, value_width = value_dim.value_or(*key_dim);
  planner.at_least("num_heads", heads, 1);
  planner.at_least("key_dim", *key_dim, 1);
  planner.at_least("value_dim", value_width, 1);
  const Shape &query = planner.input(0), &value = planner.input(1);
  const Index features = output_shape.value_or(query[1]);
  planner.at_least("output_shape", features, 1);

  MultiHeadAttentionOp op;
  op.key_input = planner.inputs() - 1;
  op.has_gate = use_gate;
  op.returns_scores = return_attention_scores;
  // Weights are asked for in Keras' order.
  op.query = Projected::plan(planner, *this, "query", query, *key_dim);
  op.key = Projected::plan(planner, *this, "key", planner.input(op.key_input), *key_dim);
  if (use_gate) op.gate = Projected::plan(planner, *this, "gate", query, value_width);
  op.value = Projected::plan(planner, *this, "value", value, value_width);
  op.output = Projection::plan(planner, *this, "attention_output", heads * value_width,
                               {heads, value_width, features}, {features});
  std::vector<Index> hiding;
  for (Index i = 1; i < planner.inputs(); ++i)
    if (planner.masked(i)) hiding.push_back(i);
  // Keras has two ways to the same weights, which differ where a query step may see nothing.
  const bool is_fused = dropout == 0 && !return_attention_scores;
  op.core = AttentionCore::plan(planner, query[0], value[0],
                                {.heads = heads,
                                 .value_width = value_width,
                                 .is_causal = use_causal_mask,
                                 .window = sliding_window,
                                 .dropout = dropout,
                                 .seed = seed,
                                 .hidden = is_fused ? Hidden::replaced : Hidden::dropped,
                                 .hiding = std::move(hiding),
                                 .hides_queries = planner.masked(0)});
  op.product = HeadProduct::plan(planner, query[0], value[0], *key_dim);
  const Index picked = per_row({query[0], heads * value_width});
  op.picked = planner.training() ? planner.saved(picked) : planner.scratch(picked);
  if (use_gate) op.gated = planner.scratch(picked);
  if (planner.training()) {
    op.dpicked = planner.scratch(picked);
    op.more = planner.scratch(std::max(use_gate ? per_row(query) : 0, per_row(value)));
  }
  for (Index i = 0; i < planner.inputs(); ++i) planner.keep_input(i);
  planner.output({query[0], features});
  if (return_attention_scores) planner.output({heads, query[0], value[0]});
  op.penalty = ActivityPenalty::plan(planner, activity_regularizer);
  return op;
}

Tensor MultiHeadAttention::operator()(Tensor query, Tensor value) const {
  return outputs({std::move(query), std::move(value)}).front();
}

Tensor MultiHeadAttention::operator()(Tensor query, Tensor value, Tensor key) const {
  return outputs({std::move(query), std::move(value), std::move(key)}).front();
}

std::vector<Tensor> MultiHeadAttention::outputs(std::vector<Tensor> inputs) const {
  return apply(*this, std::move(inputs));
}

}  // namespace sonde
