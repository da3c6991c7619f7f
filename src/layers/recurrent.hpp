#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sonde/layer.hpp>

#include "kernels/kernels.hpp"
#include "layers/dropout_mask.hpp"

/// What LSTM, GRU and SimpleRNN share. A Cell names the kernels of one of them:
///   gates, states   how many; states are h, or h and c
///   packed_size<T>, gates_size<T>, scratch_size<T>, pack, forward, backward
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
  Slot kernel, recurrent_kernel, bias, packed;
  Slot every_h;  // h of every step in input order; none when the output is just that
  Slot cells;    // c of every step when training, else only the last
  Slot gates;
  Slot h, c;              // carried from call to call
  Slot first_h, first_c;  // what they were when the call began, for backward
  Slot dh, dc, scratch;
  RecurrentDropout dropout;

  template <class T>
  kernels::RecurrentSizes sizes_of(const View<T>& v) const {
    kernels::RecurrentSizes s = sizes;
    s.steps = v.x().steps;
    s.rows = v.rows();
    return s;
  }
  /// Of the step that is processed last.
  Index last(const kernels::RecurrentSizes& s) const { return s.backwards ? 0 : s.steps - 1; }

  template <class T>
  void pack(const View<T>& v) const {
    Cell::pack(sizes, v[kernel], v[recurrent_kernel], v[bias], v[packed]);
  }

  template <class T>
  void forward(const View<T>& v) const {
    const kernels::RecurrentSizes s = sizes_of(v);
    const Index size = s.rows * s.units;
    if (sequences) v.produce(s.steps);
    begin(v, size);
    if (s.steps == 0) return;
    dropout.draw(v);
    T* all = every_h ? v[every_h] : v.y().data;
    Cell::forward(s, kernels::RecurrentForward<T>{.x = v.x().data,
                                                  .packed = v[packed],
                                                  .h0 = before(v, first_h, h, 1),
                                                  .c0 = has_c ? before(v, first_c, c, 2) : nullptr,
                                                  .y = all,
                                                  .c = v[cells],
                                                  .gates = v[gates],
                                                  .scratch = v[scratch],
                                                  .mask = masked ? v.mask().data : nullptr,
                                                  .dropout = dropout.masks(v)});
    const T* last_h = all + last(s) * size;
    if (!sequences) copy_used(v, s, last(s), last_h, v.y().data);
    else if (every_h)
      for (Index t = 0; t < s.steps; ++t)
        copy_used(v, s, t, all + t * size, v.y().step(s.backwards ? s.steps - 1 - t : t));
    if (states) std::copy_n(last_h, size, v.y(1).data);
    if (h) std::copy_n(last_h, size, v[h]);
    if constexpr (has_c) {
      const T* last_c = v[cells] + (gates ? last(s) * size : 0);
      if (states) std::copy_n(last_c, size, v.y(2).data);
      if (c) std::copy_n(last_c, size, v[c]);
    }
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
  void backward(const View<T>& v) const {
    const kernels::RecurrentSizes s = sizes_of(v);
    const Index size = s.rows * s.units;
    start_gradient(v[dh], states ? v.dy(1).data : nullptr, size);
    if constexpr (has_c) start_gradient(v[dc], states ? v.dy(2).data : nullptr, size);
    T* dy = v.dy().data;
    if (dy && !sequences) {
      zero_masked(v, s, last(s), dy);
      for (Index i = 0; i < size; ++i) v[dh][i] += dy[i];
    }
    if (dy && sequences && s.backwards)  // back to input order
      for (Index t = 0; t < s.steps / 2; ++t)
        std::swap_ranges(dy + t * size, dy + (t + 1) * size, dy + (s.steps - 1 - t) * size);
    if (dy && sequences && zeros)
      for (Index t = 0; t < s.steps; ++t) zero_masked(v, s, t, dy + t * size);
    Cell::backward(s,
                   kernels::RecurrentBackward<T>{.x = v.x().data,
                                                 .packed = v[packed],
                                                 .h0 = before(v, first_h, h, 1),
                                                 .c0 = has_c ? before(v, first_c, c, 2) : nullptr,
                                                 .y = every_h ? v[every_h] : v.y().data,
                                                 .c = v[cells],
                                                 .gates = v[gates],
                                                 .dy = sequences ? dy : nullptr,
                                                 .dh = v[dh],
                                                 .dc = v[dc],
                                                 .dx = v.dx().data,
                                                 .dw = v.gradient(kernel),
                                                 .du = v.gradient(recurrent_kernel),
                                                 .db = v.gradient(bias),
                                                 .scratch = v[scratch],
                                                 .mask = masked ? v.mask().data : nullptr,
                                                 .dropout = dropout.masks(v)});
    if (given && v.dx(1)) std::copy_n(v[dh], size, v.dx(1).data);
    if constexpr (has_c)
      if (given && v.dx(2)) std::copy_n(v[dc], size, v.dx(2).data);
  }
  /// to = from, or zeros when nobody reads that output.
  template <class T>
  static void start_gradient(T* to, const T* from, Index size) {
    if (from) std::copy_n(from, size, to);
    else std::fill_n(to, size, T(0));
  }
};

inline void check_rate(const Planner& planner, std::string_view name, double rate) {
  if (!(rate >= 0 && rate < 1))
    planner.refuse(fmt::format(
        "{} must be at least 0 and below 1, got {}. It is the share that is dropped.", name, rate));
}

