#pragma once
#include "base/thread_pool.hpp"
#include "support.hpp"

/// An LSTM for the tests of its kernels: numbers for every argument.
namespace sonde::kernels {

/// What of an LSTM's inputs is given.
struct Given {
  bool states = true;
  bool bias = true;
  bool dy = true;
  bool dx = true;
  bool dropout_x = false;
  bool dropout_per_gate = false;
  bool mask = false;
};

/// An LSTM, its numbers, and what the kernels make of them.
template <class T>
struct Case {
  RecurrentSizes s;
  Given given;
  Buffer<T> x, w, u, b, h0, c0, dropout_x, dropout_h, mask, packed, y, c, gates, dy, dh, dc, dx, dw,
      du, db, scratch;

  explicit Case(const RecurrentSizes& sizes, Given what = {}, Index offset = 0)
      : s(sizes),
        given(what),
        x(s.steps * s.rows * s.channels, 1, 1, offset),
        w(s.channels * 4 * s.units, 2, 0.5, offset),
        u(s.units * 4 * s.units, 3, 0.5, offset),
        b(4 * s.units, 4, 1, offset),
        h0(s.rows * s.units, 5, 1, offset),
        c0(s.rows * s.units, 6, 1, offset),
        dropout_x(4 * s.rows * s.channels, 7, 2),
        dropout_h(4 * s.rows * s.units, 8, 2),
        mask(s.steps * s.rows, 15),
        packed(lstm_packed_size<T>(s), 1, 0),
        y(s.steps * s.rows * s.units, 1, 1, offset),
        c(s.steps * s.rows * s.units, 1, 1, offset),
        gates(s.steps * s.rows * lstm_gates_size<T>(s), 1, 1, offset),
        dy(s.steps * s.rows * s.units, 9, 1, offset),
        dh(s.rows * s.units, 10, 1, offset),
        dc(s.rows * s.units, 11, 1, offset),
        dx(s.steps * s.rows * s.channels, 1, 1, offset),
        dw(w.size(), 12, 1, offset),
        du(u.size(), 13, 1, offset),
        db(b.size(), 14, 1, offset),
        scratch(lstm_scratch_size<T>(s), 1, 1, offset) {
    for (T& value : mask.all()) value = value < T(-0.2) ? T(0) : T(1);
    for (T& value : gates.all()) value = T(NAN);  // what forward leaves unwritten must not count
  }

