#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <sonde/layer.hpp>
#include <span>

#include "kernels/kernels.hpp"
#include "layers/dropout_mask.hpp"

/// What runs LSTM, GRU and SimpleRNN. A Cell names the kernels of one of them:
///   gates, states   how many; states are h, or h and c
///   packed_size<T>, gates_size<T>, scratch_size<T>, pack, forward, backward
///   abreast         whether forward and backward take several shards in one walk, and a share of
///                   it; then gains_abreast and unit_pieces too: whether, and among how many
///                   workers at most, that may be faster
namespace sonde {

/// The masks of dropout and recurrent_dropout: one for each row and feature, the same at all steps.
struct RecurrentDropout {
  double rate = 0, recurrent_rate = 0;
  std::optional<Index> seed = {};
  Index gates =
      1;  ///< that have masks of their own. Keras: as soon as there is a recurrent_dropout
  Index channels = 0, units = 0;
  Slot x = {}, h = {};

  void book(Planner& planner, Index cell_gates) {
    if (recurrent_rate > 0) gates = cell_gates;
    if (rate > 0) x = planner.saved(gates * channels);
    if (recurrent_rate > 0) h = planner.saved(gates * units);
  }
  template <class T>
  kernels::DropoutMasks<T> masks(const View<T>& v) const {
    if (!v.training()) return {};
    return {.x = v[x], .h = v[h], .per_gate = gates > 1};
  }
  template <class T>
  void draw(const View<T>& v) const {
    if (!v.training()) return;
    const RandomKey key = mask_key(v, seed);
    if (x) draw_part(v, random_part(key, 0), channels, rate, v[x]);
    if (h) draw_part(v, random_part(key, 1), units, recurrent_rate, v[h]);
  }

 private:
  template <class T>
  void draw_part(const View<T>& v, RandomKey key, Index width, double share, T* mask) const {
    for (Index g = 0; g < gates; ++g)
      for (Index r = 0; r < v.rows(); ++r, mask += width)
        draw_mask(key, (v.row_number(r) * gates + g) * width, width, share, mask);
  }
};

static_assert(most_abreast <= static_cast<Index>(kernels::most_abreast));

template <class Cell>
struct RecurrentOp {
  static constexpr bool has_c = Cell::states == 2;

  kernels::RecurrentSizes sizes;
  bool sequences = false;  // the output is every step, not the last
  bool states = false;     // the states after the last step are outputs too
  bool given = false;      // the states before the first step are inputs
  bool streaming = false;
  bool masked = false;  // steps that the mask of x leaves out are skipped
  bool zeros = false;   // and their outputs are zeros
  /// Steps whose gates and c are kept at a time, to be computed again by backward; 0: all are kept.
  Index segment = 0;
  Slot kernel, recurrent_kernel, bias, packed;
  Slot every_h;  // h of every step in input order; none when the output is just that
  Slot cells;    // c of every step of a segment or of all when training, else only the last: `c`,
                 // where there is one
  Slot gates;    // of as many steps
  Slot starts;   // c before each segment but the first
  Slot h, c;     // carried from call to call
  Slot first_h, first_c;  // what they were when the call began, when training
  Slot dh, dc, scratch;
  RecurrentDropout dropout;

  /// Steps of the walk over time that one call of a kernel takes: a segment, or all.
  template <class T>
  struct Piece {
    kernels::RecurrentSizes sizes;
    Index t = 0;            // the first of them in memory
    const T* h0 = nullptr;  // (rows, units) before the first of the walk; null: zeros
    const T* c0 = nullptr;
  };

  template <class T>
  kernels::RecurrentSizes sizes_of(const View<T>& v) const {
    kernels::RecurrentSizes s = sizes;
    s.steps = v.x().steps;
    s.rows = v.rows();
    return s;
  }
  /// Of the step that is processed last.
  Index last(const kernels::RecurrentSizes& s) const { return s.backwards ? 0 : s.steps - 1; }
  Index pieces(Index steps) const { return segment > 0 ? (steps + segment - 1) / segment : 1; }

