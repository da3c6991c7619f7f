#include <gtest/gtest.h>
#include <stdlib.h>

#include <sonde/layers.hpp>
#include <sonde/model.hpp>

#include "kernels/bf16.hpp"
#include "tests/support/near.hpp"

// Training with products of bfloat16 keeps the laws of training, and learns what floats learn.
namespace sonde {
namespace {

using kernels::Bf16;
using testing::same_bits;

constexpr Index samples = 21, steps = 200, channels = 3;  // batches of 16 and 5

Array numbers(const Shape& shape, std::uint32_t state) {
  Array x(shape);
  for (float& v : x.values()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
  return x;
}

Model network() {
  const Tensor x = Input({steps, channels});
  Tensor h = Conv1D{.filters = 6, .kernel_size = 3, .padding = Padding::same}(x);
  h = Bidirectional{.layer = LSTM{.units = 20, .return_sequences = true}}(Masking{}(h));
  h = GRU{.units = 5, .return_sequences = true}(h);
  h = LSTM{.units = 17, .dropout = 0.2, .return_sequences = true}(h);
  Model model(x, Dense{.units = 1, .activation = Activation::sigmoid}(h), {.seed = 3});
  model.compile({.optimizer = Adam{.learning_rate = 1e-2f}, .loss = BinaryCrossentropy{}});
  return model;
}

class Bfloat16Training : public ::testing::Test {
 protected:
  Bfloat16Training() { setenv("SONDE_OVERSUBSCRIBE", "1", 1); }
  ~Bfloat16Training() override {
    unsetenv("SONDE_OVERSUBSCRIBE");
    kernels::set_bf16(before_);
  }

  /// Those that this machine has.
  std::vector<Bf16> paths() {
    std::vector<Bf16> all;
    for (Bf16 path : {Bf16::avx512, Bf16::amx})
      if (kernels::set_bf16(path) && kernels::bf16_in_use() == path) all.push_back(path);
    return all;
  }
  std::vector<float> trained(const FitOptions& options) {
    return trained(network(), source_, options);
  }
  static std::vector<float> trained(Model model, const SampleSource& source,
                                    const FitOptions& options) {
    model.fit(source, options);
    std::vector<float> weights;
    for (const Array& each : model.get_weights())
      weights.insert(weights.end(), each.values().begin(), each.values().end());
    return weights;
  }
  FitOptions options(MatmulPrecision precision, int threads = 1) {
    FitOptions all{.epochs = 2, .batch_size = 16, .verbose = false};
    all.matmul_precision = precision;
    all.threads = threads;
    return all;
  }

  const Bf16 before_ = kernels::bf16_in_use();
  const Array x_ = numbers({samples, steps, channels}, 1), y_ = [] {
    Array y = numbers({samples, steps, 1}, 2);
    for (float& each : y.values()) each = each > 0 ? 1.0f : 0.0f;
    return y;
  }();
  const ArraySamples source_{{&x_}, {&y_}};
};

TEST_F(Bfloat16Training, gives_the_same_bytes_on_any_number_of_threads) {
  for (Bf16 path : paths()) {
    kernels::set_bf16(path);
    const std::vector<float> one = trained(options(MatmulPrecision::bf16));
    for (const int threads : {2, 3})
      EXPECT_TRUE(same_bits<float>(trained(options(MatmulPrecision::bf16, threads)), one))
          << threads << " threads, " << kernels::bf16_name(path);
    EXPECT_FALSE(same_bits<float>(trained(options(MatmulPrecision::f32)), one));
  }
}

/// Weights of more than a megabyte of bfloat16: shards go through the LSTM abreast.
Model wide_network() {
  const Tensor x = Input({20, channels});
  const Tensor h = LSTM{.units = 366, .return_sequences = true}(Masking{}(x));
  Model model(x, Dense{.units = 1, .activation = Activation::sigmoid}(h), {.seed = 3});
  model.compile({.optimizer = SGD{.learning_rate = 1e-2f}, .loss = BinaryCrossentropy{}});
  return model;
}

Model narrow_network() {
  const Tensor x = Input({100, 64});
  Tensor h = LSTM{.units = 64, .return_sequences = true}(x);
  h = LSTM{.units = 64, .return_sequences = true}(h);
  Model model(x, Dense{.units = 1}(h), {.seed = 3});
  model.compile({.optimizer = SGD{.learning_rate = 1e-2f}, .loss = MeanSquaredError{}});
  return model;
}

TEST_F(Bfloat16Training, has_room_for_a_last_batch_of_fewer_rows) {
  // Of blocks with as many steps as rows leave room for: 5 rows want less of it than 4.
  const Array x = numbers({9, 100, 64}, 5), y({9, 100, 1});
  const ArraySamples source{{&x}, {&y}};
  for (Bf16 path : paths()) {
    kernels::set_bf16(path);
    std::vector<float> first;
    for (const int threads : {1, 2}) {
      FitOptions how = options(MatmulPrecision::bf16, threads);
      how.batch_size = 5;
      const std::vector<float> weights = trained(narrow_network(), source, how);
      for (const float each : weights) ASSERT_TRUE(std::isfinite(each));
      if (first.empty()) first = weights;
      EXPECT_TRUE(same_bits<float>(weights, first)) << threads;
    }
  }
}

TEST_F(Bfloat16Training, gives_the_same_bytes_where_shards_go_abreast) {
  Array x = numbers({70, 20, channels}, 5);
  const Array y({70, 20, 1});
  for (Index i = 0; i < 70; i += 3)  // ends that are masked
    for (Index t = 20 - i % 20; t < 20; ++t)
      for (Index c = 0; c < channels; ++c) x(i, t, c) = 0;
  const ArraySamples source{{&x}, {&y}};
  for (Bf16 path : paths()) {
    kernels::set_bf16(path);
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 40}) {  // 40: one shard each
      FitOptions how = options(MatmulPrecision::bf16, threads);
      how.batch_size = 64;  // shards of 8, and of 6 in the last batch
      const std::vector<float> weights = trained(wide_network(), source, how);
      if (first.empty()) first = weights;
      EXPECT_TRUE(same_bits<float>(weights, first)) << threads << ", " << kernels::bf16_name(path);
    }
  }
}

TEST_F(Bfloat16Training, gives_the_same_bytes_where_layers_compute_their_gates_again) {
  for (Bf16 path : paths()) {
    kernels::set_bf16(path);
    FitOptions how = options(MatmulPrecision::bf16);
    const std::vector<float> kept = trained(how);
    how.memory = network().training_memory(source_, how).bytes - 1;
    EXPECT_TRUE(network().training_memory(source_, how).recomputes);
    EXPECT_TRUE(same_bits<float>(trained(how), kept)) << kernels::bf16_name(path);
  }
}

TEST_F(Bfloat16Training, is_that_of_floats_where_the_processor_has_no_such_products) {
  kernels::set_bf16(Bf16::none);
  EXPECT_TRUE(same_bits<float>(trained(options(MatmulPrecision::bf16)),
                               trained(options(MatmulPrecision::f32))));
}

/// Labels that hang on the step before.
TEST_F(Bfloat16Training, reaches_about_the_loss_of_floats) {
  const Array x = numbers({64, 60, 2}, 5);
  Array y({64, 60, 1});
  for (Index s = 0; s < 64; ++s)
    for (Index t = 1; t < 60; ++t)
      y.data()[s * 60 + t] = x.data()[(s * 60 + t - 1) * 2] > 0 ? 1.0f : 0.0f;
  const auto losses = [&](MatmulPrecision precision) {
    const Tensor input = Input({60, 2});
    const Tensor h = LSTM{.units = 32, .return_sequences = true}(input);
    Model model(input, Dense{.units = 1, .activation = Activation::sigmoid}(h), {.seed = 3});
    model.compile({.optimizer = Adam{.learning_rate = 1e-2f}, .loss = BinaryCrossentropy{}});
    FitOptions how = options(precision, 2);
    how.epochs = 40;
    return model.fit(x, y, how).history.at("loss");
  };
  const std::vector<double> floats = losses(MatmulPrecision::f32);
  EXPECT_LT(floats.back(), 0.3 * floats.front());
  for (Bf16 path : paths()) {
    kernels::set_bf16(path);
    const std::vector<double> halves = losses(MatmulPrecision::bf16);
    EXPECT_NEAR(halves.front(), floats.front(), 0.02 * floats.front());
    EXPECT_NEAR(halves.back(), floats.back(), 0.1 * floats.front()) << kernels::bf16_name(path);
  }
}

}  // namespace
}  // namespace sonde
