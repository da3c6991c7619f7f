#include <sonde/diagnosis.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <sonde/layers.hpp>

// Mistakes that people make with such networks, each with a thread where somebody made it, and the
// change that stands first. Every change that is offered is then trained for one step.
// keras#N is github.com/keras-team/keras/issues/N, tensorflow#N the same of tensorflow/tensorflow.
namespace sonde {
namespace {

/// What the labels are.
struct Labels {
  enum Kind { numbers, one_hot, values } kind = numbers;
  Index smallest = 0, largest = 1;  ///< of numbers
};

struct Mistake {
  const char* source;
  Shape input;
  std::vector<AnyLayer> layers;
  Shape y;
  Loss loss = BinaryCrossentropy{};
  Labels labels = {};
  std::string first;
  Shape output;                 ///< of the first change
  std::optional<Shape> x = {};  ///< where the array is not what the Input says
  Index weights = 0, classes = 0;
};

Conv1D conv(Index kernel_size, Padding padding = Padding::valid) {
  return {.filters = 4, .kernel_size = kernel_size, .padding = padding};
}
LSTM lstm(bool sequences) { return {.units = 4, .return_sequences = sequences}; }
Dense sigmoid(Index units = 1) { return {.units = units, .activation = Activation::sigmoid}; }
Dense softmax(Index units) { return {.units = units, .activation = Activation::softmax}; }
Dense linear(Index units = 1) { return {.units = units}; }
MaxPooling1D pool(Index size) { return {.pool_size = size}; }

constexpr auto same = Padding::same;
const Loss mse = MeanSquaredError{}, sparse = SparseCategoricalCrossentropy{},
           categorical = CategoricalCrossentropy{};

std::vector<Mistake> mistakes() {
  return {
      {.source = "stackoverflow 51344610: one label for each step, and the LSTM ends time",
       .input = {40, 3},
       .layers = {conv(8), pool(4), lstm(false), sigmoid()},
       .y = {40, 1},
       .first = "conv1d: padding = \"same\"; max_pooling1d left out; lstm: return_sequences = true",
       .output = {40, 1}},
      {.source = "keras#14627, tensorflow#37770: mse broadcasts (n, 40, 1) against (n, 1) unseen",
       .input = {40, 3},
       .layers = {lstm(false), linear()},
       .y = {40, 1},
       .loss = mse,
       .labels = {Labels::values},
       .first = "lstm: return_sequences = true",
       .output = {40, 1}},
      {.source = "tensorflow#30040: y (n,) and an output for each step",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {},
       .first = "lstm: return_sequences = false",
       .output = {1}},
      {.source = "keras#6318, keras#3621: one label for each signal, TimeDistributed makes 40",
       .input = {40, 3},
       .layers = {lstm(true), lstm(true), TimeDistributed{.layer = linear()}},
       .y = {1},
       .loss = mse,
       .labels = {Labels::values},
       .first = "GlobalAveragePooling1D after time_distributed",
       .output = {1}},
      {.source = "keras#13573: 2 dimensions expected, labels for each step given",
       .input = {10, 6},
       .layers = {lstm(true), linear(6), lstm(false), softmax(5)},
       .y = {10, 5},
       .loss = categorical,
       .labels = {Labels::one_hot},
       .first = "lstm_1: return_sequences = true",
       .output = {10, 5}},
      {.source = "keras#5663: TimeDistributed(Dense(96)) where each step has one value",
       .input = {12, 1},
       .layers = {lstm(true), TimeDistributed{.layer = linear(12)}},
       .y = {12, 1},
       .loss = mse,
       .labels = {Labels::values},
       .first = "time_distributed: units = 1",
       .output = {12, 1}},
      {.source = "keras#7403: an axis too many in X",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "X reshaped to (n, 40, 3)",
       .output = {40, 1},
       .x = Shape{40, 3, 1}},
      {.source = "keras#4518, keras#2415: ndim=3 expected, ndim=2 found: X without channels",
       .input = {40, 1},
       .layers = {conv(3, same), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "X reshaped to (n, 40, 1)",
       .output = {40, 1},
       .x = Shape{40}},
      {.source = "thesemicolon#5: Input((15,)) before an LSTM",
       .input = {15},
       .layers = {lstm(true), sigmoid()},
       .y = {15},
       .first = "X reshaped to (n, 15, 1); input_layer: shape (15, 1)",
       .output = {15, 1}},
      {.source = "keras#5222: a convolution behind an LSTM that ended time",
       .input = {40, 3},
       .layers = {lstm(false), conv(3, same), sigmoid()},
       .y = {40, 1},
       .first = "lstm: return_sequences = true",
       .output = {40, 1}},
      {.source = "keras.md 5, theme 2: the first of two LSTMs ends time",
       .input = {40, 3},
       .layers = {lstm(false), lstm(false), sigmoid()},
       .y = {1},
       .first = "lstm: return_sequences = true",
       .output = {1}},
      {.source = "keras.md 5, theme 2: both LSTMs end time, and each step has a label",
       .input = {40, 3},
       .layers = {lstm(false), lstm(false), sigmoid()},
       .y = {40, 1},
       .first = "lstm, lstm_1: return_sequences = true",
       .output = {40, 1}},
      {.source = "keras.md 4: a valid convolution leaves 36 of 40 steps",
       .input = {40, 3},
       .layers = {conv(5), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "conv1d: padding = \"same\"",
       .output = {40, 1}},
      {.source = "keras.md 4: pooling halves the steps",
       .input = {40, 3},
       .layers = {conv(5, same), pool(2), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "max_pooling1d left out",
       .output = {40, 1}},
      {.source = "keras.md 4, trap 2: strides halve the steps",
       .input = {40, 3},
       .layers = {Conv1D{.filters = 4, .kernel_size = 5, .strides = 2, .padding = same}, lstm(true),
                  sigmoid()},
       .y = {40, 1},
       .first = "conv1d: strides = 1",
       .output = {40, 1}},
      {.source = "keras.md 4: upsampled again, but 8 steps of a valid convolution are gone",
       .input = {40, 3},
       .layers = {conv(9), pool(4), lstm(true), UpSampling1D{.size = 4}, sigmoid()},
       .y = {40, 1},
       .first = "conv1d: padding = \"same\"",
       .output = {40, 1}},
      {.source = "keras.md 4: 42 steps are no multiple of the pool of 4",
       .input = {42, 3},
       .layers = {conv(5, same), pool(4), lstm(true), UpSampling1D{.size = 4}, sigmoid()},
       .y = {42, 1},
       .first = "y cut to the 40 steps from 0 on: (n, 40, 1)",
       .output = {40, 1}},
      {.source = "keras.md 5, theme 2: Flatten before the labels of the steps",
       .input = {40, 3},
       .layers = {conv(5, same), lstm(true), Flatten{}, sigmoid()},
       .y = {40, 1},
       .first = "flatten left out",
       .output = {40, 1}},
      {.source = "keras#6351: global pooling before the labels of the steps",
       .input = {40, 3},
       .layers = {lstm(true), TimeDistributed{.layer = linear(5)}, GlobalAveragePooling1D{},
                  sigmoid()},
       .y = {40, 1},
       .first = "global_average_pooling1d left out",
       .output = {40, 1}},
      {.source = "keras.md 5, theme 3: Bidirectional without return_sequences",
       .input = {40, 3},
       .layers = {Bidirectional{.layer = lstm(false)}, sigmoid()},
       .y = {40, 1},
       .first = "bidirectional: return_sequences = true",
       .output = {40, 1}},
      {.source = "keras#7509: softmax over one unit is always 1",
       .input = {40, 3},
       .layers = {lstm(true), linear(), Activation{.activation = Activation::softmax}},
       .y = {40, 1},
       .first = "activation: activation = \"sigmoid\"",
       .output = {40, 1}},
      {.source = "keras.md 4, trap 1: Dense(1, softmax) with class numbers of three classes",
       .input = {40, 3},
       .layers = {lstm(true), softmax(1)},
       .y = {40, 1},
       .loss = sparse,
       .labels = {Labels::numbers, 0, 2},
       .first = "dense: units = 3",
       .output = {40, 3}},
      {.source = "keras.md 4, trap 8: channels first, and Input made of X.shape[1:]",
       .input = {3, 40},
       .layers = {conv(3, same), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "X transposed to (n, 40, 3); input_layer: shape (40, 3)",
       .output = {40, 1}},
      {.source = "keras.md 4, trap 8: channels first for a model of (time, channels)",
       .input = {40, 3},
       .layers = {conv(3, same), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "X transposed to (n, 40, 3)",
       .output = {40, 1},
       .x = Shape{3, 40}},
      {.source = "keras.md 4, trap 8: labels with time last",
       .input = {40, 3},
       .layers = {lstm(true), softmax(5)},
       .y = {5, 40},
       .loss = categorical,
       .first = "y transposed to (n, 40, 5)",
       .output = {40, 5}},
      {.source = "a model of other channels",
       .input = {40, 3},
       .layers = {conv(3, same), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "input_layer: shape (40, 2)",
       .output = {40, 1},
       .x = Shape{40, 2}},
      {.source = "keras.md 5, theme 1: windows of another length than the Input's",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {60, 1},
       .first = "input_layer: shape (60, 3)",
       .output = {60, 1},
       .x = Shape{60, 3}},
      {.source = "a kernel longer than the signal",
       .input = {8, 3},
       .layers = {conv(9), lstm(false), sigmoid()},
       .y = {1},
       .first = "conv1d: padding = \"same\"",
       .output = {1}},
      {.source = "so much pooling that no step is left",
       .input = {12, 3},
       .layers = {pool(4), conv(3, same), pool(4), lstm(false), sigmoid()},
       .y = {1},
       .first = "max_pooling1d_1: padding = \"same\"",
       .output = {1}},
      {.source = "labels at a quarter of the signal's rate",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {10, 1},
       .first = "each label of y repeated 4 times: (n, 40, 1)",
       .output = {40, 1}},
      {.source = "labels at twice the signal's rate",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {80, 1},
       .first = "UpSampling1D(2) before dense",
       .output = {80, 1}},
      {.source = "keras.md 5, theme 3: RepeatVector of another length than the labels",
       .input = {40, 3},
       .layers = {lstm(false), RepeatVector{.n = 10}, lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "repeat_vector: n = 40",
       .output = {40, 1}},
      {.source = "categorical cross-entropy with class numbers",
       .input = {40, 3},
       .layers = {lstm(true), softmax(3)},
       .y = {40, 1},
       .loss = categorical,
       .labels = {Labels::numbers, 0, 2},
       .first = "loss sparse_categorical_crossentropy",
       .output = {40, 3}},
      {.source = "sparse categorical cross-entropy with one-hot labels",
       .input = {40, 3},
       .layers = {lstm(true), softmax(3)},
       .y = {40, 3},
       .loss = sparse,
       .labels = {Labels::one_hot},
       .first = "loss categorical_crossentropy",
       .output = {40, 3}},
      {.source = "as many units as there are not classes",
       .input = {40, 3},
       .layers = {lstm(true), softmax(3)},
       .y = {40, 1},
       .loss = sparse,
       .labels = {Labels::numbers, 0, 4},
       .first = "dense: units = 5",
       .output = {40, 5}},
      {.source = "classes numbered from 1",
       .input = {40, 3},
       .layers = {lstm(true), softmax(3)},
       .y = {40, 1},
       .loss = sparse,
       .labels = {Labels::numbers, 1, 3},
       .first = "y - 1: classes numbered from 0",
       .output = {40, 3}},
      {.source = "keras.md 5, theme 1: padded labels are -1",
       .input = {40, 3},
       .layers = {lstm(true), softmax(3)},
       .y = {40, 1},
       .loss = sparse,
       .labels = {Labels::numbers, -1, 2},
       .first = "loss sparse_categorical_crossentropy with ignore_class = -1",
       .output = {40, 3}},
      {.source = "class numbers with one sigmoid and binary cross-entropy",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {40, 1},
       .labels = {Labels::numbers, 0, 4},
       .first = "dense: units = 5, activation = \"softmax\"; loss sparse_categorical_crossentropy",
       .output = {40, 5}},
      {.source = "labels -1 and 1 with binary cross-entropy",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {40, 1},
       .labels = {Labels::numbers, -1, 1},
       .first = "(y + 1) / 2: labels 0 and 1 instead of -1 and 1",
       .output = {40, 1}},
      {.source = "measured values with a sigmoid and binary cross-entropy",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {40, 1},
       .labels = {Labels::values},
       .first = "dense: activation = \"linear\"; loss mean_squared_error",
       .output = {40, 1}},
      {.source = "from_logits = true on what a sigmoid gives",
       .input = {40, 3},
       .layers = {lstm(true), sigmoid()},
       .y = {40, 1},
       .loss = BinaryCrossentropy{.from_logits = true},
       .first = "loss binary_crossentropy with from_logits = false",
       .output = {40, 1}},
      {.source = "the LSTM is the output, and each step has one label",
       .input = {40, 3},
       .layers = {lstm(true)},
       .y = {40, 1},
       .first = "Dense(1, sigmoid) after lstm",
       .output = {40, 1}},
      {.source = "keras#411, keras#12475: a mask before a convolution",
       .input = {40, 3},
       .layers = {Masking{}, conv(3, same), lstm(true), sigmoid()},
       .y = {40, 1},
       .first = "conv1d: takes its input without the mask",
       .output = {40, 1}},
      {.source = "keras#1624, keras#3653: class_weight where one vector holds all labels",
       .input = {40, 3},
       .layers = {lstm(false), sigmoid(40)},
       .y = {40},
       .first = "Reshape((40, 1)) after dense",
       .output = {40, 1},
       .classes = 2},
      {.source = "keras#2594, keras#7120: weights of steps where one vector holds all labels",
       .input = {40, 3},
       .layers = {lstm(false), sigmoid(40)},
       .y = {40},
       .first = "Reshape((40, 1)) after dense",
       .output = {40, 1},
       .weights = 40},
      {.source = "keras#6848: weights of steps where each signal has one label",
       .input = {40, 3},
       .layers = {lstm(false), sigmoid()},
       .y = {1},
       .first = "sample weights: the mean of the steps of each signal, (n, 1)",
       .output = {1},
       .weights = 40},
  };
}

constexpr Index samples = 3;

Array noise(const Shape& shape) {
  Array array(shape);
  std::uint32_t state = 7;
  for (float& each : array.values()) {
    state = state * 1664525u + 1013904223u;
    each = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
  return array;
}

Array labels_of(const Mistake& mistake) {
  const Labels& l = mistake.labels;
  if (l.kind == Labels::values) return noise(mistake.y.with_front(samples));
  Array y(mistake.y.with_front(samples));
  if (l.kind == Labels::one_hot)
    for (Index i = 0, k = mistake.y.last(); i < y.size() / k; ++i) y.data()[i * k + i % k] = 1;
  else
    for (Index i = 0; i < y.size(); ++i)
      y.data()[i] = static_cast<float>(l.smallest + i % (l.largest - l.smallest + 1));
  return y;
}

/// One epoch with a change, from the arrays as they came.
void train(Fix& fix, const Mistake& mistake, const Array& x, const Array& y) {
  Array weights = mistake.weights > 0 ? Array({samples, mistake.weights}) : Array();
  for (float& each : weights.values()) each = 1;
  if (weights.size() > 0) weights = fix.change_weights(std::move(weights));
  fix.model.compile({.loss = Losses(fix.losses)});
  const History history = fix.model.fit(
      fix.change_x(x), fix.change_y(y),
      {.verbose = false,
       .class_weight = std::vector<float>(static_cast<std::size_t>(mistake.classes), 1.0f),
       .sample_weight = weights.size() > 0 ? &weights : nullptr});
  EXPECT_TRUE(std::isfinite(history.history.at("loss")[0]));
  const Array predicted = fix.model.predict(fix.change_x(x));
  EXPECT_EQ(to_string(predicted.shape().without_front()), to_string(fix.outputs[0]));
  Index parameters = 0;
  for (const Array& each : fix.model.get_weights()) parameters += each.size();
  EXPECT_EQ(parameters, fix.parameters);
}

TEST(Mistakes, that_people_make_are_mended_by_what_stands_first_and_every_change_trains) {
  const auto all = mistakes();
  EXPECT_GE(all.size(), 25u);
  std::size_t changes = 0;
  for (const Mistake& mistake : all) {
    SCOPED_TRACE(mistake.source);
    const Shape shape = mistake.x.value_or(mistake.input);
    const Array x = noise(shape.with_front(samples)), y = labels_of(mistake);
    Diagnosis d = diagnose(mistake.input, mistake.layers,
                           {.x = {shape},
                            .y = {mistake.y},
                            .labels = {facts_of(y)},
                            .weights = {mistake.weights},
                            .classes = mistake.classes},
                           std::vector<Loss>{mistake.loss});
    EXPECT_FALSE(d.fits());
    EXPECT_LE(d.fixes.size(), 5u);
    ASSERT_FALSE(d.fixes.empty()) << d.text();
    EXPECT_EQ(d.fixes[0].words(), mistake.first) << d.text();
    EXPECT_EQ(to_string(d.fixes[0].outputs[0]), to_string(mistake.output));
    for (Fix& fix : d.fixes) {
      SCOPED_TRACE(fix.words());
      ++changes;
      EXPECT_NO_THROW(train(fix, mistake, x, y));
    }
  }
  RecordProperty("mistakes", static_cast<int>(all.size()));
  RecordProperty("changes", static_cast<int>(changes));
}

}  // namespace
}  // namespace sonde
