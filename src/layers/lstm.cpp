#include <fmt/format.h>

#include <algorithm>
#include <sonde/layers/lstm.hpp>

#include "kernels/kernels.hpp"
#include "layers/dropout_mask.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

/// The masks of dropout and recurrent_dropout: one for each row and feature, the same at all steps.
struct LstmDropout {
  double rate = 0, recurrent_rate = 0;
  std::optional<Index> seed = {};
  Slot x = {}, h = {};
  bool per_gate = false;  ///< Keras: as soon as there is a recurrent_dropout

  static LstmDropout plan(Planner& planner, const LSTM& layer, Index channels) {
    LstmDropout d{layer.dropout, layer.recurrent_dropout, layer.seed};
    d.per_gate = d.recurrent_rate > 0;
    if (d.rate > 0) d.x = planner.saved((d.per_gate ? 4 : 1) * channels);
    if (d.recurrent_rate > 0) d.h = planner.saved(4 * *layer.units);
    return d;
  }
  template <class T>
  kernels::DropoutMasks<T> masks(const View<T>& v) const {
    if (!v.training()) return {};
    return {.x = v[x], .h = v[h], .per_gate = per_gate};
  }
  template <class T>
  void draw(const View<T>& v, const kernels::RecurrentSizes& s) const {
    if (!v.training()) return;
    const RandomKey key = mask_key(v, seed);
    if (x) draw_part(v, random_part(key, 0), per_gate ? 4 : 1, s.channels, rate, v[x]);
    if (h) draw_part(v, random_part(key, 1), 4, s.units, recurrent_rate, v[h]);
  }
  template <class T>
  static void draw_part(const View<T>& v, RandomKey key, Index gates, Index width, double rate,
                        T* mask) {
    for (Index g = 0; g < gates; ++g)
      for (Index r = 0; r < v.rows(); ++r, mask += width)
        draw_mask(key, ((v.first_row() + r) * gates + g) * width, width, rate, mask);
  }
};

struct LstmOp {
  kernels::RecurrentSizes sizes;
  bool sequences = false;  // the output is every step, not the last
  bool states = false;     // h and c after the last step are outputs too
  bool given = false;      // h and c before the first step are inputs
  bool streaming = false;
  Slot kernel, recurrent_kernel, bias, packed;
  Slot every_h;  // h of every step in input order; none when the output is just that
  Slot cells;    // c of every step when training, else only the last
  Slot gates;
  Slot h, c;              // carried from call to call
  Slot first_h, first_c;  // what they were when the call began, for backward
  Slot dh, dc, scratch;
  LstmDropout dropout;

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
    kernels::lstm_pack(sizes, v[kernel], v[recurrent_kernel], v[bias], v[packed]);
  }

  template <class T>
  void forward(const View<T>& v) const {
    const kernels::RecurrentSizes s = sizes_of(v);
    const Index size = s.rows * s.units;
    if (sequences) v.produce(s.steps);
    begin(v, size);
    if (s.steps == 0) return;
    dropout.draw(v, s);
    T* all = every_h ? v[every_h] : v.y().data;
    kernels::lstm_forward(s, kernels::RecurrentForward<T>{.x = v.x().data,
                                                          .packed = v[packed],
                                                          .h0 = before_h(v),
                                                          .c0 = before_c(v),
                                                          .y = all,
                                                          .c = v[cells],
                                                          .gates = v[gates],
                                                          .dropout = dropout.masks(v)});
    const T* last_h = all + last(s) * size;
    const T* last_c = v[cells] + (gates ? last(s) * size : 0);
    if (!sequences) std::copy_n(last_h, size, v.y().data);
    else if (s.backwards)
      for (Index t = 0; t < s.steps; ++t)
        std::copy_n(all + (s.steps - 1 - t) * size, size, v.y().step(t));
    if (states) {
      std::copy_n(last_h, size, v.y(1).data);
      std::copy_n(last_c, size, v.y(2).data);
    }
    if (h) {
      std::copy_n(last_h, size, v[h]);
      std::copy_n(last_c, size, v[c]);
    }
  }

  /// Puts the states of the first step where before_h() and before_c() look for them.
  template <class T>
  void begin(const View<T>& v, Index size) const {
    if (!h) return;
    if (given && (v.first() || !streaming)) {
      std::copy_n(v.x(1).data, size, v[h]);
      std::copy_n(v.x(2).data, size, v[c]);
    }
    if (first_h) {
      std::copy_n(v[h], size, v[first_h]);
      std::copy_n(v[c], size, v[first_c]);
    }
  }
  template <class T>
  const T* before_h(const View<T>& v) const {
    return first_h ? v[first_h] : h ? v[h] : given ? v.x(1).data : nullptr;
  }
  template <class T>
  const T* before_c(const View<T>& v) const {
    return first_c ? v[first_c] : c ? v[c] : given ? v.x(2).data : nullptr;
  }

  template <class T>
  void backward(const View<T>& v) const {
    const kernels::RecurrentSizes s = sizes_of(v);
    const Index size = s.rows * s.units;
    start_gradient(v[dh], states ? v.dy(1).data : nullptr, size);
    start_gradient(v[dc], states ? v.dy(2).data : nullptr, size);
    T* dy = v.dy().data;
    if (dy && !sequences)
      for (Index i = 0; i < size; ++i) v[dh][i] += dy[i];
    if (dy && sequences && s.backwards)  // back to input order
      for (Index t = 0; t < s.steps / 2; ++t)
        std::swap_ranges(dy + t * size, dy + (t + 1) * size, dy + (s.steps - 1 - t) * size);
    kernels::lstm_backward(s, kernels::RecurrentBackward<T>{.x = v.x().data,
                                                            .packed = v[packed],
                                                            .h0 = before_h(v),
                                                            .c0 = before_c(v),
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
                                                            .dropout = dropout.masks(v)});
    if (given && v.dx(1)) std::copy_n(v[dh], size, v.dx(1).data);
    if (given && v.dx(2)) std::copy_n(v[dc], size, v.dx(2).data);
  }
  /// to = from, or zeros when nobody reads that output.
  template <class T>
  static void start_gradient(T* to, const T* from, Index size) {
    if (from) std::copy_n(from, size, to);
    else std::fill_n(to, size, T(0));
  }
};

