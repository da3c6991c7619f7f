#include <fmt/format.h>

#include <algorithm>
#include <sonde/encoder_decoder.hpp>

#include "data/finite.hpp"
#include "model/decoder_cut.hpp"

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

ArraySamples::Arrays weights_of(const Array* sample_weight) {
  if (sample_weight == nullptr) return {};
  return {sample_weight};
}

/// Step t of (samples, steps, …), as (samples, 1, …).
Array step_of(const Array& whole, Index t) {
  const Index samples = whole.shape()[0], steps = whole.shape()[1];
  const Index size = whole.size() / (samples * steps);
  Shape shape = whole.shape();
  shape[1] = 1;
  Array step(shape);
  for (Index r = 0; r < samples; ++r)
    std::copy_n(whole.data() + (r * steps + t) * size, size, step.data() + r * size);
  return step;
}

}  // namespace

EncoderDecoder::EncoderDecoder(Model& model, EncoderDecoderOptions options)
    : model_(&model), previous_(model, std::move(options.start)) {
  DecoderCut cut(model, previous_);
  ties_ = std::move(cut.ties);
  encoder_.emplace(std::vector<Tensor>{model.graph().input_tensors()[0]},
                   std::move(cut.encoder_outputs), ModelOptions{.name = model.name() + "_encoder"});
  decoder_.emplace(std::move(cut.decoder_inputs), std::move(cut.decoder_outputs),
                   ModelOptions{.name = model.name() + "_decoder"});
}

History EncoderDecoder::fit(const SampleSource& samples, FitOptions options) {
  const TeacherForcing taught = teach(samples);
  std::optional<TeacherForcing> validation;
  if (options.validation_data != nullptr)
    options.validation_data = &validation.emplace(*options.validation_data, previous_);
  return model_->fit(taught, std::move(options));
}

History EncoderDecoder::fit(const Array& x, const Array& y, FitOptions options) {
  check_finite(x, "X");
  const ArraySamples samples({&x}, {&y}, weights_of(options.sample_weight));
  return fit(samples, std::move(options));
}

Logs EncoderDecoder::evaluate(const Array& x, const Array& y, EvaluateOptions options) {
  check_finite(x, "X");
  const ArraySamples samples({&x}, {&y}, weights_of(options.sample_weight));
  return model_->evaluate(teach(samples), options);
}

Index EncoderDecoder::steps_for(const Array& x, const DecodeOptions& options) const {
  Index steps = options.steps;
  if (steps == 0) steps = previous_.input()[0];
  if (steps == dynamic && x.shape().rank() > 1) steps = x.shape()[1];
  if (steps < 1)
    throw ArgumentError(
        fmt::format("EncoderDecoder: decode needs at least 1 step, got {}.", steps));
  return steps;
}

Array EncoderDecoder::decode(const Array& x, DecodeOptions options) {
  const Index steps = steps_for(x, options), samples = x.shape().rank() > 0 ? x.shape()[0] : 0;
  if (options.batch_size < 1)
    throw ArgumentError(
        fmt::format("EncoderDecoder: batch_size must be at least 1, got {}.", options.batch_size));
  Array result({samples, steps, previous_.outputs()});
  const PredictOptions predict{.batch_size = options.batch_size, .threads = options.threads};
  for (Index begin = 0; begin < samples; begin += options.batch_size) {
    const Index end = std::min(begin + options.batch_size, samples);
    decode_batch(x.slice(begin, end), steps, predict,
                 result.data() + begin * steps * previous_.outputs());
  }
  return result;
}

void EncoderDecoder::decode_batch(const Array& x, Index steps, const PredictOptions& options,
                                  float* to) {
  const Index samples = x.shape()[0], width = previous_.width(), outputs = previous_.outputs();
  std::vector<Array> signal;
  signal.push_back(x);
  const std::vector<Array> memory = encoder_->predict(signal, options);

  std::vector<Array> inputs;
  inputs.reserve(ties_.size() + 1);
  Array& label = inputs.emplace_back(previous_.input_of(1).with_front(samples));
  for (Index r = 0; r < samples; ++r) previous_.write_start(label.data() + r * width);
  for (const Tie& tie : ties_) {
    if (tie.kind == Tie::step && memory[at(tie.output)].shape()[1] < steps)
      throw DataError(fmt::format(
          "EncoderDecoder: the encoder gives {} steps, and the decoder reads one for each label: "
          "it cannot write {}.",
          memory[at(tie.output)].shape()[1], steps));
    if (tie.kind != Tie::step && tie.output >= 0) inputs.push_back(memory[at(tie.output)]);
    else inputs.emplace_back(tie.shape.with_front(samples));
  }
  for (Index t = 0; t < steps; ++t) {
    for (std::size_t i = 0; i < ties_.size(); ++i)
      if (ties_[i].kind == Tie::step) inputs[i + 1] = step_of(memory[at(ties_[i].output)], t);
    std::vector<Array> made = decoder_->predict(inputs, options);
    for (Index r = 0; r < samples; ++r) {
      const float* output = made[0].data() + r * outputs;
      std::copy_n(output, outputs, to + (r * steps + t) * outputs);
      previous_.write_chosen(output, inputs[0].data() + r * width);
    }
    auto state = made.begin() + 1;
    for (std::size_t i = 0; i < ties_.size(); ++i)
      if (ties_[i].kind == Tie::state) inputs[i + 1] = std::move(*state++);
  }
}

}  // namespace sonde
