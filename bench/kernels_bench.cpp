#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "base/denormals.hpp"
#include "kernels/kernels.hpp"
#include "kernels/level.hpp"

/// The kernels on the typical network, one thread: batch 32 in shards of 4 or 8 rows, 400 steps,
/// 16 channels -> Conv1D 32 filters of 8 taps -> LSTM 32 -> Dense 1. Columns: GFLOP per second, and
/// the share of the multiply-add peak that the same process measures. Only products count as work.
namespace sonde::kernels {
namespace {

constexpr Index batch = 32, steps = 400;

/// As training has it: backward runs over its own gates again and again, which fade.
const DenormalsAsZero all_through_the_program;

struct Floats {
  explicit Floats(Index n, float scale = 1)
      : data(static_cast<float*>(std::aligned_alloc(
            64, static_cast<std::size_t>((n + 64) / 16 * 16 + 16) * sizeof(float)))) {
    unsigned state = 1;
    for (Index i = 0; i < n; ++i) {
      state = state * 1664525u + 1013904223u;
      data[i] = scale * (static_cast<float>(state >> 8) / (1 << 23) - 1);
    }
  }
  ~Floats() { std::free(data); }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  operator float*() { return data; }
  float* data;
};

/// FLOP per second that multiply-adds in registers reach at the level in use, the best of a few
/// runs.
double peak() {
  static const double best = [] {
    double most = 0;
    for (int i = 0; i < 50; ++i) {
      float sums[16];
      const std::clock_t start = std::clock();
      const auto done = static_cast<double>(multiply_adds(1'000'000, 0.5f, sums));
      most = std::max(most, 2 * done * CLOCKS_PER_SEC / static_cast<double>(std::clock() - start));
    }
    return most;
  }();
  return best;
}

void report(benchmark::State& state, double flop) {
  const double done = flop * static_cast<double>(state.iterations());
  state.counters["GFLOP"] = benchmark::Counter(done * 1e-9, benchmark::Counter::kIsRate);
  state.counters["peak"] = benchmark::Counter(done / peak(), benchmark::Counter::kIsRate);
  state.SetLabel(level());
}

/// All shards of a batch through one window.
struct WindowBench {
  Window s;
  Floats x, w, b, packed, y, dy, dx, dw, db;
  explicit WindowBench(const Window& window)
      : s(window),
        x(s.steps_in * s.rows * s.x_pitch),
        w(s.taps * s.channels * s.w_pitch),
        b(s.filters),
        packed(window_packed_size<float>(s)),
        y(s.steps_out * s.rows * s.y_pitch),
        dy(s.steps_out * s.rows * s.y_pitch, 1e-3f),
        dx(s.steps_in * s.rows * s.x_pitch),
        dw(s.taps * s.channels * s.w_pitch),
        db(s.filters) {
    window_pack(s, w, packed);
  }
  double flop() const {
    return 2.0 * static_cast<double>(batch * steps * s.taps * s.channels * s.filters);
  }
};

Window window(Index rows, Index channels, Index filters, Index taps) {
  return {.steps_in = steps,
          .steps_out = steps,
          .rows = rows,
          .channels = channels,
          .filters = filters,
          .taps = taps,
          .left = (taps - 1) / 2,
          .x_pitch = channels,
          .y_pitch = filters,
          .w_pitch = filters};
}

void window_forward(benchmark::State& state) {
  WindowBench a(window(state.range(0), state.range(1), state.range(2), state.range(3)));
  for (auto _ : state) {
    for (Index r = 0; r < batch; r += a.s.rows) {
      window_forward(a.s, a.x, a.packed, a.b, true, a.y);
    }
  }
  report(state, a.flop());
}

void window_backward_weights(benchmark::State& state) {
  WindowBench a(window(state.range(0), state.range(1), state.range(2), state.range(3)));
  for (auto _ : state) {
    for (Index r = 0; r < batch; r += a.s.rows) {
      window_backward_weights(a.s, a.x, a.dy, a.dw, a.db);
    }
  }
  report(state, a.flop());
}

void window_backward_input(benchmark::State& state) {
  WindowBench a(window(state.range(0), state.range(1), state.range(2), state.range(3)));
  for (auto _ : state) {
    for (Index r = 0; r < batch; r += a.s.rows) {
      window_backward_input(a.s, a.dy, a.packed, a.dx);
    }
  }
  report(state, a.flop());
}

/// An LSTM, or a GRU.
struct CellBench {
  RecurrentSizes s;
  bool is_gru;
  Index gate_count;
  Floats x, w, u, b, packed, y, c, gates, dy, dh, dc, dx, dw, du, db, scratch;
  explicit CellBench(const RecurrentSizes& sizes, bool gru = false)
      : s(sizes),
        is_gru(gru),
        gate_count(gru ? 3 : 4),
        x(s.steps * s.rows * s.channels),
        w(s.channels * gate_count * s.units, 0.3f),
        u(s.units * gate_count * s.units, 0.3f),
        b(2 * gate_count * s.units),
        packed(gru ? gru_packed_size<float>(s) : lstm_packed_size<float>(s)),
        y(s.steps * s.rows * s.units),
        c(s.steps * s.rows * s.units),
        gates(s.steps * s.rows * (gru ? gru_gates_size<float>(s) : lstm_gates_size<float>(s))),
        dy(s.steps * s.rows * s.units, 1e-3f),
        dh(s.rows * s.units, 0),
        dc(s.rows * s.units, 0),
        dx(s.steps * s.rows * s.channels),
        dw(s.channels * gate_count * s.units),
        du(s.units * gate_count * s.units),
        db(2 * gate_count * s.units),
        scratch(gru ? gru_scratch_size<float>(s) : lstm_scratch_size<float>(s)) {
    (is_gru ? static_cast<Pack>(gru_pack) : static_cast<Pack>(lstm_pack))(s, w, u, b, packed);
  }
  using Pack = void (*)(const RecurrentSizes&, const float*, const float*, const float*, float*);
  void forward(bool keep) {
    const RecurrentForward<float> call{.x = x,
                                       .packed = packed,
                                       .y = y,
                                       .c = c,
                                       .gates = keep ? gates.data : nullptr,
                                       .scratch = scratch};
    if (is_gru) gru_forward(s, call);
    else lstm_forward(s, call);
  }
  void backward() {
    const RecurrentBackward<float> call{.x = x,
                                        .packed = packed,
                                        .y = y,
                                        .c = c,
                                        .gates = gates,
                                        .dy = dy,
                                        .dh = dh,
                                        .dc = dc,
                                        .dx = dx,
                                        .dw = dw,
                                        .du = du,
                                        .db = db,
                                        .scratch = scratch};
    if (is_gru) gru_backward(s, call);
    else lstm_backward(s, call);
  }
  double flop() const {
    return 2.0 * static_cast<double>(s.steps * s.rows * gate_count * s.units) *
           static_cast<double>(s.channels + s.units);
  }
};

RecurrentSizes sizes(benchmark::State& state, bool reset_after = true) {
  return {.steps = steps,
          .rows = state.range(0),
          .channels = state.range(1),
          .units = state.range(2),
          .reset_after = reset_after};
}

void forward_training(benchmark::State& state, CellBench& a) {
  for (auto _ : state) {
    for (Index r = 0; r < batch; r += a.s.rows) a.forward(true);
  }
  report(state, a.flop() * static_cast<double>(batch / a.s.rows));
}

void backward_training(benchmark::State& state, CellBench& a) {
  a.forward(true);
  for (auto _ : state) {
    // The kernel destroys the gates; what they hold does not change the time as long as it is
    // small.
    for (Index r = 0; r < batch; r += a.s.rows) a.backward();
  }
  report(state, 2 * a.flop() * static_cast<double>(batch / a.s.rows));
}

void lstm_forward_training(benchmark::State& state) {
  CellBench a(sizes(state));
  forward_training(state, a);
}
void lstm_backward_training(benchmark::State& state) {
  CellBench a(sizes(state));
  backward_training(state, a);
}
void gru_forward_training(benchmark::State& state) {
  CellBench a(sizes(state, state.range(3) != 0), true);
  forward_training(state, a);
}
void gru_backward_training(benchmark::State& state) {
  CellBench a(sizes(state, state.range(3) != 0), true);
  backward_training(state, a);
}

void lstm_forward_inference(benchmark::State& state) {
  CellBench a(sizes(state));
  for (auto _ : state) a.forward(false);
  report(state, a.flop());
}

/// The whole training step: each shard has memory of its own, as it will in training.
void typical_step(benchmark::State& state) {
  const Index rows = state.range(0);
  struct Shard {
    WindowBench conv, dense;
    CellBench lstm;
    explicit Shard(Index n)
        : conv(window(n, 16, 32, 8)),
          dense(window(n, 32, 1, 1)),
          lstm({.steps = steps, .rows = n, .channels = 32, .units = 32}) {}
  };
  std::vector<std::unique_ptr<Shard>> shards;
  for (Index r = 0; r < batch; r += rows) shards.push_back(std::make_unique<Shard>(rows));
  for (auto _ : state) {
    for (auto& shard : shards) {
      auto& [conv, dense, lstm] = *shard;
      window_forward(conv.s, conv.x, conv.packed, conv.b, true, conv.y);
      lstm_forward(
          lstm.s,
          {.x = conv.y, .packed = lstm.packed, .y = lstm.y, .c = lstm.c, .gates = lstm.gates});
      window_forward(dense.s, lstm.y, dense.packed, dense.b, false, dense.y);
      sigmoid(steps * rows, dense.y, dense.dy);
      for (Index i = 0; i < steps * rows; ++i) dense.dy[i] = dense.dy[i] * 1e-3f;
      window_backward_weights(dense.s, lstm.y, dense.dy, dense.dw, dense.db);
      window_backward_input(dense.s, dense.dy, dense.packed, lstm.dy);
      lstm_backward(lstm.s, {.x = conv.y,
                             .packed = lstm.packed,
                             .y = lstm.y,
                             .c = lstm.c,
                             .gates = lstm.gates,
                             .dy = lstm.dy,
                             .dh = lstm.dh,
                             .dc = lstm.dc,
                             .dx = lstm.dx,
                             .dw = lstm.dw,
                             .du = lstm.du,
                             .db = lstm.db,
                             .scratch = lstm.scratch});
      activation_backward(ActivationFunction::relu, steps * rows, 32, nullptr, conv.y, lstm.dx,
                          lstm.dx);
      window_backward_weights(conv.s, conv.x, lstm.dx, conv.dw, conv.db);
    }
  }
  report(state, 65728.0 * static_cast<double>(batch * steps));
}

BENCHMARK(window_forward)->Args({4, 16, 32, 8})->Args({8, 16, 32, 8})->Args({1, 16, 32, 8});
BENCHMARK(window_forward)->Args({8, 1, 32, 16})->Args({8, 64, 64, 5})->Args({8, 512, 128, 8});
BENCHMARK(window_backward_weights)
    ->Args({4, 16, 32, 8})
    ->Args({8, 16, 32, 8})
    ->Args({8, 1, 32, 16});
BENCHMARK(window_backward_weights)->Args({8, 64, 64, 5})->Args({8, 512, 128, 8});
BENCHMARK(window_backward_input)->Args({8, 32, 32, 8})->Args({8, 64, 64, 5});
BENCHMARK(window_forward)->Name("dense_forward")->Args({8, 32, 1, 1});
BENCHMARK(window_backward_weights)->Name("dense_backward_weights")->Args({8, 32, 1, 1});
BENCHMARK(window_backward_input)->Name("dense_backward_input")->Args({8, 32, 1, 1});
BENCHMARK(lstm_forward_training)->Args({4, 32, 32})->Args({8, 32, 32})->Args({8, 64, 64});
BENCHMARK(lstm_forward_training)->Args({8, 128, 128})->Args({8, 128, 256})->Args({8, 50, 50});
BENCHMARK(lstm_backward_training)->Args({4, 32, 32})->Args({8, 32, 32})->Args({8, 64, 64});
BENCHMARK(lstm_backward_training)->Args({8, 128, 128})->Args({8, 128, 256})->Args({8, 50, 50});
BENCHMARK(gru_forward_training)->Args({8, 32, 32, 1})->Args({8, 32, 32, 0})->Args({8, 128, 128, 1});
BENCHMARK(gru_backward_training)
    ->Args({8, 32, 32, 1})
    ->Args({8, 32, 32, 0})
    ->Args({8, 128, 128, 1});
BENCHMARK(lstm_forward_inference)->Args({1, 32, 32})->Args({8, 32, 32});
BENCHMARK(typical_step)->Arg(4)->Arg(8);

}  // namespace
}  // namespace sonde::kernels

BENCHMARK_MAIN();