void check(const Planner& planner, const LSTM& layer) {
  if (planner.inputs() != 1 && planner.inputs() != 3)
    planner.refuse(fmt::format("takes x, or x and an initial state of h and c, got {} inputs.",
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
          fmt::format("initial_state must be h and c of shape {}, got {}. "
                      "Take them from an LSTM of as many units with return_state = true.",
                      to_string(Shape{*layer.units}), to_string(planner.input(i))));
  const auto check_rate = [&](const char* name, double rate) {
    if (!(rate >= 0 && rate < 1))
      planner.refuse(
          fmt::format("{} must be at least 0 and below 1, got {}. It is the share that is dropped.",
                      name, rate));
  };
  check_rate("dropout", layer.dropout);
  check_rate("recurrent_dropout", layer.recurrent_dropout);
  const auto check_function = [&](const char* name, ActivationFunction f) {
    if (f == ActivationFunction::softmax || f == ActivationFunction::log_softmax)
      planner.refuse(
          fmt::format("{} must act on each number by itself, got {}. Use tanh or sigmoid.", name,
                      enum_names(f)[static_cast<std::size_t>(f)]));
  };
  check_function("activation", layer.activation);
  check_function("recurrent_activation", layer.recurrent_activation);
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

}  // namespace

AnyOp LSTM::plan(Planner& planner) const {
  check(planner, *this);
  const Index n = *units, channels = planner.input()[1];
  const Index steps = std::max<Index>(planner.input()[0], 0);  // 0 while unknown
  const bool training = planner.training();
  LstmOp op;
  op.sizes = {.steps = steps,
              .rows = planner.rows(),
              .channels = channels,
              .units = n,
              .backwards = go_backwards,
              .activation = activation,
              .recurrent_activation = recurrent_activation};
  op.sequences = return_sequences;
  op.states = return_state;
  op.given = planner.inputs() == 3;
  op.streaming = planner.streaming();

  op.kernel = planner.weight("kernel", {channels, 4 * n},
                             {kernel_initializer, kernel_regularizer, kernel_constraint});
  op.recurrent_kernel =
      planner.weight("recurrent_kernel", {n, 4 * n},
                     {recurrent_initializer, recurrent_regularizer, recurrent_constraint});
  if (use_bias) {
    WeightOptions options{bias_initializer, bias_regularizer, bias_constraint};
    if (unit_forget_bias) options.ones_begin = n, options.ones_end = 2 * n;  // of i f c o
    op.bias = planner.weight("bias", {4 * n}, std::move(options));
  }
  op.packed = planner.packed(std::max(kernels::lstm_packed_size<float>(op.sizes),
                                      kernels::lstm_packed_size<double>(op.sizes)));

  if (!return_sequences || go_backwards)
    op.every_h = training ? planner.saved(steps * n) : planner.scratch(steps * n);
  op.cells = training ? planner.saved(steps * n) : planner.scratch(n);
  if (training) {
    op.gates = planner.saved(steps * std::max(kernels::lstm_gates_size<float>(op.sizes),
                                              kernels::lstm_gates_size<double>(op.sizes)));
    op.dh = planner.scratch(n);
    op.dc = planner.scratch(n);
    op.scratch = planner.scratch(0, std::max(kernels::lstm_scratch_size<float>(op.sizes),
                                             kernels::lstm_scratch_size<double>(op.sizes)));
  }
  if (stateful || planner.streaming()) {
    op.h = planner.state(n);
    op.c = planner.state(n);
    op.first_h = planner.saved(n);
    op.first_c = planner.saved(n);
  }
  op.dropout = LstmDropout::plan(planner, *this, channels);
  for (Index i = 0; i < planner.inputs(); ++i) planner.keep_input(i);
  if (!op.every_h) planner.keep_output();

  planner.output(return_sequences ? Shape{planner.input()[0], n} : Shape{n});
  if (return_state) {
    planner.output({n});
    planner.output({n});
  }
  planner.timing({.recurrent = true});
  return op;
}

}  // namespace sonde
