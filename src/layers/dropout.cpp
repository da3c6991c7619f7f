#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/dropout.hpp>

#include "layers/dropout_mask.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

struct DropoutOp {
  double rate;
  std::optional<Index> seed;
  Slot mask;  // like the input; none when nothing is ever dropped
  // Axes that share one draw.
  bool same_rows = false, same_steps = false, same_width = false;

  template <class T>
  bool drops(const View<T>& v) const {
    return mask && v.training();
  }
  template <class T>
  void forward(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    v.produce(x.steps);
    T* y = v.y().data;
    if (!drops(v)) {
      std::copy_n(x.data, x.size(), y);
      return;
    }
    draw(v);
    const T* m = v[mask];
    for (Index i = 0; i < x.size(); ++i) y[i] = x.data[i] * m[i];
  }
  template <class T>
  void backward(const View<T>& v) const {
    if (!v.dx()) return;
    const Chunk<T> dy = v.dy();
    if (!drops(v)) {
      std::copy_n(dy.data, dy.size(), v.dx().data);
      return;
    }
    const T* m = v[mask];
    for (Index i = 0; i < dy.size(); ++i) v.dx().data[i] = dy.data[i] * m[i];
  }
  /// A number's position is its place in the whole batch, so shards draw what the batch would.
  template <class T>
  void draw(const View<T>& v) const {
    const Chunk<const T> x = v.x();
    const RandomKey key = mask_key(v, seed);
    const Index steps = same_steps ? 1 : x.steps, width = same_width ? 1 : x.width;
    T* m = v[mask];
    for (Index t = 0; t < x.steps; ++t)
      for (Index r = 0; r < x.rows; ++r, m += x.width) {
        const Index row = same_rows ? 0 : v.row_number(r);
        draw_mask(key, (row * steps + (same_steps ? 0 : t)) * width, width, rate, m);
        if (same_width) std::fill_n(m + 1, x.width - 1, m[0]);
      }
  }
};

}  // namespace

AnyOp Dropout::plan(Planner& planner) const {
  if (planner.inputs() != 1)
    planner.refuse(fmt::format("takes one input, got {}.", planner.inputs()));
  if (!(*rate >= 0 && *rate <= 1))
    planner.refuse(
        fmt::format("rate must be from 0 to 1, got {}. It is the share that is dropped.", *rate));
  const Shape& input = planner.input();
  planner.output(input);
  planner.pass_mask();
  DropoutOp op{.rate = *rate, .seed = seed, .mask = {}};
  if (*rate > 0) op.mask = planner.saved(per_row(input));
  if (!noise_shape) return op;

  const Shape& noise = *noise_shape;
  bool fits = noise.rank() == input.rank() + 1 && (noise[0] == 1 || noise[0] == dynamic);
  for (Index a = 0; fits && a < input.rank(); ++a)
    fits = noise[a + 1] == 1 || noise[a + 1] == dynamic || noise[a + 1] == input[a];
  if (!fits)
    planner.refuse(
        fmt::format("noise_shape must have a size for the batch and for each axis of {}, "
                    "1 to share a draw or None, got {}.",
                    to_string(input), to_string(noise)));
  const Index first = input.rank() >= 2 ? 2 : 1;  // axis of noise where the width begins
  Index shared = 0, wide = 0;
  for (Index a = first; a < noise.rank(); ++a) {
    wide += input[a - 1] != 1;
    shared += input[a - 1] != 1 && noise[a] == 1;
  }
  if (shared != 0 && shared != wide)
    planner.refuse(
        fmt::format("noise_shape = {} shares some of the axes after time and not others. "
                    "Share all of them or none.",
                    to_string(noise)));
  op.same_rows = noise[0] == 1;
  op.same_steps = first == 2 && noise[1] == 1;
  op.same_width = shared != 0;
  return op;
}

Tensor Dropout::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
