#include <gtest/gtest.h>

#include <sonde/layers.hpp>
#include <sonde/model.hpp>

namespace sonde::testing {
namespace {

/// (samples, steps, 2): of sample i the first 3 + i steps are signal, the rest is zeros.
Array padded(Index samples, Index steps) {
  Array x({samples, steps, 2});
  for (Index i = 0; i < samples; ++i)
    for (Index t = 0; t < std::min(3 + i, steps); ++t)
      for (Index c = 0; c < 2; ++c) x(i, t, c) = static_cast<float>((7 * i + 3 * t + c) % 5) - 2.5f;
  return x;
}

Model masked_model(bool stateful = false) {
  const Tensor x = Input({dynamic, 2});
  const Tensor h =
      LSTM{.units = 3, .return_sequences = true, .stateful = stateful}(Masking{.mask_value = 0}(x));
  return Model(x, Dense{.units = 1, .activation = Activation::sigmoid}(h));
}

TEST(PredictMask, is_0_where_the_mask_leaves_steps_out) {
  Model model = masked_model();
  const Array x = padded(11, 9);
  for (const Index batch_size : {1, 4, 32}) {
    const Array mask = model.predict_mask(x, {.batch_size = batch_size, .threads = 2});
    ASSERT_EQ(mask.shape(), (Shape{11, 9}));
    for (Index i = 0; i < 11; ++i)
      for (Index t = 0; t < 9; ++t)
        EXPECT_EQ(mask(i, t), t < 3 + i ? 1.0f : 0.0f) << i << ", " << t;
  }
}

TEST(PredictMask, leaves_out_what_evaluate_leaves_out) {
  Model model = masked_model();
  model.compile({.loss = BinaryCrossentropy{}, .metrics = {"accuracy"}});
  const Array x = padded(6, 9), mask = model.predict_mask(x), p = model.predict(x);
  Array y({6, 9, 1});
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(i % 3 == 0);
  double right = 0, count = 0;
  for (Index i = 0; i < y.size(); ++i) {
    if (mask.data()[i] == 0) continue;
    right += (p.data()[i] > 0.5f) == (y.data()[i] > 0.5f);
    ++count;
  }
  EXPECT_LT(count, 54);
  EXPECT_NEAR(model.evaluate(x, y).at("accuracy"), right / count, 1e-6);
}

TEST(PredictMask, is_empty_where_every_step_counts) {
  const Tensor x = Input({9, 2});
  EXPECT_EQ(
      Model(x, LSTM{.units = 3, .return_sequences = true}(x)).predict_mask(padded(2, 9)).size(), 0);
  // Time ends in the LSTM, and the mask with it.
  EXPECT_EQ(Model(x, LSTM{.units = 3}(Masking{}(x))).predict_mask(padded(2, 9)).size(), 0);
}

TEST(PredictMask, leaves_the_states_of_stateful_layers_alone) {
  Model model = masked_model(true), other = masked_model(true);
  const Array x = padded(4, 9);
  model.predict(x);
  model.predict_mask(x);
  other.predict(x);
  const Array a = model.predict(x), b = other.predict(x);
  for (Index i = 0; i < a.size(); ++i) EXPECT_EQ(a.data()[i], b.data()[i]);
}

}  // namespace
}  // namespace sonde::testing
