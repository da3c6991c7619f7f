#include <gtest/gtest.h>
#include <stdlib.h>

#include <sonde/large_arrays.hpp>
#include <sonde/layers.hpp>
#include <sonde/mapped_samples.hpp>
#include <sonde/model.hpp>

#include "tests/support/files.hpp"
#include "tests/support/near.hpp"

// FitOptions::memory: how much training may take.
namespace sonde {
namespace {

using testing::same_bits;

constexpr Index samples = 10, steps = 200, channels = 2;  // batches of 8: two shards

Array numbers(const Shape& shape, std::uint32_t state) {
  Array x(shape);
  for (float& v : x.values()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) / 16777216.0f;
  }
  return x;
}

/// `masked`: whose losses count steps over the whole batch, so that all its shards are in memory.
Model network(bool masked = true) {
  const Tensor x = Input({steps, channels});
  Tensor h = Conv1D{.filters = 6, .kernel_size = 3, .padding = Padding::same}(x);
  h = Bidirectional{.layer = LSTM{.units = 7, .return_sequences = true}}(masked ? Masking{}(h) : h);
  h = GRU{.units = 5, .dropout = 0.2, .recurrent_dropout = 0.2, .return_sequences = true}(h);
  h = SimpleRNN{.units = 4, .return_sequences = true}(h);
  Model model(x, Dense{.units = 1, .activation = Activation::sigmoid}(h), {.seed = 3});
  model.compile({.optimizer = Adam{.learning_rate = 1e-2f}, .loss = BinaryCrossentropy{}});
  return model;
}

/// All weights of the model after training.
std::vector<float> learned(Model model, const SampleSource& source, const FitOptions& options) {
  model.fit(source, options);
  std::vector<float> weights;
  for (const Array& each : model.get_weights())
    weights.insert(weights.end(), each.values().begin(), each.values().end());
  return weights;
}

class TrainingMemory : public ::testing::Test {
 protected:
  TrainingMemory() { setenv("SONDE_OVERSUBSCRIBE", "1", 1); }
  ~TrainingMemory() override { unsetenv("SONDE_OVERSUBSCRIBE"); }

  sonde::TrainingMemory taken(const FitOptions& options) {
    return network().training_memory(source_, options);
  }
  std::vector<float> trained(const FitOptions& options) {
    return learned(network(), source_, options);
  }

