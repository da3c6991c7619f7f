#include <gtest/gtest.h>

#include <cmath>
#include <sonde/encoder_decoder.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>

#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::same_bits;
using testing::says;

Array wave(Shape shape, float step) {
  Array array(std::move(shape));
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = std::sin(step * static_cast<float>(i + 1));
  return array;
}

::testing::AssertionResult same(const Array& a, const Array& b) {
  return same_bits(a.values(), b.values());
}

constexpr Index samples = 5, steps = 7, classes = 4;
const Array signals = wave({samples, 9, 3}, 0.37f);

/// {signal (9, 3), label before (7, 5)} → (7, 4).
Model labeller() {
  return make_network(
      "encoder-decoder", {9, 3},
      {.units = 6, .outputs = classes, .label_steps = steps, .activation = Activation::softmax});
}

/// What a decoder must write, by the training model alone: the label of each step is looked up in
/// the prediction for all steps, and put before the next.
Array written_by(Model& model, const Array& x, Index width) {
  const Index outputs = model.graph().output_tensors()[0].shape().last();
  std::vector<Array> inputs;
  inputs.push_back(x);
  inputs.emplace_back(Shape{samples, steps, width});
  Array written;
  for (Index n = 0; n < samples; ++n) inputs[1](n, 0, width - 1) = 1;
  for (Index t = 0; t < steps; ++t) {
    written = model.predict(inputs).front();
    for (Index n = 0; n < samples && t + 1 < steps; ++n) {
      const float* p = written.data() + (n * steps + t) * outputs;
      if (outputs == 1) inputs[1](n, t + 1, 0) = p[0] > 0.5f ? 1.0f : 0.0f;
      else inputs[1](n, t + 1, std::max_element(p, p + outputs) - p) = 1;
    }
  }
  return written;
}

TEST(EncoderDecoder, writes_step_by_step_what_the_training_model_gives_for_those_labels) {
  Model model = labeller();
  const Array written = EncoderDecoder(model).decode(signals);
  ASSERT_EQ(written.shape(), (Shape{samples, steps, classes}));
  EXPECT_TRUE(same(written, written_by(model, signals, classes + 1)));
}

TEST(EncoderDecoder, chooses_0_or_1_where_there_is_one_output) {
  Model model = make_network("encoder-decoder", {9, 3}, {.units = 6, .label_steps = steps});
  // So that labels change from step to step.
  auto weights = model.get_weights();
  for (Array& each : weights)
    for (float& w : each.values()) w *= 6;
  model.set_weights(weights);
  const Array written = EncoderDecoder(model).decode(signals);
  EXPECT_TRUE(same(written, written_by(model, signals, 2)));
}

TEST(EncoderDecoder, shares_the_layers_that_training_changes) {
  Model model = labeller();
  EncoderDecoder sequence(model);
  const Array before = sequence.decode(signals);
  model.compile(
      {.optimizer = Adam{.learning_rate = 0.01f}, .loss = SparseCategoricalCrossentropy{}});
  Array labels({samples, steps});
  for (Index i = 0; i < labels.size(); ++i) labels.data()[i] = static_cast<float>(i * i % classes);
  sequence.fit(signals, labels, {.epochs = 3, .verbose = false});
  const Array after = sequence.decode(signals);
  EXPECT_FALSE(same(after, before));
  EXPECT_TRUE(same(after, written_by(model, signals, classes + 1)));
  EXPECT_TRUE(same(after, EncoderDecoder(model).decode(signals)));
}

TEST(EncoderDecoder, does_not_depend_on_batches_and_threads) {
  Model model = labeller();
  EncoderDecoder sequence(model);
  const Array written = sequence.decode(signals);
  for (const int threads : {1, 2})
    for (const Index batch : {1, 3})
      EXPECT_TRUE(
          same(sequence.decode(signals, {.batch_size = batch, .threads = threads}), written));
}

TEST(EncoderDecoder, writes_as_many_steps_as_asked_or_as_the_signal_has) {
  Model model = make_network("encoder-decoder", {dynamic, 3}, {.units = 4});
  EncoderDecoder sequence(model);
  EXPECT_EQ(sequence.decode(signals).shape(), (Shape{samples, 9, 1}));
  const Array few = sequence.decode(signals, {.steps = 4});
  EXPECT_EQ(few.shape(), (Shape{samples, 4, 1}));
  EXPECT_EQ(few(3, 3, 0), sequence.decode(signals)(3, 3, 0));
}

