#include "model/decoder_cut.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

bool is_any_of(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}
bool is_recurrent(const Graph::Call& call) {
  return is_any_of(call.node->instance->layer.type(), {"LSTM", "GRU", "SimpleRNN", "RNN"});
}
bool is_attention(const Graph::Call& call) {
  return is_any_of(call.node->instance->layer.type(),
                   {"Attention", "AdditiveAttention", "MultiHeadAttention"});
}

/// Whether an argument is true, or a number at all.
bool is_set(const Graph::Call& call, std::string_view argument) {
  for (const auto& [key, value] : call.node->instance->layer.config())
    if (key == argument) return value.as<bool>() ? *value.as<bool>() : !value.is_null();
  return false;
}

}  // namespace

void DecoderCut::refuse(const Graph::Call& call, std::string_view message) const {
  throw ArgumentError(fmt::format("EncoderDecoder: {} \"{}\" {}", graph_.layer(call).layer.type(),
                                  graph_.layer(call).name, message));
}

DecoderCut::DecoderCut(const Model& model, const PreviousLabel& previous) : graph_(model.graph()) {
  decoder_inputs.push_back(Input(previous.input_of(1)));
  const Graph::Source label = graph_.inputs().back(), output = graph_.outputs()[0];
  made_.emplace(std::make_pair(label.call, label.output), decoder_inputs[0]);
  for (Index c = 0; c < static_cast<Index>(graph_.calls().size()); ++c) {
    const Graph::Call& call = graph_.calls()[at(c)];
    if (std::any_of(call.inputs.begin(), call.inputs.end(),
                    [&](const Graph::Source& source) { return is_new(source); }))
      call_again(c);
  }
  const auto last = made_.find({output.call, output.output});
  if (last == made_.end())
    throw ArgumentError(fmt::format(
        "EncoderDecoder: the output of model \"{}\" does not depend on its last input, which must "
        "be the label before each label.",
        model.name()));
  decoder_outputs.insert(decoder_outputs.begin(), last->second);
  if (!(decoder_outputs[0].shape() == Shape{1, previous.outputs()}))
    refuse(graph_.calls()[at(output.call)],
           fmt::format("gives {} for one step. Expected {}.", to_string(last->second.shape()),
                       to_string(Shape{1, previous.outputs()})));
  if (encoder_outputs.empty())
    throw ArgumentError(fmt::format(
        "EncoderDecoder: the decoder of model \"{}\" reads nothing of the encoder. Give its first "
        "recurrent layer the encoder's states as initial_state.",
        model.name()));
}

Tensor DecoderCut::tie(EncoderDecoder::Tie::Kind kind, const Tensor* from, Shape shape) {
  Index output = -1;
  if (from != nullptr) {
    const auto found = std::find(encoder_outputs.begin(), encoder_outputs.end(), *from);
    output = found - encoder_outputs.begin();
    if (found == encoder_outputs.end()) encoder_outputs.push_back(*from);
  }
  ties.push_back({kind, output, shape});
  decoder_inputs.push_back(Input(std::move(shape)));
  return decoder_inputs.back();
}

Tensor DecoderCut::read(const Graph::Call& call, std::size_t input) {
  using Kind = EncoderDecoder::Tie::Kind;
  const Tensor& from = call.node->inputs[input];
  if (from.masked())
    refuse(call,
           "reads what has a mask, which the decoder for one step cannot know. Leave the mask out "
           "with without_mask().");
  const bool timed = from.shape().rank() > 1;
  const Kind kind = timed && !(is_attention(call) && input > 0) ? Kind::step : Kind::whole;
  for (std::size_t i = 0; i < ties.size(); ++i)
    if (ties[i].kind == kind && ties[i].output >= 0 && encoder_outputs[at(ties[i].output)] == from)
      return decoder_inputs[i + 1];
  Shape shape = from.shape();
  if (kind == Kind::step) shape[0] = 1;
  return tie(kind, &from, std::move(shape));
}

void DecoderCut::call_again(Index number) {
  const Graph::Call& call = graph_.calls()[at(number)];
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const Graph::Source& source = call.inputs[i];
    if (is_new(source) && source.output > 0 && is_recurrent(graph_.calls()[at(source.call)]))
      refuse(call, "reads the states of a decoder, which are known only when it has ended.");
    if (is_recurrent(call) && i > 0) {
      if (is_new(source)) refuse(call, "begins with states that the decoder itself makes.");
      const Tensor& from = call.node->inputs[i];
      inputs.push_back(tie(EncoderDecoder::Tie::state, &from, from.shape()));
    } else {
      inputs.push_back(is_new(source) ? made_.at({source.call, source.output}) : read(call, i));
    }
  }
  if (is_recurrent(call)) return call_recurrent(call, std::move(inputs), number);
  check_step_by_step(call, inputs);
  const std::vector<Tensor> outputs = SharedLayer(call.node)(std::move(inputs));
  for (std::size_t o = 0; o < outputs.size(); ++o)
    made_.emplace(std::make_pair(number, static_cast<Index>(o)), outputs[o]);
}

void DecoderCut::call_recurrent(const Graph::Call& call, std::vector<Tensor> inputs, Index number) {
  if (!is_set(call, "return_state"))
    refuse(call,
           "needs return_state = true: step by step, its states are what the next step begins "
           "with. Its weights do not change by that.");
  if (!is_set(call, "return_sequences"))
    refuse(call, "needs return_sequences = true: a decoder gives a label for each step.");
  if (is_set(call, "go_backwards"))
    refuse(call, "begins with the last label, so it cannot write labels one by one.");
  for (std::size_t s = 1; call.inputs.size() == 1 && s < call.node->outputs.size(); ++s)
    inputs.push_back(tie(EncoderDecoder::Tie::state, nullptr, call.node->outputs[s]));
  const std::vector<Tensor> outputs = SharedLayer(call.node)(std::move(inputs));
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    made_.emplace(std::make_pair(number, static_cast<Index>(o)), outputs[o]);
    if (o > 0) decoder_outputs.push_back(outputs[o]);
  }
}

void DecoderCut::check_step_by_step(const Graph::Call& call,
                                    const std::vector<Tensor>& inputs) const {
  const LayerInstance& instance = graph_.layer(call);
  if (is_attention(call)) {
    for (std::size_t i = 1; i < call.inputs.size(); ++i)
      if (is_new(call.inputs[i]))
        refuse(call, "reads the decoder's own steps, of which there is one at a time.");
    if (is_set(call, "use_causal_mask") || is_set(call, "sliding_window"))
      refuse(call, "reads another part of the encoder's steps at each step of its own.");
    return;
  }
  if (instance.layer.type() == "TimeDistributed") return;
  if (instance.layer.is_composite())
    refuse(call, "is made of other layers. Put them into the model in its place.");
  if (inputs[0].shape().rank() == 1) return;  // class numbers
  Planner planner = planner_for(instance, inputs, Mode::stream, 1);
  try {
    instance.layer.plan(planner);
  } catch (const ArgumentError& error) {
    throw ArgumentError(
        fmt::format("EncoderDecoder: the decoder works step by step, but {}", error.what()));
  }
  const Timing& t = planner.timing();
  if (t.window != 1 || t.stride != 1 || t.upsample != 1)
    refuse(call, "reads several steps of the decoder at once, which writes one at a time.");
}

}  // namespace sonde
