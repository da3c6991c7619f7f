#pragma once
#include <algorithm>
#include <sonde/shape.hpp>

namespace sonde {

/// How a batch is cut: into shards of a constant number of rows, chosen from the batch size, the
/// kernels, the network and its steps (plan_shard), never from the number of threads, so that every
/// sum has the same order on every machine. Four rows fill the registers of the recurrent kernel
/// and keep a shard in the cache (products of bfloat16 may want more: kernels::least_rows); more
/// shards would only mean more gradient blocks to add.
inline Index shard_rows(Index batch_size, Index least_rows = 4, Index most_shards = 16) {
  const Index rows = std::max(least_rows, (batch_size + most_shards - 1) / most_shards);
  return std::min(batch_size, (rows + least_rows - 1) / least_rows * least_rows);
}

inline Index shard_count(Index rows, Index rows_per_shard) {
  return (rows + rows_per_shard - 1) / rows_per_shard;
}

/// Shards that a worker takes side by side, at most `most`: as many as there are for each worker,
/// in groups of nearly one size where these are more.
inline Index group_size(Index shards, Index workers, Index most) {
  const Index each = std::max<Index>(1, (shards + workers - 1) / workers);
  const Index groups = (each + most - 1) / most;
  return (each + groups - 1) / groups;
}

/// Calls add(to, from) for each edge of the fixed binary tree over `count` leaves; the total ends
/// in leaf 0.
template <class Add>
void tree(Index count, Add&& add) {
  for (Index stride = 1; stride < count; stride *= 2)
    for (Index to = 0; to + stride < count; to += 2 * stride) add(to, to + stride);
}

}  // namespace sonde