  /// Piece k of the walk. The kernels give the same bits however time is cut.
  template <class T>
  Piece<T> piece(const View<T>& v, Index k) const {
    Piece<T> p{.sizes = sizes_of(v)};
    const Index all = p.sizes.steps, done = k * segment, size = p.sizes.rows * p.sizes.units;
    if (segment > 0) p.sizes.steps = std::min(segment, all - done);
    p.t = p.sizes.backwards ? all - done - p.sizes.steps : done;
    if (k == 0) {
      p.h0 = before(v, first_h, h, 1);
      if (has_c) p.c0 = before(v, first_c, c, 2);
    } else {
      p.h0 = every(v) + (p.sizes.backwards ? p.t + p.sizes.steps : p.t - 1) * size;
      if (has_c) p.c0 = v[starts] + (k - 1) * size;
    }
    return p;
  }
  /// h of every step, in input order.
  template <class T>
  T* every(const View<T>& v) const {
    return every_h ? v[every_h] : v.y().data;
  }

  template <class T>
  void pack(const View<T>& v) const {
    Cell::pack(sizes, v[kernel], v[recurrent_kernel], v[bias], v[packed]);
  }

  /// Several shards in one walk over time, where the kernels can.
  template <class T>
  using Shards = std::span<const View<T>>;

  template <class T>
  void forward(const View<T>& v) const {
    forward_abreast(Shards<T>(&v, 1), {});
  }
  template <class T>
  void backward(const View<T>& v) const {
    backward_abreast(Shards<T>(&v, 1), {});
  }

  /// Workers that share the walk deal out what is done for each shard by itself.
  template <class T>
  void forward_abreast(Shards<T> shards, const Share& share) const {
    const kernels::RecurrentSizes s = sizes_of(shards[0]);
    const Index size = s.rows * s.units;
    share.deal(shards, [&](const View<T>& v) {
      if (sequences) v.produce(s.steps);
      begin(v, size);
      if (s.steps > 0) dropout.draw(v);
    });
    if (s.steps == 0) return;
    const Index last_piece = pieces(s.steps) - 1;
    for (Index k = 0; k <= last_piece; ++k) {
      walk(shards, k, segment == 0, share);
      if (!has_c || k == last_piece) continue;
      share.deal(shards,
                 [&](const View<T>& v) { std::copy_n(v[cells], size, v[starts] + k * size); });
    }
    share.deal(shards, [&](const View<T>& v) { finish(v, s); });
  }

  /// From h and c of every step to what the layer gives.
  template <class T>
  void finish(const View<T>& v, const kernels::RecurrentSizes& s) const {
    const Index size = s.rows * s.units;
    const T* all = every(v);
    const T* last_h = all + last(s) * size;
    if (!sequences) copy_used(v, s, last(s), last_h, v.y().data);
    else if (every_h)
      for (Index t = 0; t < s.steps; ++t)
        copy_used(v, s, t, all + t * size, v.y().step(s.backwards ? s.steps - 1 - t : t));
    if (states) std::copy_n(last_h, size, v.y(1).data);
    if (h) std::copy_n(last_h, size, v[h]);
    if constexpr (has_c) {
      const T* last_c = v[cells] + (gates && segment == 0 ? last(s) * size : 0);
      if (states) std::copy_n(last_c, size, v.y(2).data);
      if (c && last_c != v[c]) std::copy_n(last_c, size, v[c]);
    }
  }

  /// Piece k. `keep`: gates, and c of every step, for backward.
  template <class T>
  void walk(Shards<T> shards, Index k, bool keep, const Share& share) const {
    std::array<kernels::RecurrentForward<T>, most_abreast> calls;
    kernels::RecurrentSizes s;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const View<T>& v = shards[i];
      const Piece<T> p = piece(v, k);
      s = p.sizes;
      calls[i] = {.x = v.x().step(p.t),
                  .packed = v[packed],
                  .h0 = p.h0,
                  .c0 = p.c0,
                  .y = every(v) + p.t * s.rows * s.units,
                  .c = v[cells],
                  .gates = keep ? v[gates] : nullptr,
                  .scratch = v[scratch],
                  .mask = masked ? v.mask().step(p.t) : nullptr,
                  .dropout = dropout.masks(v)};
    }
    const std::span<const kernels::RecurrentForward<T>> all(calls.data(), shards.size());
    if constexpr (Cell::abreast) Cell::forward(s, all, share);
    else share.deal(all, [&](const auto& call) { Cell::forward(s, call); });
  }

  /// h of step t as the output says it.
  template <class T>
  void copy_used(const View<T>& v, const kernels::RecurrentSizes& s, Index t, const T* step_h,
                 T* y) const {
    std::copy_n(step_h, s.rows * s.units, y);
    zero_masked(v, s, t, y);
  }
  /// Zeros for the rows that the mask leaves out at step t, where that is asked for.
  template <class T>
  void zero_masked(const View<T>& v, const kernels::RecurrentSizes& s, Index t, T* y) const {
    for (Index r = 0; zeros && r < s.rows; ++r)
      if (v.mask().data[t * s.rows + r] == T(0)) std::fill_n(y + r * s.units, s.units, T(0));
  }