TEST(EncoderDecoder, trains_on_signals_and_labels_of_different_open_lengths) {
  Model open = make_network("encoder-decoder", {dynamic, 3}, {.units = 4}),
        fixed = make_network("encoder-decoder", {9, 3}, {.units = 4, .label_steps = steps});
  const Array labels({samples, steps, 1});
  std::vector<double> losses;
  for (Model* model : {&open, &fixed}) {
    model->compile({.loss = BinaryCrossentropy{}});
    EncoderDecoder sequence(*model);
    sequence.fit(signals, labels, {.epochs = 2, .verbose = false});
    losses.push_back(sequence.evaluate(signals, labels).at("loss"));
  }
  EXPECT_EQ(losses[0], losses[1]);
}

// --- the labels before ---------------------------------------------------------------------------

/// What the decoder reads for one sample with these labels.
std::vector<float> taught(const Model& model, Shape shape, std::vector<float> labels,
                          std::vector<float> start = {}) {
  const Array x({1, 9, 3}), y(shape.with_front(1), labels);
  const ArraySamples source({&x}, {&y});
  const PreviousLabel previous(model, std::move(start));
  const TeacherForcing forced(source, previous);
  const float* read = forced.sample(0, 0).x[1];
  return {read, read + forced.inputs()[1].elements()};
}

/// {signal (9, 3), label before (3, width)} → (3, outputs).
Model model_of(Index width, Index outputs, Activation::Function activation) {
  const Tensor x = Input({9, 3}), previous = Input({3, width});
  auto states = LSTM{.units = 4, .return_state = true}.outputs(x);
  states.erase(states.begin());
  const Tensor h =
      LSTM{.units = 4, .return_sequences = true, .return_state = true}(previous, states);
  return Model({x, previous}, {Dense{.units = outputs, .activation = activation}(h)});
}

