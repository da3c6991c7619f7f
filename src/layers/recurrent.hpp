#pragma once
#include <fmt/format.h>

#include <cmath>

#include "layers/recurrent_op.hpp"

/// How LSTM, GRU and SimpleRNN are checked and planned.
namespace sonde {

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

/// Steps of a segment, whose gates (`gates` scalars) and states beside h (`cells`) are kept while
/// backward goes through it; of each segment what was before it is kept all along. 0: all in one.
///   S (gates + cells) + steps / S cells   is least at   S = sqrt(steps cells / (gates + cells))
/// in whole blocks of the backward kernels, which take 256 pairs at a time, but at most 64 steps
/// with products of bfloat16, whose sums a cut elsewhere would change. Without c (GRU, SimpleRNN)
/// that is one block: what was before it is an h, and those are all kept.
inline Index segment_steps(Index steps, Index rows, Index gates, Index cells,
                           MatmulPrecision precision) {
  const Index block =
      precision == MatmulPrecision::bf16 ? 64 : std::max<Index>(1, kernels::block_pairs / rows);
  const auto least =
      static_cast<Index>(std::sqrt(static_cast<double>(steps) * static_cast<double>(cells) /
                                   static_cast<double>(gates + cells)));
  const Index segment = std::max<Index>(1, (least + block - 1) / block) * block;
  return segment < steps ? segment : 0;
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
  if (training) sizes.precision = planner.precision();
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
  const Index cells = Cell::states == 2 ? n : 0;
  if (training) {
    const Index kept =
        std::max(Cell::template gates_size<float>(sizes), Cell::template gates_size<double>(sizes));
    if (planner.recomputing())
      op.segment = segment_steps(steps, sizes.rows, kept, cells, sizes.precision);
    const auto book = [&](Index each) {
      return op.segment > 0 ? planner.scratch(op.segment * each) : planner.saved(steps * each);
    };
    op.gates = book(kept);
    if (cells > 0) op.cells = book(cells);
    if (cells > 0 && op.segment > 0) op.starts = planner.saved((op.pieces(steps) - 1) * cells);
    op.dh = planner.scratch(n);
    if (cells > 0) op.dc = planner.scratch(n);
  }
  if (training || Cell::forward_scratch)
    op.scratch = planner.scratch(0, std::max(Cell::template scratch_size<float>(sizes),
                                             Cell::template scratch_size<double>(sizes)));
  if (layer.stateful || planner.streaming()) {
    op.h = planner.state(n);
    if (cells > 0) op.c = planner.state(cells);
    if (training) op.first_h = planner.saved(n);
    if (training && cells > 0) op.first_c = planner.saved(cells);
  }
  // Only the last c is wanted: it is carried where it lies.
  if (!training && cells > 0) op.cells = op.c ? op.c : planner.scratch(cells);
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
  if constexpr (Cell::abreast) {
    const bool drops = training && (layer.dropout > 0 || layer.recurrent_dropout > 0);
    if (!drops && Cell::gains_abreast(sizes)) planner.share_weights();
    if (!drops) planner.share_units(Cell::unit_pieces(sizes));
  }
  return op;
}

}  // namespace sonde
