#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>
#include <sonde/not_finite.hpp>

namespace sonde {
namespace {

/// Two layers of one step each: (time, 1) → "first" → "second" → (time, 1).
Model two_layers() {
  const Tensor x = Input({6, 1});
  const Tensor h = Conv1D{.filters = 1, .kernel_size = 1, .name = "first"}(x);
  Model model(x, LSTM{.units = 1, .return_sequences = true, .name = "second"}(h));
  model.compile({.optimizer = SGD{.learning_rate = 1e-3f}, .loss = MeanSquaredError{}});
  return model;
}

/// What fit's callbacks are told after the first loss that is not finite; `x` and `y` have 4
/// samples.
std::string found(Model& model, const Array& x, const Array& y, bool shuffle = false) {
  std::string text = "(the loss stayed finite)";
  const ArraySamples samples({&x}, {&y});
  const LambdaCallback look{.batch_end = [&](Training& t) {
    if (std::isfinite(t.logs.at("loss"))) return;
    text = first_not_finite(
        model, samples,
        {.epoch = t.epoch, .batch = t.batch - 1, .batch_size = 1, .shuffle = shuffle});
    t.stop("seen.");
  }};
  model.fit(
      samples,
      {.epochs = 2, .batch_size = 1, .verbose = false, .callbacks = {look}, .shuffle = shuffle});
  return text;
}

Array ones() {
  Array x({4, 6, 1});
  for (float& value : x.values()) value = 1;
  return x;
}

TEST(NotFinite, names_the_first_layer_with_sample_and_step) {
  const Tensor input = Input({6, 1});
  const Tensor h = Conv1D{.filters = 1, .kernel_size = 1, .name = "first"}(input);
  Model model(input, Conv1D{.filters = 1, .kernel_size = 1, .name = "second"}(h));
  model.compile({.optimizer = SGD{.learning_rate = 0.0f}, .loss = MeanSquaredError{}});
  std::vector<Array> weights = model.get_weights();
  weights[0].data()[0] = 1e30f;
  model.set_weights(weights);
  Array x = ones();
  for (float& value : x.values()) value = 1e-30f;
  x(3, 4, 0) = 3e20f;
  for (const bool shuffle : {false, true})
    EXPECT_EQ(found(model, x, ones(), shuffle), "Conv1D \"first\" gives inf in sample 3 at step 4");
}

TEST(NotFinite, names_weights_that_went_wrong_before) {
  Model model = two_layers();
  std::vector<Array> weights = model.get_weights();
  weights[3].data()[2] = std::numeric_limits<float>::quiet_NaN();
  model.set_weights(weights);
  EXPECT_EQ(found(model, ones(), ones()),
            "the weights second/recurrent_kernel are not finite since the step before");
}

TEST(NotFinite, says_nothing_where_only_the_loss_overflows) {
  Model model = two_layers();
  Array y = ones();
  y(0, 0, 0) = 3e38f;
  EXPECT_EQ(found(model, ones(), y), "");
}

TEST(NotFinite, loss_changes_no_weight) {
  Model model = two_layers();
  Array y = ones();
  for (float& value : y.values()) value = 3e38f;
  const std::vector<Array> before = model.get_weights();
  for (const Optimizer& optimizer : std::vector<Optimizer>{SGD{}, Adam{}, RMSprop{}}) {
    model.compile({.optimizer = optimizer, .loss = MeanSquaredError{}});
    model.fit(ones(), y, {.epochs = 3, .batch_size = 3, .verbose = false});
    const std::vector<Array> after = model.get_weights();
    for (std::size_t w = 0; w < before.size(); ++w)
      for (Index i = 0; i < before[w].size(); ++i)
        EXPECT_EQ(before[w].data()[i], after[w].data()[i]) << w;
  }
}

TEST(NotFinite, loss_leaves_moving_statistics_alone) {
  const Tensor x = Input({6, 1});
  Model model(x, BatchNormalization{}(x));
  model.compile({.optimizer = SGD{}, .loss = MeanSquaredError{}});
  Array y = ones();
  for (float& value : y.values()) value = 3e38f;
  model.fit(ones(), y, {.epochs = 1, .verbose = false});
  EXPECT_EQ(model.get_weights()[2].data()[0], 0);  // moving_mean
  model.fit(ones(), ones(), {.epochs = 1, .verbose = false});
  EXPECT_GT(model.get_weights()[2].data()[0], 0);
}

}  // namespace
}  // namespace sonde