TEST(TeacherForcing, puts_the_true_label_before_each_step_and_marks_the_start) {
  const Model of_classes = model_of(4, 3, Activation::softmax);
  const std::vector<float> one_hot = {0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0};
  EXPECT_EQ(taught(of_classes, {3, 1}, {2, 0, 1}), one_hot);
  EXPECT_EQ(taught(of_classes, {3}, {2, 0, 1}), one_hot);
  EXPECT_EQ(taught(of_classes, {3, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0}), one_hot);
  EXPECT_EQ(taught(model_of(2, 1, Activation::sigmoid), {3, 1}, {1, 0, 1}),
            (std::vector<float>{0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(taught(model_of(3, 2, Activation::linear), {3, 2}, {0.5f, -1, 2, 3, 4, 5}),
            (std::vector<float>{0, 0, 1, 0.5f, -1, 0, 2, 3, 0}));
}

TEST(TeacherForcing, takes_a_start_of_the_users_own) {
  EXPECT_EQ(taught(model_of(3, 3, Activation::softmax), {3, 1}, {2, 0, 1}, {0, 1, 0}),
            (std::vector<float>{0, 1, 0, 0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(taught(model_of(1, 3, Activation::softmax), {3, 1}, {2, 0, 1}),
            (std::vector<float>{3, 2, 0}))
      << "class numbers, and as many as there are to start with";
}

TEST(TeacherForcing, leaves_zeros_for_labels_that_nobody_knows) {
  EXPECT_EQ(taught(model_of(4, 3, Activation::softmax), {3, 1}, {NAN, -1, 1}),
            (std::vector<float>{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(taught(model_of(2, 1, Activation::sigmoid), {3, 1}, {NAN, 1, 1}),
            (std::vector<float>{0, 1, 0, 0, 1, 0}));
}

TEST(TeacherForcing, refuses_labels_that_do_not_fit) {
  const Model model = model_of(4, 3, Activation::softmax);
  EXPECT_EQ(refused_with<DataError>([&] {
              taught(model, {3, 2}, {0, 0, 0, 0, 0, 0});
            }),
            "TeacherForcing: y is (samples, 3, 2), but the model gives 3 numbers for each label. "
            "Expected y of shape (samples, steps, 3), or class numbers (samples, steps, 1).");
  EXPECT_EQ(refused_with<DataError>([&] {
              taught(model, {2, 1}, {0, 0});
            }),
            "TeacherForcing: y has 2 labels for each sample, the decoder writes 3. Give it as "
            "many, or build the decoder's Input for 2 steps.");
}

// --- what can be cut in two ----------------------------------------------------------------------

std::string why_not(Tensor x, Tensor previous, Tensor y) {
  Model model({std::move(x), std::move(previous)}, {std::move(y)});
  return refused_with<ArgumentError>([&] { EncoderDecoder sequence(model); });
}

TEST(EncoderDecoder, says_what_stands_in_the_way_of_writing_step_by_step) {
  const Tensor x = Input({9, 3}), previous = Input({9, 2});
  const auto encode = [&] {
    auto states = LSTM{.units = 4, .return_state = true}.outputs(x);
    states.erase(states.begin());
    return states;
  };
  const auto decode = [&](Tensor from, bool return_state = true) {
    return LSTM{
        .units = 4, .return_sequences = true, .return_state = return_state, .name = "decoder"}(
        from, encode());
  };
  const Dense label{.units = 1, .activation = Activation::sigmoid};
  EXPECT_EQ(why_not(x, previous, Dense(label)(decode(previous, false))),
            "EncoderDecoder: LSTM \"decoder\" needs return_state = true: step by step, its states "
            "are what the next step begins with. Its weights do not change by that.");
  EXPECT_PRED2(
      says,
      why_not(x, previous,
              Dense(label)(Conv1D{
                  .filters = 4, .kernel_size = 3, .padding = Padding::causal, .name = "look_back"}(
                  decode(previous)))),
      "Conv1D \"look_back\" reads several steps of the decoder at once");
  EXPECT_PRED2(
      says,
      why_not(x, previous,
              Dense(label)(Bidirectional{.layer = LSTM{.units = 4, .return_sequences = true},
                                         .name = "both"}(decode(previous)))),
      "Bidirectional \"both\" is made of other layers");
  EXPECT_PRED2(says,
               why_not(x, previous, Dense(label)(LSTM{.units = 4, .return_sequences = true}(x))),
               "does not depend on its last input");
  EXPECT_PRED2(says,
               why_not(x, previous,
                       Dense(label)(LSTM{
                           .units = 4, .return_sequences = true, .return_state = true}(previous))),
               "reads nothing of the encoder");
  Model plain = make_network("conv-lstm", {9, 3});
  EXPECT_PRED2(says, refused_with<ArgumentError>([&] { EncoderDecoder sequence(plain); }),
               "has 1 inputs and 1 outputs. Expected two inputs");
  EXPECT_PRED2(
      says, refused_with<ArgumentError>([] { PreviousLabel(model_of(5, 3, Activation::softmax)); }),
      "gives 3 numbers for a label, and its last input reads 5");
}

// --- layers of a model ---------------------------------------------------------------------------

TEST(SharedLayer, is_called_again_with_the_weights_of_its_model) {
  Model model = make_network("conv-lstm", {9, 3}, {.filters = 4, .kernel_size = 2, .units = 5});
  const SharedLayer lstm = model.get_layer("lstm");
  EXPECT_EQ(lstm.type(), "LSTM");
  EXPECT_EQ(lstm.name(), model.get_layer(2).name());
  EXPECT_EQ(lstm.outputs()[0].shape(), (Shape{9, 5}));

  // What the model computes, in two halves.
  Model lower(model.graph().input_tensors()[0], lstm.inputs()[0]);
  const Tensor z = Input({9, 4});
  Model upper(z, model.get_layer("dense")(lstm({z}))[0]);
  model.compile({.optimizer = Adam{.learning_rate = 0.01f}, .loss = BinaryCrossentropy{}});
  model.fit(signals, Array({samples, 9, 1}), {.verbose = false});
  EXPECT_TRUE(same(upper.predict(lower.predict(signals)), model.predict(signals)));
}

TEST(SharedLayer, is_found_by_name_and_number_only) {
  const Model model = make_network("conv-lstm", {9, 3});
  EXPECT_EQ(refused_with<ArgumentError>([&] { model.get_layer("lsmt"); }),
            "Model \"conv_lstm\": get_layer: \"lsmt\" is not known. Did you mean \"lstm\"?");
  EXPECT_EQ(refused_with<ArgumentError>([&] { model.get_layer(4); }),
            "Model \"conv_lstm\": get_layer(4) is none of its layers 0 to 3.");
}

}  // namespace
}  // namespace sonde