/// Refuses what does not act on each number by itself.
inline void check_function(const Planner& planner, std::string_view name, ActivationFunction f) {
  if (f == ActivationFunction::softmax || f == ActivationFunction::log_softmax)
    planner.refuse(fmt::format("{} must act on each number by itself, got {}. Use tanh or sigmoid.",
                               name, enum_names(f)[static_cast<std::size_t>(f)]));
}

template <class L>
void check_recurrent(const Planner& planner, const L& layer, Index states) {
  const std::string_view of = states == 2 ? "h and c" : "h";
  if (planner.inputs() != 1 && planner.inputs() != 1 + states)
    planner.refuse(fmt::format("takes x, or x and an initial state of {}, got {} inputs.", of,
                               planner.inputs()));
  if (planner.input().rank() != 2)
    planner.refuse(fmt::format(
        "expects an input of shape (time, channels), got {}.{}", to_string(planner.input()),
        planner.input().rank() == 1
            ? " A recurrent layer before it may need return_sequences = true."
            : ""));
  planner.at_least("units", *layer.units, 1);
  for (Index i = 1; i < planner.inputs(); ++i)
    if (!(planner.input(i) == Shape{*layer.units}))
      planner.refuse(
          fmt::format("initial_state must be {} of shape {}, got {}. "
                      "Take {} from {} {} of as many units with return_state = true.",
                      of, to_string(Shape{*layer.units}), to_string(planner.input(i)),
                      states == 2 ? "them" : "it", L::type == "LSTM" ? "an" : "a", L::type));
  check_rate(planner, "dropout", layer.dropout);
  check_rate(planner, "recurrent_dropout", layer.recurrent_dropout);
  check_function(planner, "activation", layer.activation);
  if (!layer.return_sequences)
    planner.cannot_stream(
        "return_sequences is false, so its output is known only when the signal "
        "ends. Use return_sequences = true.");
  if (layer.go_backwards) planner.cannot_stream("go_backwards begins with the last step.");
  if (layer.return_state)
    planner.cannot_stream(
        "return_state gives states that are known only when the signal ends. "
        "Use return_state = false.");
}

/// Plans a layer whose own arguments stand in `sizes` and in the bias.
template <class Cell, class L>
RecurrentOp<Cell> plan_recurrent(Planner& planner, const L& layer, kernels::RecurrentSizes sizes,
                                 Shape bias_shape, WeightOptions bias_options) {
  const Index n = *layer.units, channels = planner.input()[1];
  const Index steps = std::max<Index>(planner.input()[0], 0);  // 0 while unknown
  const bool training = planner.training();
  RecurrentOp<Cell> op;
  sizes.steps = steps;
  sizes.rows = planner.rows();
  sizes.channels = channels;
  sizes.units = n;
  sizes.backwards = layer.go_backwards;
  sizes.activation = layer.activation;
  op.sizes = sizes;
  op.sequences = layer.return_sequences;
  op.states = layer.return_state;
  op.given = planner.inputs() > 1;
  op.streaming = planner.streaming();
  // Keras 3.15 loses sight of a mask that comes together with an initial state.
  op.masked = planner.masked() && !op.given;
  op.zeros = layer.zero_output_for_mask && op.masked;

  op.kernel =
      planner.weight("kernel", {channels, Cell::gates * n},
                     {layer.kernel_initializer, layer.kernel_regularizer, layer.kernel_constraint});
  op.recurrent_kernel = planner.weight(
      "recurrent_kernel", {n, Cell::gates * n},
      {layer.recurrent_initializer, layer.recurrent_regularizer, layer.recurrent_constraint});
  if (layer.use_bias)
    op.bias = planner.weight("bias", std::move(bias_shape), std::move(bias_options));
  op.packed = planner.packed(std::max(Cell::template packed_size<float>(sizes),
                                      Cell::template packed_size<double>(sizes)));

  if (!op.sequences || sizes.backwards || op.zeros)
    op.every_h = training ? planner.saved(steps * n) : planner.scratch(steps * n);
  if (Cell::states == 2) op.cells = training ? planner.saved(steps * n) : planner.scratch(n);
  if (training) {
    op.gates = planner.saved(steps * std::max(Cell::template gates_size<float>(sizes),
                                              Cell::template gates_size<double>(sizes)));
    op.dh = planner.scratch(n);
    if (Cell::states == 2) op.dc = planner.scratch(n);
  }
  if (training || Cell::forward_scratch)
    op.scratch = planner.scratch(0, std::max(Cell::template scratch_size<float>(sizes),
                                             Cell::template scratch_size<double>(sizes)));
  if (layer.stateful || planner.streaming()) {
    op.h = planner.state(n);
    op.first_h = planner.saved(n);
    if (Cell::states == 2) op.c = planner.state(n), op.first_c = planner.saved(n);
  }
  op.dropout = {.rate = layer.dropout,
                .recurrent_rate = layer.recurrent_dropout,
                .seed = layer.seed,
                .channels = channels,
                .units = n};
  op.dropout.book(planner, Cell::gates);
  for (Index i = 0; i < planner.inputs(); ++i) planner.keep_input(i);
  if (!op.every_h) planner.keep_output();

  planner.output(op.sequences ? Shape{planner.input()[0], n} : Shape{n});
  for (Index state = 0; op.states && state < Cell::states; ++state) planner.output({n});
  if (op.sequences) planner.pass_mask();
  else planner.end_mask();
  planner.timing({.recurrent = true});
  return op;
}

}  // namespace sonde