  DropoutMasks<T> dropout() {
    if (given.dropout_per_gate) return {dropout_x.data(), dropout_h.data(), true};
    return {given.dropout_x ? dropout_x.data() : nullptr, nullptr, false};
  }
  const T* mask_if_given() const { return given.mask ? mask.data() : nullptr; }
  void pack() { lstm_pack(s, w.data(), u.data(), given.bias ? b.data() : nullptr, packed.data()); }
  RecurrentForward<T> forward_call() {
    return {.x = x.data(),
            .packed = packed.data(),
            .h0 = given.states ? h0.data() : nullptr,
            .c0 = given.states ? c0.data() : nullptr,
            .y = y.data(),
            .c = c.data(),
            .gates = gates.data(),
            .scratch = scratch.data(),
            .mask = mask_if_given(),
            .dropout = dropout()};
  }
  RecurrentBackward<T> backward_call() {
    return {.x = x.data(),
            .packed = packed.data(),
            .h0 = given.states ? h0.data() : nullptr,
            .c0 = given.states ? c0.data() : nullptr,
            .y = y.data(),
            .c = c.data(),
            .gates = gates.data(),
            .dy = given.dy ? dy.data() : nullptr,
            .dh = dh.data(),
            .dc = dc.data(),
            .dx = given.dx ? dx.data() : nullptr,
            .dw = dw.data(),
            .du = du.data(),
            .db = given.bias ? db.data() : nullptr,
            .scratch = scratch.data(),
            .mask = mask_if_given(),
            .dropout = dropout()};
  }
  void forward() {
    pack();
    lstm_forward(s, forward_call());
  }
  void backward() { lstm_backward(s, backward_call()); }
  void run() {
    forward();
    backward();
  }
  /// Everything that comes out, in one order.
  std::vector<Buffer<T>*> results() { return {&y, &c, &dh, &dc, &dx, &dw, &du, &db}; }
};

inline const char* const result_names[] = {"y", "c", "dh", "dc", "dx", "dw", "du", "db"};

inline RecurrentSizes sizes(Index steps, Index rows, Index channels, Index units,
                            bool backwards = false) {
  return {
      .steps = steps, .rows = rows, .channels = channels, .units = units, .backwards = backwards};
}

struct Named {
  RecurrentSizes s;
  Given given;
};

inline std::string print(const RecurrentSizes& s) {
  return std::to_string(s.steps) + " steps, " + std::to_string(s.rows) + " rows, " +
         std::to_string(s.channels) + " channels, " + std::to_string(s.units) + " units" +
         (s.backwards ? ", backwards" : "");
}

inline std::vector<Named> cases() {
  std::vector<Named> all;
  for (Index n = 0; n <= 35; ++n) {
    all.push_back({sizes(3, 2, 3, n), {}});
    all.push_back({sizes(3, 2, n, 5), {}});
  }
  for (Index rows = 0; rows <= 13; ++rows) all.push_back({sizes(3, rows, 4, 17), {}});
  for (Index steps = 0; steps <= 3; ++steps) all.push_back({sizes(steps, 2, 4, 17, true), {}});
  all.push_back({sizes(45, 4, 32, 32), {}});
  all.push_back({sizes(45, 8, 32, 32, true), {}});
  all.push_back({sizes(70, 3, 7, 11), {.states = false}});
  all.push_back({sizes(70, 3, 7, 11, true), {.states = false, .bias = false, .dx = false}});
  all.push_back({sizes(9, 5, 13, 37), {.bias = false, .dy = false}});
  all.push_back({sizes(4, 7, 101, 97), {}});
  all.push_back({sizes(2, 3, 5, 300), {}});
  for (Index rows = 1; rows <= 13; ++rows) {
    all.push_back({sizes(7, rows, 4, 17, rows % 2 == 0), {.mask = true}});
  }
  all.push_back({sizes(70, 5, 13, 37), {.states = false, .mask = true}});
  all.push_back({sizes(9, 5, 3, 16), {.dy = false, .dx = false, .mask = true}});
  // One step is more than a block of backward.
  all.push_back({sizes(3, 300, 2, 5), {}});
  all.push_back({sizes(3, 600, 5, 17, true), {.mask = true}});
  all.push_back({sizes(2, 300, 3, 144), {}});
  return all;
}

/// Shards of one layer: alike but for their numbers and masks.
inline std::vector<Case<float>> shards_of(const RecurrentSizes& s, const Given& given, int count) {
  std::vector<Case<float>> shards(static_cast<std::size_t>(count), Case<float>(s, given));
  for (int i = 0; i < count; ++i) {
    Case<float>& shard = shards[static_cast<std::size_t>(i)];
    shard.pack();
    for (float& value : shard.x.all()) value = value * 0.9f + 0.1f * static_cast<float>(i);
    for (float& value : shard.dy.all()) value -= 0.05f * static_cast<float>(i);
    const auto mask = shard.mask.all();
    if (!mask.empty())
      std::rotate(mask.begin(), mask.begin() + i % static_cast<Index>(mask.size()), mask.end());
  }
  return shards;
}

inline std::vector<Named> cases_abreast() {
  return {{sizes(6, 4, 5, 19), {}},
          {sizes(9, 5, 40, 37, true), {.mask = true}},
          {sizes(7, 3, 130, 50), {.states = false, .mask = true}},
          {sizes(70, 4, 3, 130), {.bias = false, .dx = false}},
          {sizes(2, 40, 5, 16), {.dy = false}},
          {sizes(3, 1, 4, 33), {}},
          {sizes(0, 2, 4, 17), {}},
          {sizes(3, 0, 4, 17), {}},
          {sizes(3, 2, 0, 17), {}},
          {sizes(3, 2, 4, 0), {}}};
}

/// Forward of some shards in one walk without gates, where c is carried in place.
inline void expect_same_without_gates(const RecurrentSizes& s, const Given& given, int count) {
  std::vector<Case<float>> apart = shards_of(s, given, count), abreast = apart;
  std::vector<RecurrentForward<float>> calls;
  for (Case<float>& shard : abreast) {
    calls.push_back(shard.forward_call());
    calls.back().gates = nullptr;
    calls.back().c = shard.c0.data();
  }
  lstm_forward(s, calls);
  for (std::size_t i = 0; i < apart.size(); ++i) {
    RecurrentForward<float> call = apart[i].forward_call();
    call.gates = nullptr;
    call.c = apart[i].c0.data();
    lstm_forward(s, call);
    ASSERT_TRUE(same_bits(apart[i].y, abreast[i].y)) << print(s) << ", shard " << i;
    ASSERT_TRUE(same_bits(apart[i].c0, abreast[i].c0)) << print(s) << ", shard " << i;
    ASSERT_TRUE(abreast[i].scratch.is_intact() && abreast[i].y.is_intact()) << print(s);
  }
}

/// Some shards in one walk of `workers` give the bits of one walk after the other, and write
/// nothing else.
inline void expect_same_in_one_walk(const RecurrentSizes& s, const Given& given, int count,
                                    int workers) {
  std::vector<Case<float>> apart = shards_of(s, given, count);
  std::vector<Case<float>> abreast = shards_of(s, given, count);
  std::vector<RecurrentForward<float>> forward;
  std::vector<RecurrentBackward<float>> backward;
  for (Case<float>& shard : abreast) {
    forward.push_back(shard.forward_call());
    backward.push_back(shard.backward_call());
  }
  ThreadPool pool(workers, Cap::none);
  pool.run([&](int worker, Team& team) noexcept {
    lstm_forward(s, forward, team.share(worker));
    lstm_backward(s, backward, team.share(worker));
  });
  for (std::size_t i = 0; i < apart.size(); ++i) {
    apart[i].run();
    for (std::size_t k = 0; k < apart[i].results().size(); ++k) {
      ASSERT_TRUE(same_bits(*apart[i].results()[k], *abreast[i].results()[k]))
          << print(s) << ": " << result_names[k] << " of shard " << i << " of " << count;
      ASSERT_TRUE(abreast[i].results()[k]->is_intact()) << print(s);
    }
    ASSERT_TRUE(abreast[i].scratch.is_intact() && abreast[i].gates.is_intact()) << print(s);
  }
}

inline void expect_same_abreast(const RecurrentSizes& s, const Given& given) {
  for (const int count : {2, 3, 8}) {
    expect_same_without_gates(s, given, count);
    expect_same_in_one_walk(s, given, count, 1);
  }
}

/// Whole slices of units and channels, which workers share out, and others.
inline std::vector<Named> cases_shared() {
  return {{sizes(9, 5, 48, 80, true), {.mask = true}},
          {sizes(7, 3, 130, 64), {.states = false, .dx = false, .mask = true}},
          {sizes(70, 4, 3, 144), {.bias = false, .dx = false}},
          {sizes(2, 300, 16, 64), {}},
          {sizes(4, 40, 16, 48), {.dy = false}},
          {sizes(3, 1, 16, 32), {}},
          {sizes(6, 4, 5, 48), {}},
          {sizes(6, 4, 16, 37), {.mask = true}},
          {sizes(0, 2, 16, 32), {}},
          {sizes(3, 0, 16, 32), {}},
          {sizes(3, 2, 0, 32), {}},
          {sizes(3, 2, 16, 0), {}}};
}

/// Every worker returns with all done: it runs backward of what the others did forward. One more
/// than there are shards, or panels of units, finds nothing to do.
inline void expect_same_shared(const RecurrentSizes& s, const Given& given) {
  for (const int workers : {2, 3})
    for (const int count : {1, 3}) expect_same_in_one_walk(s, given, count, workers);
}

}  // namespace sonde::kernels
