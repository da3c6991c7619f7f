#include "training/batch_plan.hpp"

#include <gtest/gtest.h>

#include <sonde/layers.hpp>

#include "kernels/bf16.hpp"

namespace sonde {
namespace {

Index rows_of_shard(const Tensor& x, const Tensor& y, Index batch_size,
                    MatmulPrecision precision = MatmulPrecision::f32) {
  const Graph graph({x}, {y});
  const auto weights = graph.weights(7);
  const PlanOptions options{.mode = Mode::train, .precision = precision};
  return plan_shard(graph, *weights, options, batch_size).options().rows;
}

Tensor signal(Index steps) { return Input({steps, 6, 1}); }
/// Walks along the 6 numbers of each step.
Tensor across(const Tensor& x) { return TimeDistributed{.layer = LSTM{.units = 5}}(x); }

TEST(Shards, have_the_rows_that_a_recurrent_kernel_takes_at_a_time) {
  const Index least = kernels::least_rows(MatmulPrecision::f32);
  auto x = Input({400, 6});
  auto y = LSTM{.units = 5, .return_sequences = true}(x);
  EXPECT_EQ(rows_of_shard(x, y, 32), least);
  EXPECT_EQ(rows_of_shard(x, y, 3), 3);
  EXPECT_EQ(rows_of_shard(x, Conv1D{.filters = 5, .kernel_size = 3}(x), 32), least);
}

TEST(Shards, have_the_rows_that_products_of_bfloat16_take_where_there_are_some) {
  const auto bf16 = MatmulPrecision::bf16;
  const Tensor x = Input({50, 6});
  EXPECT_EQ(rows_of_shard(x, LSTM{.units = 5}(x), 32, bf16), kernels::least_rows(bf16));
  EXPECT_EQ(rows_of_shard(x, Conv1D{.filters = 5, .kernel_size = 3}(x), 128, bf16),
            rows_of_shard(x, Conv1D{.filters = 5, .kernel_size = 3}(x), 128));
}

TEST(Shards, are_single_samples_where_each_step_is_a_sequence_of_its_own) {
  const Tensor many = signal(400), some = signal(130), few = signal(100);
  EXPECT_EQ(rows_of_shard(many, across(many), 32), 1);
  EXPECT_EQ(rows_of_shard(many, across(many), 100), 4);  // 32 at most: each has its gradients
  EXPECT_EQ(rows_of_shard(some, across(some), 32), 2);   // 260 sequences
  EXPECT_EQ(rows_of_shard(few, across(few), 32), kernels::least_rows(MatmulPrecision::f32));
}

TEST(Shards, keep_their_rows_where_weights_are_many) {
  const Tensor x = signal(400);
  const Tensor y = Dense{.units = 100}(Flatten{}(across(x)));
  EXPECT_EQ(rows_of_shard(x, y, 32), kernels::least_rows(MatmulPrecision::f32));
}

TEST(Shards, keep_their_rows_where_states_outlive_the_batch) {
  const Tensor x = signal(400);
  const Tensor y = TimeDistributed{.layer = LSTM{.units = 5, .stateful = true}}(x);
  EXPECT_EQ(rows_of_shard(x, y, 32), kernels::least_rows(MatmulPrecision::f32));
}

TEST(Shards, keep_their_rows_where_something_walks_along_time_too) {
  const Tensor x = signal(400);
  const Tensor y = LSTM{.units = 5, .return_sequences = true}(across(x));
  EXPECT_EQ(rows_of_shard(x, y, 32), kernels::least_rows(MatmulPrecision::f32));
}

}  // namespace
}  // namespace sonde