  const Array x_ = numbers({samples, steps, channels}, 1), y_ = numbers({samples, steps, 1}, 2);
  const ArraySamples source_{{&x_}, {&y_}};
};

TEST_F(TrainingMemory, that_is_short_makes_recurrent_layers_recompute_and_changes_no_bit) {
  FitOptions options{.epochs = 3, .batch_size = 8, .verbose = false};
  options.threads = 1;
  const std::vector<float> weights = trained(options);
  for (const int threads : {1, 3}) {
    options.threads = threads;
    options.memory = 0;
    const Index all = taken(options).bytes;
    EXPECT_FALSE(taken(options).recomputes);
    options.memory = all;  // just enough
    EXPECT_FALSE(taken(options).recomputes);
    options.memory = all - 1;
    const sonde::TrainingMemory less = taken(options);
    EXPECT_TRUE(less.recomputes);
    EXPECT_LT(less.bytes, all * 3 / 4);
    EXPECT_TRUE(same_bits<float>(trained(options), weights)) << threads << " threads";
    options.memory = less.bytes;
    EXPECT_EQ(taken(options).bytes, less.bytes);
  }
}

TEST(ShortMemory, recomputes_sequences_of_single_steps_to_the_same_bits) {
  const Array x = numbers({8, 300, 24}, 1), y = numbers({8, 300, 1}, 2);
  const ArraySamples source({&x}, {&y});
  const auto across = [] {
    const Tensor in = Input({300, 24});
    Tensor h = Reshape{.target_shape = std::vector<Index>{-1, 24, 1}}(in);
    h = TimeDistributed{.layer = Bidirectional{.layer = LSTM{.units = 5}}}(h);
    Model model(in, Dense{.units = 1}(h), {.seed = 3});
    model.compile({.loss = MeanSquaredError{}});
    return model;
  };
  FitOptions options{.epochs = 2, .verbose = false};
  options.threads = 2;
  const std::vector<float> weights = learned(across(), source, options);
  options.memory = across().training_memory(source, options).bytes - 1;
  EXPECT_TRUE(across().training_memory(source, options).recomputes);
  const std::vector<float> same = learned(across(), source, options);
  EXPECT_TRUE(same_bits<float>(weights, same));
}

TEST(ShortMemory, takes_shards_one_by_one_before_it_recomputes) {
  const Array x = numbers({32, 200, channels}, 1), y = numbers({32, 200, 1}, 2);
  const ArraySamples source({&x}, {&y});
  const auto wide = [] {
    const Tensor in = Input({200, channels});
    Model model(in, Dense{.units = 1}(LSTM{.units = 190, .return_sequences = true}(in)),
                {.seed = 3});
    model.compile({.loss = MeanSquaredError{}});
    return model;
  };
  FitOptions options{.epochs = 2, .verbose = false};
  options.validation_split = 0.25;
  options.threads = 1;
  const std::vector<float> weights = learned(wide(), source, options);
  const Index all = wide().training_memory(source, options).bytes;
  options.memory = all - 1;
  const sonde::TrainingMemory less = wide().training_memory(source, options);
  EXPECT_FALSE(less.recomputes);
  EXPECT_LT(less.bytes, all * 2 / 3);
  const std::vector<float> same = learned(wide(), source, options);
  EXPECT_TRUE(same_bits<float>(weights, same));
  options.memory = less.bytes - 1;
  EXPECT_TRUE(wide().training_memory(source, options).recomputes);
}

struct NoLimit {
  ~NoLimit() { keep_large_arrays_on_disk({}); }
};

TEST(LargeArrays, train_judge_and_predict_from_a_disk_to_the_same_bits) {
  const auto learned = [](bool on_disk) {
    const Array x = numbers({40, 2000, 4}, 1), y = numbers({40, 2000, 1}, 2);
    EXPECT_EQ(x.is_on_disk(), on_disk);
    EXPECT_EQ(y.is_on_disk(), on_disk);
    const Tensor in = Input({2000, 4});
    const Tensor h = Conv1D{.filters = 3, .kernel_size = 5, .padding = Padding::same}(in);
    Model model(in, Dense{.units = 1}(h), {.seed = 3});
    model.compile({.loss = MeanSquaredError{}});
    FitOptions options{.epochs = 2, .batch_size = 8, .verbose = false};
    options.validation_split = 0.25;
    const History history = model.fit(x, y, options);
    return std::pair(model.predict(x), history.history);
  };
  const auto [predictions, history] = learned(false);
  const NoLimit after;
  keep_large_arrays_on_disk({.memory = 1});
  const auto [same_predictions, same_history] = learned(true);
  EXPECT_TRUE(same_bits<float>(predictions.values(), same_predictions.values()));
  EXPECT_EQ(history, same_history);
}

TEST(LargeArrays, that_were_read_past_the_systems_cache_train_to_the_same_bits) {
  const testing::TemporaryFolder folder;
  constexpr Index samples = 40, steps = 2000, channels = 4;
  const Array x = numbers({samples, steps, channels}, 1), y = numbers({samples, steps, 1}, 2);
  testing::write_past_the_cache(folder / "x", {x.values().begin(), x.values().end()});
  const MappedArray mapped(folder / "x", 0, x.shape());
  const auto learned = [&](const SampleSource& source) {
    const Tensor in = Input({steps, channels});
    // Its sums over the batch put barriers into the plan.
    const Tensor h = BatchNormalization{}(Conv1D{.filters = 3, .kernel_size = 5}(in));
    Model model(in, Dense{.units = 1}(ZeroPadding1D{.padding = 2}(h)), {.seed = 3});
    model.compile({.loss = MeanSquaredError{}});
    FitOptions options{.epochs = 3, .batch_size = 8, .verbose = false};
    options.validation_split = 0.25;
    return model.fit(source, options).history;
  };
  const auto history = learned(ArraySamples({&x}, {&y}));
  EXPECT_EQ(history, learned(MappedSamples(mapped, y)));
}

TEST_F(TrainingMemory, that_cannot_be_enough_is_refused_before_anything_is_computed) {
  FitOptions options{.batch_size = 8, .verbose = false};
  options.threads = 2;
  options.memory = 50 << 10;
  Model model = network();
  const std::vector<Array> before = model.get_weights();
  try {
    model.fit(source_, options);
    FAIL() << "not refused";
  } catch (const LimitError& error) {
    options.memory = 0;
    const std::string message = error.what();
    EXPECT_EQ(message.find("fit: memory must be at least "), 0u) << message;
    EXPECT_NE(message.find(" KB for batches of 8 samples on 2 threads, though recurrent layers "
                           "compute their gates again, got 50.00 KB. Use fewer threads, a smaller "
                           "batch_size, or shorter windows of the signals."),
              std::string::npos)
        << message;
  }
  const std::vector<Array> after = model.get_weights();
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(same_bits<float>(after[i].values(), before[i].values()));
}

TEST_F(TrainingMemory, below_zero_is_refused) {
  FitOptions options{.verbose = false};
  options.memory = -1;
  try {
    taken(options);
    FAIL() << "not refused";
  } catch (const ArgumentError& error) {
    EXPECT_STREQ(error.what(), "fit: memory must be a number of bytes, or 0 for no limit, got -1.");
  }
}

TEST_F(TrainingMemory, counts_threads_moments_and_validation) {
  const auto bytes = [&](int threads, double split, bool masked = false, Optimizer how = Adam{}) {
    Model model = network(masked);
    model.compile({.optimizer = std::move(how), .loss = BinaryCrossentropy{}});
    FitOptions options{.batch_size = 8, .validation_split = split};
    options.threads = threads;
    return model.training_memory(source_, options).bytes;
  };
  const Index one = bytes(1, 0), two = bytes(2, 0);
  EXPECT_GT(two - one, one / 2);  // a shard for each thread
  EXPECT_EQ(bytes(3, 0), two);    // a batch has no third
  EXPECT_EQ(bytes(1, 0, true), bytes(2, 0, true));
  EXPECT_GT(bytes(1, 0.2), one);
  EXPECT_EQ(one - bytes(1, 0, false, SGD{}), 2 * 4 * network().weights().size());
}

TEST_F(TrainingMemory, is_nothing_that_a_network_without_recurrent_layers_can_save) {
  const Tensor x = Input({steps, channels});
  Model model(x, Dense{.units = 1}(x));
  model.compile({.loss = MeanSquaredError{}});
  FitOptions options{};
  options.memory = model.training_memory(source_).bytes - 1;
  try {
    model.training_memory(source_, options);
    FAIL() << "not refused";
  } catch (const LimitError& error) {
    EXPECT_EQ(std::string(error.what()).find("gates"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sonde
