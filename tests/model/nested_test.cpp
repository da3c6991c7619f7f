#include <gtest/gtest.h>

#include <sonde/layers.hpp>
#include <sonde/model.hpp>

#include "tests/support/near.hpp"

namespace sonde {
namespace {

using testing::same_bits;

Array wave(Shape shape, float step) {
  Array array(std::move(shape));
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = std::sin(step * static_cast<float>(i + 1));
  return array;
}

::testing::AssertionResult same(const Array& a, const Array& b) {
  return same_bits(a.values(), b.values());
}

Model feature_model() {
  const Tensor x = Input({10, 3});
  Tensor h = Conv1D{.filters = 4, .kernel_size = 3, .padding = Padding::same}(x);
  return Model(x, LSTM{.units = 5, .return_sequences = true}(h), {.seed = 3, .name = "features"});
}

const CompileOptions squares{.optimizer = Adam{.learning_rate = 0.01f}, .loss = MeanSquaredError{}};
const FitOptions two_epochs{.epochs = 2, .batch_size = 4, .verbose = false};

TEST(NestedModel, computes_what_its_layers_compute_in_place) {
  Model features = feature_model();
  const Tensor x = Input({10, 3});
  Model nested(x, Dense{.units = 1, .name = "label"}(features(x)), {.seed = 9});
  Model plain = [] {
    const Tensor z = Input({10, 3});
    Tensor h = Conv1D{.filters = 4, .kernel_size = 3, .padding = Padding::same}(z);
    h = LSTM{.units = 5, .return_sequences = true}(h);
    return Model(z, Dense{.units = 1, .name = "label"}(h), {.seed = 1});
  }();
  plain.set_weights(nested.get_weights());
  const Array signals = wave({6, 10, 3}, 0.37f), labels = wave({6, 10, 1}, 0.11f);
  EXPECT_TRUE(same(nested.predict(signals), plain.predict(signals)));

  for (Model* model : {&nested, &plain}) model->compile(squares);
  FitOptions options = two_epochs;
  options.shuffle = false;
  nested.fit(signals, labels, options);
  plain.fit(signals, labels, options);
  const auto a = nested.get_weights(), b = plain.get_weights();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(same(a[i], b[i])) << i;
}

TEST(NestedModel, shares_its_weights_with_the_model_it_was) {
  Model features = feature_model();
  const Array signals = wave({6, 10, 3}, 0.37f);
  const Array before = features.predict(signals);
  const Tensor x = Input({10, 3});
  Model nested(x, Dense{.units = 1}(features(x)), {.seed = 9});
  EXPECT_TRUE(same(features.predict(signals), before)) << "first weights of the part were kept";
  nested.compile(squares);
  nested.fit(signals, wave({6, 10, 1}, 0.11f), two_epochs);
  EXPECT_FALSE(same(features.predict(signals), before)) << "training reaches the part";
  EXPECT_TRUE(same(features.get_weights()[0], nested.get_weights()[0]));
}

TEST(NestedModel, goes_on_training_where_it_stopped_when_a_larger_model_takes_it_in) {
  const Array signals = wave({6, 10, 3}, 0.37f), labels = wave({6, 10, 5}, 0.11f);
  Model features = feature_model(), alone = feature_model();
  for (Model* model : {&features, &alone}) {
    model->compile(squares);
    model->fit(signals, labels, two_epochs);
  }
  const Tensor x = Input({10, 3});
  const Model larger(x, Dense{.units = 1}(features(x)));
  for (Model* model : {&features, &alone}) model->fit(signals, labels, two_epochs);
  EXPECT_TRUE(same(features.get_weights()[1], alone.get_weights()[1]));
}

TEST(NestedModel, trains_no_weights_but_its_own) {
  Model features = feature_model();
  const Tensor x = Input({10, 3});
  const Model larger(x, Dense{.units = 1, .kernel_regularizer = L2{.l2 = 0.5}}(features(x)));
  const Array head = larger.get_weights().back();
  features.compile(squares);
  const auto history = features.fit(wave({6, 10, 3}, 0.37f), wave({6, 10, 5}, 0.11f), two_epochs);
  EXPECT_TRUE(same(larger.get_weights().back(), head));
  EXPECT_LT(history.history.at("loss").back(), 2.0) << "without the penalty of the larger model";
}

TEST(NestedModel, is_called_twice_with_the_same_weights) {
  Model features = feature_model();
  const Tensor a = Input({10, 3}), b = Input({10, 3});
  Model both({a, b}, {Add{}({features(a), features(b)})});
  EXPECT_EQ(both.get_weights().size(), 5u);
  const Array x = wave({2, 10, 3}, 0.37f);
  std::vector<Array> inputs;
  inputs.push_back(x);
  inputs.push_back(x);
  const Array once = features.predict(x);
  const Array twice = std::move(both.predict(inputs).front());
  for (Index i = 0; i < once.size(); ++i) EXPECT_EQ(twice.data()[i], 2 * once.data()[i]);
}

TEST(Sequential, is_a_chain_of_layers) {
  Model model = Sequential(Input({10, 3}), {LSTM{.units = 4, .return_sequences = true},
                                            Dense{.units = 1, .activation = Activation::sigmoid}});
  EXPECT_EQ(model.predict(wave({2, 10, 3}, 0.2f)).shape(), (Shape{2, 10, 1}));
  EXPECT_THROW(Sequential(Input({10, 3}), {LSTM{.units = 4, .return_state = true}}), ArgumentError);
}

/// Keras 3.15.1 (JAX): Masking, Dense(1, kernel of ones, bias 0.5), mse; x below, y = 1, evaluate.
TEST(MaskedLoss, is_the_mean_over_the_steps_that_count) {
  const Tensor x = Input({3, 2});
  Model model(x, Dense{.units = 1,
                       .kernel_initializer = Ones{},
                       .bias_initializer = Constant{.value = 0.5f}}(Masking{}(x)));
  model.compile(
      {.optimizer = SGD{.learning_rate = 0.1f}, .loss = MeanSquaredError{}, .metrics = {"mae"}});
  Array signals({2, 3, 2}), ones({2, 3, 1});
  const float numbers[] = {1, 2, 0, 0, 0.5f, 0.5f, 3, -1, 0, 0, 0, 0};
  std::copy(std::begin(numbers), std::end(numbers), signals.data());
  std::fill_n(ones.data(), ones.size(), 1.0f);
  // Predictions 3.5, 1.5 and 2.5 count: squares 6.25, 0.25, 2.25 and distances 2.5, 0.5, 1.5.
  const Logs logs = model.evaluate(signals, ones);
  EXPECT_NEAR(logs.at("loss"), 8.75 / 3, 1e-5);
  EXPECT_NEAR(logs.at("mae"), 1.5, 1e-6);
  model.fit(signals, ones, {.batch_size = 2, .verbose = false});
  // Gradient of the bias: 2 (2.5 + 0.5 + 1.5) / 3 = 3.
  EXPECT_NEAR(model.get_weights()[1].data()[0], 0.5 - 0.1 * 3, 1e-5);
}

}  // namespace
}  // namespace sonde
