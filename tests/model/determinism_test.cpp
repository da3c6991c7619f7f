#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <sonde/augmentation.hpp>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>
#include <sonde/stream.hpp>
#include <thread>

#include "tests/support/near.hpp"
#include "tests/support/no_allocation.hpp"

// The laws of a whole model: the same bytes on any number of threads and for any cutting of time,
// and no allocation once it runs.
namespace sonde {
namespace {

using testing::same_bits;

/// Numbers between -1 and 1, the same each time.
Array numbers(const Shape& shape, std::uint32_t seed = 1) {
  Array x(shape);
  std::uint32_t state = seed;
  for (float& v : x.values()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
  return x;
}

/// While one lives, models may use more threads than there are cores.
struct AnyThreads {
  AnyThreads() { setenv("SONDE_OVERSUBSCRIBE", "1", 1); }
  ~AnyThreads() { unsetenv("SONDE_OVERSUBSCRIBE"); }
};

// --- threads -------------------------------------------------------------------------------------

/// Samples that know which threads asked for them.
class WatchedSamples : public ArraySamples {
 public:
  using ArraySamples::ArraySamples;

  Sample sample(Index epoch, Index number) const noexcept override {
    by_[static_cast<std::size_t>(number)] = std::this_thread::get_id();
    return ArraySamples::sample(epoch, number);
  }
  std::size_t threads() const { return std::set(by_.begin(), by_.end()).size(); }
  void watch() { by_.assign(static_cast<std::size_t>(size()), {}); }

 private:
  mutable std::vector<std::thread::id> by_;
};

constexpr Index samples = 45, steps = 24, channels = 3;  // batches of 32 and 13: 8 and 4 shards

Model plain_network() {
  auto x = Input({steps, channels});
  auto h = Conv1D{.filters = 5,
                  .kernel_size = 4,
                  .padding = Padding::same,
                  .activation = ActivationFunction::relu}(x);
  h = LSTM{.units = 6, .return_sequences = true}(h);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(h);
  return Model(x, y, {.seed = 7});
}

/// Random numbers, sums over the whole batch, penalties and two ways through.
Model rich_network() {
  auto x = Input({steps, channels});
  auto h = Conv1D{.filters = 6, .kernel_size = 3, .padding = Padding::same}(x);
  h = BatchNormalization{}(h);
  h = Dropout{.rate = 0.3}(h);
  auto slow = MaxPooling1D{.pool_size = 2}(h);
  slow = LSTM{.units = 6, .kernel_regularizer = L2{0.01}, .return_sequences = true}(slow);
  slow = UpSampling1D{.size = 2}(slow);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(Add{}({h, slow}));
  return Model(x, y, {.seed = 7});
}

/// Weights of half a megabyte: shards go through the LSTM abreast.
Model wide_network() {
  auto x = Input({steps, channels});
  auto h = Conv1D{.filters = 32, .kernel_size = 3, .padding = Padding::same}(x);
  h = LSTM{.units = 176, .return_sequences = true}(h);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(h);
  return Model(x, y, {.seed = 7});
}
/// The same with sums over the whole batch before it.
Model wide_network_with_barriers() {
  auto x = Input({steps, channels});
  auto h = BatchNormalization{}(x);
  h = LSTM{.units = 190, .return_sequences = true, .go_backwards = true}(h);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(h);
  return Model(x, y, {.seed = 7});
}

/// Weights of more than a megabyte: where rows are few, all workers go through the LSTMs together.
Model shared_network() {
  auto x = Input({steps, channels});
  auto h = Conv1D{.filters = 16, .kernel_size = 3, .padding = Padding::same}(x);
  h = Bidirectional{.layer = LSTM{.units = 272, .return_sequences = true}}(h);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(h);
  return Model(x, y, {.seed = 7});
}
/// The same behind sums over the whole batch, with masks.
Model shared_network_with_barriers() {
  auto x = Input({steps, channels});
  auto h = Dense{.units = 16}(BatchNormalization{}(x));
  h = LSTM{.units = 288, .return_sequences = true}(Masking{}(h));
  h = BatchNormalization{}(h);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(h);
  return Model(x, y, {.seed = 7});
}

/// Each of 288 steps is a sequence of its own, so that a shard is one sample.
Model folded_network() {
  auto x = Input({steps, channels});
  auto h =
      Reshape{.target_shape = std::vector<Index>{-1, channels, 1}}(UpSampling1D{.size = 12}(x));
  h = BatchNormalization{}(TimeDistributed{.layer = LSTM{.units = 4, .dropout = 0.2}}(h));
  h = MaxPooling1D{.pool_size = 12}(h);
  auto y = Dense{.units = 1, .activation = ActivationFunction::sigmoid}(h);
  return Model(x, y, {.seed = 7});
}

struct Learned {
  std::vector<Array> weights;
  std::vector<float> moments;
  History history;
};

/// Who takes the shards of a batch.
struct Taken {
  Index batch_size = 32;
  int most = 8;     ///< threads that find shards
  int of_five = 5;  ///< of five
};

Learned learn(Model model, int threads, const Loss& loss = BinaryCrossentropy{},
              const Augmentation& augmentation = {}, const Taken& taken = {}) {
  const AnyThreads any;
  const Array x = numbers({samples, steps, channels});
  Array y({samples, steps, 1});
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(x.data()[3 * i] > 0);
  WatchedSamples watched({&x}, {&y});
  watched.watch();
  const Augmented source(watched, augmentation);
  model.compile({.optimizer = Adam{.learning_rate = 0.01f, .clipnorm = 0.5},
                 .loss = loss,
                 .metrics = {"accuracy", "auc"}});
  FitOptions options{.epochs = 3, .batch_size = taken.batch_size, .verbose = false};
  options.threads = threads;
  Learned learned;
  learned.history = model.fit(source, options);
  const int finding = threads == 5 ? taken.of_five : std::min(threads, taken.most);
  EXPECT_EQ(watched.threads(), static_cast<std::size_t>(finding));
  learned.weights = model.get_weights();
  for (const auto& block : model.optimizer_state())
    learned.moments.insert(learned.moments.end(), block.data(), block.data() + block.size());
  return learned;
}

void expect_the_same_on_any_threads(Model (*network)(), const Loss& loss = BinaryCrossentropy{},
                                    const Augmentation& augmentation = {},
                                    const Taken& taken = {}) {
  const Learned one = learn(network(), 1, loss, augmentation, taken);
  // Something was learned: equal bytes of nothing would prove nothing.
  EXPECT_FALSE(same_bits<float>(one.weights[0].values(), network().get_weights()[0].values()));
  for (const int threads : {2, 3, 5, 8}) {
    SCOPED_TRACE(threads);
    const Learned many = learn(network(), threads, loss, augmentation, taken);
    for (std::size_t i = 0; i < one.weights.size(); ++i)
      EXPECT_TRUE(same_bits<float>(one.weights[i].values(), many.weights[i].values())) << i;
    EXPECT_TRUE(same_bits<float>(one.moments, many.moments));
    EXPECT_EQ(one.history.history, many.history.history);
  }
}

TEST(Determinism, three_epochs_give_the_same_bytes_on_any_number_of_threads) {
  expect_the_same_on_any_threads(plain_network);
}

TEST(Determinism, holds_for_dropout_batch_statistics_and_penalties) {
  expect_the_same_on_any_threads(rich_network);
}

TEST(Determinism, holds_where_shards_are_single_samples) {
  expect_the_same_on_any_threads(folded_network);
}

TEST(Determinism, holds_where_shards_go_abreast) {
  const Taken in_pairs{.of_five = 4};
  expect_the_same_on_any_threads(wide_network, BinaryCrossentropy{}, {}, in_pairs);
  expect_the_same_on_any_threads(wide_network_with_barriers, BinaryCrossentropy{}, {}, in_pairs);
}

TEST(Determinism, holds_where_workers_share_the_units_of_a_layer) {
  const Taken two_shards{.batch_size = 8, .most = 2, .of_five = 2};
  expect_the_same_on_any_threads(shared_network, BinaryCrossentropy{}, {}, two_shards);
  expect_the_same_on_any_threads(shared_network_with_barriers, Dice{}, {}, two_shards);
}

TEST(Determinism, holds_for_losses_of_the_whole_batch) {
  expect_the_same_on_any_threads(plain_network, Dice{});
  expect_the_same_on_any_threads(rich_network, Tversky{.alpha = 0.7, .beta = 0.3, .axis = {0, 1}});
  expect_the_same_on_any_threads(plain_network, Dice{.axis = {1, 2}});
}

TEST(Determinism, holds_for_changed_signals) {
  const Augmentation all{.warp = 0.2,
                         .permute = 0.3,
                         .flip = 0.3,
                         .scale = 0.2,
                         .offset = 0.1,
                         .wander = 0.2,
                         .noise = 0.1,
                         .drop = 0.2};
  expect_the_same_on_any_threads(plain_network, BinaryCrossentropy{}, all);
  EXPECT_NE(learn(plain_network(), 2, BinaryCrossentropy{}, all).history.history,
            learn(plain_network(), 2).history.history);
}

void expect_the_same_predictions(Model model) {
  const AnyThreads any;
  model.compile({.loss = BinaryCrossentropy{}, .metrics = {"accuracy"}});
  const Array x = numbers({samples, steps, channels}), y({samples, steps, 1});
  const Array one = model.predict(x, {.threads = 1});
  const Logs scores = model.evaluate(x, y, {.threads = 1});
  for (const int threads : {2, 3, 5, 8}) {
    EXPECT_TRUE(same_bits<float>(one.values(), model.predict(x, {.threads = threads}).values()));
    EXPECT_EQ(scores, model.evaluate(x, y, {.threads = threads}));
  }
  for (const Index batch : {1, 3, 7, 45})
    EXPECT_TRUE(same_bits<float>(one.values(), model.predict(x, {.batch_size = batch}).values()))
        << batch;
}

TEST(Determinism, predictions_and_scores_do_not_depend_on_threads_or_batches) {
  expect_the_same_predictions(rich_network());
  expect_the_same_predictions(wide_network());
  expect_the_same_predictions(folded_network());
  expect_the_same_predictions(shared_network());
}

TEST(Determinism, holds_where_workers_share_the_units_of_a_folded_layer) {
  const AnyThreads any;
  auto x = Input({5, 3});
  auto h = Reshape{.target_shape = std::vector<Index>{5, 3, 1}}(x);
  h = TimeDistributed{.layer = LSTM{.units = 272}}(h);  // 5 rows for each
  Model model(x, Dense{.units = 2}(h), {.seed = 7});
  const Array signals = numbers({11, 5, 3});
  const Array one = model.predict(signals, {.threads = 1});
  for (const int threads : {2, 3, 5})
    EXPECT_TRUE(
        same_bits<float>(one.values(), model.predict(signals, {.threads = threads}).values()));
}

// --- time ----------------------------------------------------------------------------------------

/// Two labels for each step of a signal of any length.
Model streaming_network(Padding padding) {
  auto x = Input({dynamic, channels});
  auto h = Conv1D{.filters = 5, .kernel_size = 4, .padding = padding, .dilation_rate = 2}(x);
  h = LSTM{.units = 6, .return_sequences = true}(h);
  auto y = Dense{.units = 2, .activation = ActivationFunction::softmax}(h);
  return Model(x, y, {.seed = 7});
}

/// All labels of a signal, pushed in chunks of `chunk` steps.
std::vector<float> streamed(const Model& model, const Array& x, Index chunk) {
  Stream stream = model.stream(chunk);
  std::vector<float> labels;
  labels.reserve(static_cast<std::size_t>(x.shape()[1] * stream.width()));
  const Index before = testing::allocations();
  const auto take = [&](std::span<const float> ready) {
    labels.insert(labels.end(), ready.begin(), ready.end());
  };
  for (Index t = 0; t < x.shape()[1]; t += chunk)
    take(stream.push({x.data() + t * channels,
                      static_cast<std::size_t>(std::min(chunk, x.shape()[1] - t) * channels)}));
  take(stream.flush());
  EXPECT_EQ(testing::allocations(), before);
  return labels;
}

TEST(Determinism, a_stream_in_any_chunks_gives_the_bytes_of_the_whole_signal) {
  for (const Padding padding : {Padding::causal, Padding::same}) {
    Model model = streaming_network(padding);
    const Array x = numbers({1, 333, channels});
    const Array whole = model.predict(x);
    for (const Index chunk : {1, 2, 7, 64, 333}) {
      const std::vector<float> labels = streamed(model, x, chunk);
      EXPECT_TRUE(same_bits<float>(whole.values(), labels)) << "chunks of " << chunk;
    }
  }
}

TEST(Determinism, a_long_signal_that_runs_in_chunks_gives_the_bytes_of_a_short_one) {
  // predict() cuts signals of more than 4096 steps; a causal label knows nothing of what follows.
  Model model = streaming_network(Padding::causal);
  const Array x = numbers({1, 5000, channels});
  Array start({1, 4000, channels});
  std::copy_n(x.data(), start.size(), start.data());
  const Array whole = model.predict(x), part = model.predict(start);
  EXPECT_TRUE(same_bits<float>(whole.values().first(part.values().size()), part.values()));
  EXPECT_TRUE(same_bits<float>(whole.values(), streamed(model, x, 64)));
}

TEST(Determinism, holds_for_long_signals_of_steps_that_are_sequences) {
  auto x = Input({dynamic, channels});
  auto h = Reshape{.target_shape = std::vector<Index>{-1, channels, 1}}(x);
  h = TimeDistributed{.layer = LSTM{.units = 4}}(h);
  Model model(x, Dense{.units = 2}(h), {.seed = 7});
  const Array signals = numbers({3, 4500, channels});
  Array start({3, 4000, channels});
  for (Index i = 0; i < 3; ++i)
    std::copy_n(signals.data() + i * 4500 * channels, 4000 * channels,
                start.data() + i * 4000 * channels);
  const Array whole = model.predict(signals), part = model.predict(start);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(same_bits<float>(whole.values().subspan(i * 9000, 8000),
                                 part.values().subspan(i * 8000, 8000)));
}

TEST(Predict, takes_signals_without_a_step_through_a_fold) {
  auto x = Input({dynamic, channels, 1});
  Model model(x, TimeDistributed{.layer = LSTM{.units = 4}}(x), {.seed = 7});
  EXPECT_EQ(model.predict(Array({2, 0, channels, 1})).shape(), (Shape{2, 0, 4}));
}

// --- memory --------------------------------------------------------------------------------------

TEST(Allocation, of_predict_does_not_grow_with_the_batches) {
  Model model = rich_network();
  const auto count = [&](Index rows) {
    const Array x = numbers({rows, steps, channels});
    const Index before = testing::allocations();
    model.predict(x, {.batch_size = 8, .threads = 1});
    return testing::allocations() - before;
  };
  count(8);
  EXPECT_EQ(count(16), count(160));
}

TEST(Threads, are_no_more_than_the_cores_unless_asked_for) {
  const Array x = numbers({32, steps, channels}), y({32, steps, 1});
  WatchedSamples source({&x}, {&y});
  source.watch();
  Model model = plain_network();
  model.compile({.loss = BinaryCrossentropy{}});
  model.evaluate(source, {.threads = 1000});
  EXPECT_LE(source.threads(), std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace sonde
