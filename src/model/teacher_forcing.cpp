#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/encoder_decoder.hpp>

namespace sonde {
namespace {

bool is_categorical(const Loss& loss) {
  const TargetKind kind = target_kind(loss);
  return kind == TargetKind::class_numbers || kind == TargetKind::distribution;
}

}  // namespace

PreviousLabel::PreviousLabel(const Model& model, std::vector<float> start)
    : start_(std::move(start)) {
  const Graph graph = model.graph().flat();
  const auto refuse = [&](std::string_view message) {
    throw ArgumentError(fmt::format("EncoderDecoder: model \"{}\" {}", model.name(), message));
  };
  if (graph.inputs().size() != 2 || graph.outputs().size() != 1)
    refuse(
        fmt::format("has {} inputs and {} outputs. Expected two inputs, the signal and the "
                    "label before each label, and one output.",
                    graph.inputs().size(), graph.outputs().size()));
  input_ = graph.input_tensors().back().shape();
  const Shape& output = graph.output_tensors()[0].shape();
  if (input_.rank() > 2 || output.rank() != 2)
    refuse(
        fmt::format("reads labels of shape {} and gives {}. Expected (steps, width) and (steps, "
                    "outputs).",
                    to_string(input_), to_string(output)));
  outputs_ = output.last();
  width_ = input_.rank() == 1 ? 1 : input_.last();

  const auto& last = graph.layer(graph.calls()[static_cast<std::size_t>(graph.outputs()[0].call)]);
  const ActivationFunction ends = last.layer.final_activation();
  const CompileOptions* compiled = model.compiled();
  const Loss* loss = compiled && !compiled->loss.empty() ? &compiled->loss[0] : nullptr;
  classes_ = outputs_ > 1 &&
             (ends == ActivationFunction::softmax || (loss != nullptr && is_categorical(*loss)));
  if (ends == ActivationFunction::sigmoid) threshold_ = 0.5f;
  else if (loss != nullptr && target_kind(*loss) == TargetKind::probabilities) threshold_ = 0.0f;

  const bool number = width_ == 1 && outputs_ > 1 && classes_;
  if (width_ != outputs_ + 1 && width_ != outputs_ && !number)
    refuse(
        fmt::format("gives {} numbers for a label, and its last input reads {} numbers of the "
                    "label before. Expected {}: one more, which is 1 at the start.",
                    outputs_, width_, outputs_ + 1));
  if (start_.empty()) {
    start_.assign(static_cast<std::size_t>(width_), 0);
    if (width_ == outputs_ + 1) start_.back() = 1;
    if (number) start_.back() = static_cast<float>(outputs_);
  }
  if (static_cast<Index>(start_.size()) != width_)
    refuse(fmt::format("reads {} numbers of the label before, got {} to start with.", width_,
                       start_.size()));
}

Shape PreviousLabel::input_of(Index steps) const {
  Shape shape = input_;
  shape[0] = steps;
  return shape;
}

void PreviousLabel::write_start(float* to) const noexcept {
  std::copy(start_.begin(), start_.end(), to);
}

void PreviousLabel::write(const float* label, Index size, float* to) const noexcept {
  std::fill_n(to, width_, 0.0f);
  const bool is_number = size == 1 && outputs_ > 1;
  if (is_number && width_ == 1) {
    *to = std::isfinite(*label) ? *label : 0.0f;
  } else if (is_number) {
    if (*label >= 0 && *label < static_cast<float>(outputs_)) to[static_cast<Index>(*label)] = 1;
  } else if (width_ == 1 && outputs_ > 1) {
    *to = static_cast<float>(std::max_element(label, label + size) - label);
  } else {
    for (Index k = 0; k < size; ++k) to[k] = std::isfinite(label[k]) ? label[k] : 0.0f;
  }
}

void PreviousLabel::write_chosen(const float* output, float* to) const noexcept {
  if (classes_) {
    const auto likeliest = static_cast<float>(std::max_element(output, output + outputs_) - output);
    return write(&likeliest, 1, to);
  }
  write(output, outputs_, to);
  for (Index k = 0; threshold_ && k < outputs_; ++k) to[k] = output[k] > *threshold_ ? 1.0f : 0.0f;
}

TeacherForcing::TeacherForcing(const SampleSource& samples, PreviousLabel previous)
    : samples_(samples), previous_(std::move(previous)) {
  const std::vector<Shape> targets = samples.targets();
  if (targets.size() != 1 || targets[0].rank() < 1)
    throw DataError(fmt::format(
        "TeacherForcing: needs one array of labels, (samples, steps, …), got {}.", targets.size()));
  const Shape& target = targets[0];
  const Index size = target.rank() > 1 ? target.last() : 1;
  steps_ = target[0];
  const bool known = size == previous_.outputs() || (size == 1 && previous_.classes());
  if (target.rank() > 2 || !known)
    throw DataError(fmt::format(
        "TeacherForcing: y is (samples, {}, but the model gives {} numbers for each label. "
        "Expected y of shape (samples, steps, {}){}.",
        to_string(target).substr(1), previous_.outputs(), previous_.outputs(),
        previous_.classes() ? ", or class numbers (samples, steps, 1)" : ""));
  const Index expected = previous_.input()[0];
  if (expected != dynamic && expected != steps_)
    throw DataError(fmt::format(
        "TeacherForcing: y has {} labels for each sample, the decoder writes {}. Give it as many, "
        "or build the decoder's Input for {} steps.",
        steps_, expected, steps_));

  label_size_ = size;
  labels_ = Buffer<float>(samples.size() * steps_ * previous_.width());
  for (Index i = 0; i < samples.size(); ++i)
    write_labels(samples.sample(0, i).y[0], labels_.data() + i * steps_ * previous_.width());
}

void TeacherForcing::write_labels(const float* y, float* to) const noexcept {
  for (Index t = 0; t < steps_; ++t, to += previous_.width()) {
    if (t == 0) previous_.write_start(to);
    else previous_.write(y + (t - 1) * label_size_, label_size_, to);
  }
}

std::vector<Shape> TeacherForcing::inputs() const {
  std::vector<Shape> shapes = samples_.inputs();
  shapes.push_back(previous_.input_of(steps_));
  return shapes;
}

Sample TeacherForcing::sample(Index epoch, Index number) const noexcept {
  Sample sample = samples_.sample(epoch, number);
  sample.x[1] = labels_.data() + number * steps_ * previous_.width();
  return sample;
}

Index TeacherForcing::room() const {
  return samples_.room() == 0 ? 0 : samples_.room() + steps_ * previous_.width();
}

Sample TeacherForcing::training_sample(Index epoch, Index number, float* room) const noexcept {
  if (samples_.room() == 0) return sample(epoch, number);
  // Labels that moved in time are read as they came to lie.
  Sample sample = samples_.training_sample(epoch, number, room);
  float* labels = room + samples_.room();
  write_labels(sample.y[0], labels);
  sample.x[1] = labels;
  return sample;
}

}  // namespace sonde
