#include <algorithm>
#include <limits>
#include <sonde/layers/embedding.hpp>

#include "layers/one_input.hpp"

namespace sonde {
namespace {

struct EmbeddingOp {
  Index rows, width;  // of the embeddings
  bool from_vector;   // the input has no time: its features are the steps
  bool masks;         // id 0 is padding
  Slot embeddings;

  template <class T>
  void forward(const View<T>& v) const {
    if (!from_vector) v.produce(v.x().steps);
    const T* table = v[embeddings];
    if (masks)
      each(v.x(), [&](Index i, Index to) {
        v.made_mask().data[to / width] = v.x().data[i] != 0 ? T(1) : T(0);
      });
    each(v.x(), [&](Index i, Index to) {
      const Index row = row_of(v.x().data[i]);
      if (row >= 0) std::copy_n(table + row * width, width, v.y().data + to);
      else std::fill_n(v.y().data + to, width, std::numeric_limits<T>::quiet_NaN());
    });
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dy = v.dy().data;
    T* gradient = v.gradient(embeddings);
    each(v.x(), [&](Index i, Index from) {
      const Index row = row_of(v.x().data[i]);
      for (Index k = 0; row >= 0 && k < width; ++k) gradient[row * width + k] += dy[from + k];
    });
    if (v.dx()) std::fill_n(v.dx().data, v.dx().size(), T(0));
  }
  /// The row that x names, fractions cut off; -1 when there is none.
  template <class T>
  Index row_of(T x) const {
    return x > -1 && x < static_cast<T>(rows) ? static_cast<Index>(x) : -1;
  }
  /// Calls f(place of a number, place of its vector).
  template <class T, class F>
  void each(const Chunk<T>& x, F f) const {
    for (Index i = 0; i < x.size(); ++i)
      f(i, from_vector ? (i % x.width * x.rows + i / x.width) * width : i * width);
  }
};

}  // namespace

AnyOp Embedding::plan(Planner& planner) const {
  expect_one_input(planner);
  planner.at_least("input_dim", *input_dim, 1);
  planner.at_least("output_dim", *output_dim, 1);
  const Shape& input = planner.input();
  const bool from_vector = input.rank() == 1;
  if (mask_zero && !from_vector)
    planner.refuse(fmt::format("mask_zero needs ids of shape (time,), got {}.", to_string(input)));
  if (mask_zero) planner.make_mask();
  else planner.pass_mask();
  if (from_vector)
    planner.cannot_stream(
        fmt::format("its input of shape {} has no time axis. Use (time, 1), and Reshape after it.",
                    to_string(input)));
  std::vector<Index> sizes(input.begin(), input.end());
  sizes.push_back(*output_dim);
  planner.output(Shape(std::move(sizes)));
  planner.keep_input();
  return EmbeddingOp{
      *input_dim, *output_dim, from_vector, mask_zero,
      planner.weight("embeddings", {*input_dim, *output_dim},
                     {embeddings_initializer, embeddings_regularizer, embeddings_constraint})};
}

Tensor Embedding::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
