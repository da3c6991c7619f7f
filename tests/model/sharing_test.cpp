#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>

#include "tests/support/near.hpp"

namespace sonde {
namespace {

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return testing::same_bits(a, b);
}

Array wave(Shape shape, float step) {
  Array array(std::move(shape));
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = std::sin(step * static_cast<float>(i + 1));
  return array;
}

const FitOptions one_epoch{.epochs = 1, .batch_size = 4, .verbose = false};

void compile(Model& model) {
  model.compile({.optimizer = Adam{.learning_rate = 0.01f}, .loss = MeanSquaredError{}});
}

std::string refusal(auto f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

/// Two models that share one layer, each with a layer of its own.
struct Siblings {
  Tensor x = Input({6, 2});
  Tensor shared = Dense{.units = 3, .name = "shared"}(x);
  Model a = Model(x, Dense{.units = 1, .name = "a"}(shared));
  Model b = Model(x, Dense{.units = 2, .name = "b"}(shared));
  Array signals = wave({8, 6, 2}, 0.3f), one = wave({8, 6, 1}, 0.7f), two = wave({8, 6, 2}, 0.5f);

  bool agree() const { return same_bits(a.get_weights()[0].values(), b.get_weights()[0].values()); }
};

TEST(SharedLayers, of_models_of_which_none_holds_the_other_train_the_same_numbers) {
  Siblings s;
  compile(s.a);
  compile(s.b);
  for (int round = 0; round < 3; ++round) {
    const Array before = s.b.get_weights()[0];
    s.a.fit(s.signals, s.one, one_epoch);
    EXPECT_TRUE(s.agree());
    EXPECT_FALSE(same_bits(before.values(), s.b.get_weights()[0].values()));
    s.b.fit(s.signals, s.two, one_epoch);
    EXPECT_TRUE(s.agree());
  }
}

TEST(SharedLayers, may_be_asked_through_the_other_model_while_one_trains) {
  Siblings s, alone;
  compile(s.a);
  compile(alone.a);
  FitOptions options = one_epoch;
  options.epochs = 3;
  alone.a.fit(alone.signals, alone.one, options);
  options.callbacks.push_back(LambdaCallback{.epoch_end = [&](Training& t) {
    s.b.predict(s.signals);
    EXPECT_TRUE(s.agree());
    t.weights();
  }});
  s.a.fit(s.signals, s.one, options);
  const auto one = s.a.get_weights(), other = alone.a.get_weights();
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(same_bits(one[i].values(), other[i].values())) << i;
}

TEST(SharedLayers, cannot_be_taken_into_a_new_model_while_they_are_trained) {
  Siblings s;
  compile(s.a);
  FitOptions options = one_epoch;
  options.callbacks.push_back(LambdaCallback{
      .batch_end = [&](Training&) { Model larger(s.x, Dense{.units = 5}(s.shared)); }});
  EXPECT_EQ(refusal([&] { s.a.fit(s.signals, s.one, options); }),
            "Model: a layer of this model is being trained by another one. Build this model before "
            "that one's fit.");
  s.a.fit(s.signals, s.one, one_epoch);  // and nothing is left behind
}

TEST(SharedLayers, of_a_model_that_is_gone_live_on_in_the_other) {
  Siblings s;
  const Array kernel = s.b.get_weights()[0];
  { const Model gone = std::move(s.a); }
  Model larger(s.x, Dense{.units = 5}(s.shared));
  EXPECT_TRUE(same_bits(kernel.values(), larger.get_weights()[0].values()));
  EXPECT_TRUE(same_bits(kernel.values(), s.b.get_weights()[0].values()));
}

TEST(SharedLayers, are_counted_right_after_a_larger_model_took_them) {
  const Tensor x = Input({6, 2});
  const LSTM lstm{.units = 3, .return_sequences = true, .name = "lstm"};
  Model base(x, lstm(x));
  const std::string before = base.summary_text();
  const Tensor z = Input({6, 5});
  Model larger(z, Dense{.units = 1}(lstm(Conv1D{.filters = 2, .kernel_size = 1}(z))));
  EXPECT_EQ(base.summary_text(), before);
}

TEST(Model, refuses_to_train_an_output_that_is_listed_twice) {
  const Tensor x = Input({6, 2});
  const Tensor y = Dense{.units = 1}(x);
  Model twice({x}, {y, y});
  EXPECT_EQ(twice.predict(std::vector<Array>{wave({2, 6, 2}, 1)}).size(), 2u);
  EXPECT_EQ(
      refusal([&] { compile(twice); }),
      "compile: outputs 0 and 1 of the model are one tensor. List it once, and add its losses "
      "up in one.");
}

TEST(Model, refuses_batches_of_no_samples) {
  Siblings s;
  compile(s.a);
  EXPECT_EQ(refusal([&] { s.a.predict(s.signals, {.batch_size = 0}); }),
            "predict: batch_size must be at least 1, got 0.");
  EXPECT_EQ(refusal([&] { s.a.evaluate(s.signals, s.one, {.batch_size = -1}); }),
            "evaluate: batch_size must be at least 1, got -1.");
}

TEST(Model, refuses_sizes_beyond_any_memory) {
  const Tensor x = Input({6, 2});
  for (const Index units : {Index{1} << 62, Index{1} << 61, (Index{1} << 62) + 1, Index{1} << 55}) {
    EXPECT_THROW(LSTM{.units = units}(x), Error) << units;
    EXPECT_THROW((Conv1D{.filters = units, .kernel_size = 3}(x)), Error) << units;
    EXPECT_THROW(Dense{.units = units}(x), Error) << units;
  }
  EXPECT_THROW(Array({Index{1} << 40, Index{1} << 40}), LimitError);
}

TEST(Model, two_models_without_names_are_layers_of_a_third) {
  const Tensor x = Input({6, 2}), z = Input({6, 3}), w = Input({6, 2});
  const Model encoder(x, Dense{.units = 3}(x)), decoder(z, Dense{.units = 1}(z));
  const Model both(w, decoder(encoder(w)));
  EXPECT_EQ(both.weights().entries().size(), 4u);
  EXPECT_NE(both.summary_text().find("functional_1"), std::string::npos);
}

TEST(Model, shows_the_loss_of_an_output_that_weighs_nothing) {
  const Tensor x = Input({6, 2});
  Model model({x}, {Dense{.units = 1, .name = "a"}(x), Dense{.units = 1, .name = "b"}(x)});
  model.compile({.loss = {MeanSquaredError{}, MeanSquaredError{}}, .loss_weights = {1, 0}});
  const Array signals = wave({8, 6, 2}, 0.3f), labels = wave({8, 6, 1}, 0.7f);
  std::vector<Array> two = {labels, labels};
  const History history = model.fit(std::vector<Array>{signals}, two, one_epoch);
  const double loss = history.history.at("loss")[0], a = history.history.at("a_loss")[0],
               b = history.history.at("b_loss")[0];
  EXPECT_DOUBLE_EQ(loss, a);
  EXPECT_GT(b, 0.01);
}

TEST(StatefulModel, refuses_batches_of_another_size) {
  const Tensor x = Input({6, 2});
  Model model(x, LSTM{.units = 3, .return_sequences = true, .stateful = true}(x));
  model.predict(wave({2, 6, 2}, 1));
  EXPECT_EQ(
      refusal([&] {
        model.predict(wave({8, 6, 2}, 1));
      }),
      "a stateful layer holds the states of a batch of 2 samples, and cannot go on with one of "
      "8. Call reset_states() first.");
  model.reset_states();
  model.predict(wave({8, 6, 2}, 1));
}

TEST(StatefulModel, refuses_another_number_of_steps_that_are_sequences) {
  const Tensor x = Input({dynamic, 3, 1});
  Model model(x, TimeDistributed{.layer = LSTM{.units = 4, .stateful = true}}(x));
  model.predict(wave({2, 5, 3, 1}, 1));
  EXPECT_EQ(refusal([&] {
              model.predict(wave({2, 7, 3, 1}, 1));
            }),
            "a stateful layer inside TimeDistributed holds the states of signals of another "
            "length. Call reset_states() first, and take signals of one length.");
  model.reset_states();
  model.predict(wave({2, 7, 3, 1}, 1));
}

TEST(StatefulModel, carries_its_states_through_long_signals) {
  const Tensor x = Input({dynamic, 2});
  Model model(x, LSTM{.units = 3, .return_sequences = true, .stateful = true}(x));
  const Array signal = wave({1, 9000, 2}, 0.01f);
  const Array whole = model.predict(signal);
  model.reset_states();
  Array first({1, 4500, 2}), second({1, 4500, 2});
  std::copy_n(signal.data(), first.size(), first.data());
  std::copy_n(signal.data() + first.size(), second.size(), second.data());
  const Array a = model.predict(first), b = model.predict(second);
  EXPECT_TRUE(same_bits(whole.values().subspan(0, 4500 * 3), a.values()));
  EXPECT_TRUE(same_bits(whole.values().subspan(4500 * 3), b.values()));
}

TEST(ValidationData, is_looked_at_before_the_first_epoch) {
  Siblings s;
  compile(s.a);
  Array labels = s.one;
  labels(3, 2, 0) = std::nanf("");
  const ArraySamples validation({&s.signals}, {&labels});
  FitOptions options = one_epoch;
  options.validation_data = &validation;
  bool began = false;
  options.callbacks.push_back(LambdaCallback{.train_begin = [&](Training&) { began = true; }});
  EXPECT_NE(refusal([&] { s.a.fit(s.signals, s.one, options); }).find("validation sample 3"),
            std::string::npos);
  EXPECT_FALSE(began);
  EXPECT_NE(refusal([&] { s.a.evaluate(s.signals, labels); }).find("sample 3"), std::string::npos);
}

TEST(SampleWeight, of_0_for_a_whole_sample_lets_its_labels_be_anything) {
  Siblings s;
  compile(s.a);
  Array weights({8}, std::vector<float>{1, 1, 1, 0, 1, 1, 1, 1}), labels = s.one;
  for (Index t = 0; t < 6; ++t) labels(3, t, 0) = std::nanf("");
  FitOptions options = one_epoch;
  options.sample_weight = &weights;
  const History history = s.a.fit(s.signals, labels, options);
  EXPECT_TRUE(std::isfinite(history.history.at("loss")[0]));
}

}  // namespace
}  // namespace sonde