  /// Puts the states of the first step where before() looks for them.
  template <class T>
  void begin(const View<T>& v, Index size) const {
    if (!h) return;
    const auto put = [&](Slot state, Slot first, Index input) {
      if (given && (v.first() || !streaming)) std::copy_n(v.x(input).data, size, v[state]);
      if (first) std::copy_n(v[state], size, v[first]);
    };
    put(h, first_h, 1);
    if constexpr (has_c) put(c, first_c, 2);
  }
  /// A state before the first step, or null for zeros.
  template <class T>
  const T* before(const View<T>& v, Slot first, Slot state, Index input) const {
    return first ? v[first] : state ? v[state] : given ? v.x(input).data : nullptr;
  }

  template <class T>
  void backward_abreast(Shards<T> shards, const Share& share) const {
    const kernels::RecurrentSizes s = sizes_of(shards[0]);
    share.deal(shards, [&](const View<T>& v) { begin_back(v, s); });
    for (Index k = pieces(s.steps) - 1; k >= 0; --k) {
      if (segment > 0) walk(shards, k, true, share);  // writes the h that is there once more
      walk_back(shards, k, share);
    }
    share.deal(shards, [&](const View<T>& v) {
      if (given && v.dx(1)) std::copy_n(v[dh], s.rows * s.units, v.dx(1).data);
      if constexpr (has_c)
        if (given && v.dx(2)) std::copy_n(v[dc], s.rows * s.units, v.dx(2).data);
    });
  }

  /// From the gradients of the outputs to those of the last states and, in input order, of every h.
  template <class T>
  void begin_back(const View<T>& v, const kernels::RecurrentSizes& s) const {
    const Index size = s.rows * s.units;
    start_gradient(v[dh], states ? v.dy(1).data : nullptr, size);
    if constexpr (has_c) start_gradient(v[dc], states ? v.dy(2).data : nullptr, size);
    T* dy = v.dy().data;
    if (dy && !sequences) {
      zero_masked(v, s, last(s), dy);
      kernels::add(size, dy, v[dh]);
    }
    if (dy && sequences && s.backwards)  // back to input order
      for (Index t = 0; t < s.steps / 2; ++t)
        std::swap_ranges(dy + t * size, dy + (t + 1) * size, dy + (s.steps - 1 - t) * size);
    if (dy && sequences && zeros)
      for (Index t = 0; t < s.steps; ++t) zero_masked(v, s, t, dy + t * size);
  }

  /// Piece k.
  template <class T>
  void walk_back(Shards<T> shards, Index k, const Share& share) const {
    std::array<kernels::RecurrentBackward<T>, most_abreast> calls;
    kernels::RecurrentSizes s;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const View<T>& v = shards[i];
      const Piece<T> p = piece(v, k);
      s = p.sizes;
      const Index at = p.t * s.rows * s.units;
      calls[i] = {.x = v.x().step(p.t),
                  .packed = v[packed],
                  .h0 = p.h0,
                  .c0 = p.c0,
                  .y = every(v) + at,
                  .c = v[cells],
                  .gates = v[gates],
                  .dy = sequences && v.dy() ? v.dy().data + at : nullptr,
                  .dh = v[dh],
                  .dc = v[dc],
                  .dx = v.dx() ? v.dx().step(p.t) : nullptr,
                  .dw = v.gradient(kernel),
                  .du = v.gradient(recurrent_kernel),
                  .db = v.gradient(bias),
                  .scratch = v[scratch],
                  .mask = masked ? v.mask().step(p.t) : nullptr,
                  .dropout = dropout.masks(v)};
    }
    const std::span<const kernels::RecurrentBackward<T>> all(calls.data(), shards.size());
    if constexpr (Cell::abreast) Cell::backward(s, all, share);
    else share.deal(all, [&](const auto& call) { Cell::backward(s, call); });
  }
  /// to = from, or zeros when nobody reads that output.
  template <class T>
  static void start_gradient(T* to, const T* from, Index size) {
    if (from) std::copy_n(from, size, to);
    else std::fill_n(to, size, T(0));
  }
};

}  // namespace sonde
