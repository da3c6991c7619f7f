#include "support.hpp"

/// GRU and SimpleRNN. The LSTM's tests are in lstm_test.cpp.
namespace sonde::kernels {
namespace {

/// The functions of one kind of cell.
template <class T>
struct Kernel {
  const char* name;
  Index gates;
  Index (*packed_size)(const RecurrentSizes&);
  Index (*gates_size)(const RecurrentSizes&);
  Index (*scratch_size)(const RecurrentSizes&);
  void (*pack)(const RecurrentSizes&, const T*, const T*, const T*, T*);
  void (*forward)(const RecurrentSizes&, const RecurrentForward<T>&);
  void (*backward)(const RecurrentSizes&, const RecurrentBackward<T>&);
};

enum class Cell { gru, simple_rnn };

template <class T>
Kernel<T> kernel_of(Cell cell) {
  if (cell == Cell::simple_rnn) {
    return {"SimpleRNN",
            1,
            simple_rnn_packed_size<T>,
            simple_rnn_gates_size<T>,
            simple_rnn_scratch_size<T>,
            simple_rnn_pack,
            simple_rnn_forward,
            simple_rnn_backward};
  }
  return {"GRU",    3,           gru_packed_size<T>, gru_gates_size<T>, gru_scratch_size<T>,
          gru_pack, gru_forward, gru_backward};
}

/// What is computed, and what of its inputs is given.
struct Question {
  Cell cell = Cell::gru;
  RecurrentSizes s = {};
  bool states = true;
  bool bias = true;
  bool dy = true;
  bool dx = true;
  bool dropout_x = false;
  bool dropout_per_gate = false;
  bool mask = false;
};

std::string print(const Question& q) {
  const RecurrentSizes& s = q.s;
  return std::string(kernel_of<float>(q.cell).name) + ", " + std::to_string(s.steps) + " steps, " +
         std::to_string(s.rows) + " rows, " + std::to_string(s.channels) + " channels, " +
         std::to_string(s.units) + " units, activations " +
         std::to_string(static_cast<int>(s.activation)) + " and " +
         std::to_string(static_cast<int>(s.recurrent_activation)) +
         (s.backwards ? ", backwards" : "") + (s.reset_after ? "" : ", reset before") +
         (q.mask ? ", masked" : "");
}

/// The numbers of a question, and what the kernels make of them.
template <class T>
struct Case {
  Question q;
  RecurrentSizes s;
  Kernel<T> kernel;
  Buffer<T> x, w, u, b, h0, dropout_x, dropout_h, mask, packed, y, gates, dy, dh, dx, dw, du, db,
      scratch;

  explicit Case(const Question& question, Index offset = 0)
      : q(question),
        s(q.s),
        kernel(kernel_of<T>(q.cell)),
        x(s.steps * s.rows * s.channels, 1, 1, offset),
        w(s.channels * kernel.gates * s.units, 2, 0.5, offset),
        // Small in a SimpleRNN: no gate keeps what it has rounded from growing.
        u(s.units * kernel.gates * s.units, 3, q.cell == Cell::gru ? 0.5 : 0.15, offset),
        b((q.cell == Cell::gru && s.reset_after ? 2 : 1) * kernel.gates * s.units, 4, 1, offset),
        h0(s.rows * s.units, 5, 1, offset),
        dropout_x(kernel.gates * s.rows * s.channels, 7, 2),
        dropout_h(kernel.gates * s.rows * s.units, 8, 2),
        mask(s.steps * s.rows, 15),
        packed(kernel.packed_size(s), 1, 0),
        y(s.steps * s.rows * s.units, 1, 1, offset),
        gates(s.steps * s.rows * kernel.gates_size(s), 1, 1, offset),
        dy(s.steps * s.rows * s.units, 9, 1, offset),
        dh(s.rows * s.units, 10, 1, offset),
        dx(s.steps * s.rows * s.channels, 1, 1, offset),
        dw(w.size(), 12, 1, offset),
        du(u.size(), 13, 1, offset),
        db(b.size(), 14, 1, offset),
        scratch(kernel.scratch_size(s), 1, 1, offset) {
    for (T& value : mask.all()) value = value < T(-0.2) ? T(0) : T(1);
    // What forward leaves unwritten must not count.
    for (T& value : gates.all()) value = T(NAN);
    for (T& value : scratch.all()) value = T(NAN);
  }

  DropoutMasks<T> dropout() {
    const bool any = q.dropout_x || q.dropout_per_gate;
    const bool h = q.dropout_per_gate || (any && kernel.gates == 1);
    return {any ? dropout_x.data() : nullptr, h ? dropout_h.data() : nullptr, q.dropout_per_gate};
  }
  void pack() { kernel.pack(s, w.data(), u.data(), q.bias ? b.data() : nullptr, packed.data()); }
  void forward(bool keep = true) {
    pack();
    kernel.forward(s, {.x = x.data(),
                       .packed = packed.data(),
                       .h0 = q.states ? h0.data() : nullptr,
                       .y = y.data(),
                       .gates = keep ? gates.data() : nullptr,
                       .scratch = scratch.data(),
                       .mask = q.mask ? mask.data() : nullptr,
                       .dropout = dropout()});
  }
  void backward() {
    kernel.backward(s, {.x = x.data(),
                        .packed = packed.data(),
                        .h0 = q.states ? h0.data() : nullptr,
                        .y = y.data(),
                        .gates = gates.data(),
                        .dy = q.dy ? dy.data() : nullptr,
                        .dh = dh.data(),
                        .dx = q.dx ? dx.data() : nullptr,
                        .dw = dw.data(),
                        .du = du.data(),
                        .db = q.bias ? db.data() : nullptr,
                        .scratch = scratch.data(),
                        .mask = q.mask ? mask.data() : nullptr,
                        .dropout = dropout()});
  }
  void run() {
    forward();
    backward();
  }
  /// Everything that comes out, in one order.
  std::vector<Buffer<T>*> results() { return {&y, &dh, &dx, &dw, &du, &db}; }
};

const char* const result_names[] = {"y", "dh", "dx", "dw", "du", "db"};

RecurrentSizes sizes(Index steps, Index rows, Index channels, Index units, bool backwards = false) {
  return {
      .steps = steps, .rows = rows, .channels = channels, .units = units, .backwards = backwards};
}

/// Each question for both cells, and the GRU's ways to reset.
std::vector<Question> for_all_cells(const std::vector<Question>& questions) {
  std::vector<Question> all;
  for (Question q : questions) {
    q.cell = Cell::gru;
    all.push_back(q);
    q.s.reset_after = false;
    all.push_back(q);
    if (q.dropout_per_gate) continue;
    q.cell = Cell::simple_rnn;
    all.push_back(q);
  }
  return all;
}

std::vector<Question> questions() {
  std::vector<Question> all;
  for (Index n = 0; n <= 35; ++n) {
    all.push_back({.s = sizes(3, 2, 3, n)});
    all.push_back({.s = sizes(3, 2, n, 5)});
  }
  for (Index rows = 0; rows <= 13; ++rows) all.push_back({.s = sizes(3, rows, 4, 17)});
  for (Index steps = 0; steps <= 3; ++steps) all.push_back({.s = sizes(steps, 2, 4, 17, true)});
  all.push_back({.s = sizes(45, 4, 32, 32)});
  all.push_back({.s = sizes(45, 8, 32, 32, true)});
  all.push_back({.s = sizes(70, 3, 7, 11), .states = false});
  all.push_back({.s = sizes(70, 3, 7, 11, true), .states = false, .bias = false, .dx = false});
  all.push_back({.s = sizes(9, 5, 13, 37), .bias = false, .dy = false});
  all.push_back({.s = sizes(4, 7, 101, 97)});
  // Tiles of several slices, few rows and many, and more rows than a block of backward has.
  for (Index rows = 1; rows <= 5; ++rows)
    for (Index n : {48, 49, 63, 64, 65, 80}) all.push_back({.s = sizes(3, rows, 5, n, n % 2 == 0)});
  all.push_back({.s = sizes(3, 300, 2, 5)});
  all.push_back({.s = sizes(3, 300, 2, 5, true), .mask = true});
  for (Index rows = 1; rows <= 13; ++rows)
    all.push_back({.s = sizes(7, rows, 4, 17, rows % 2 == 0), .mask = true});
  all.push_back({.s = sizes(70, 5, 13, 37), .states = false, .mask = true});
  all.push_back({.s = sizes(9, 5, 3, 16), .dy = false, .dx = false, .mask = true});
  return for_all_cells(all);
}

TEST(Recurrent, AgreesWithTheReferenceForEverySize) {
  for (const Question& q : questions()) {
    Case<double> want(q);
    want.run();
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      for (Index offset : {0, 1, 7}) {
        Case<float> got(q, offset);
        got.run();
        for (std::size_t i = 0; i < got.results().size(); ++i) {
          ASSERT_LE(relative_error(*got.results()[i], *want.results()[i]), 5e-6)
              << print(q) << ": " << result_names[i] << " " << level_name(level);
          ASSERT_TRUE(got.results()[i]->is_intact()) << print(q) << ": " << result_names[i];
        }
        ASSERT_TRUE(got.packed.is_intact() && got.gates.is_intact() && got.scratch.is_intact());
      }
    }
  }
}

TEST(Recurrent, GivesTheSameBitsOnEveryInstructionSet) {
  const std::vector<Level> levels = vector_levels();
  for (const Question& q : questions()) {
    Case<float> first(q);
    {
      const AtLevel at(levels[0]);
      first.run();
    }
    for (Level level : levels) {
      const AtLevel at(level);
      Case<float> other(q);
      other.run();
      for (std::size_t i = 0; i < other.results().size(); ++i) {
        ASSERT_TRUE(same_bits(*first.results()[i], *other.results()[i]))
            << print(q) << ": " << result_names[i];
      }
    }
  }
}

TEST(Recurrent, ARowDoesNotDependOnTheRowsBesideIt) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const Question& q : for_all_cells({{.s = sizes(6, 11, 5, 19)},
                                            {.s = sizes(6, 11, 5, 19, true)},
                                            {.s = sizes(6, 11, 5, 19), .mask = true}})) {
      Case<float> all(q), start(q);
      all.run();
      Question alone = q;
      alone.s.rows = 1;
      for (Index r = 0; r < q.s.rows; ++r) {
        Case<float> one(alone);
        const auto take = [&](const Buffer<float>& from, Buffer<float>& to, Index width) {
          for (Index i = 0; i < to.size(); ++i) {
            to[i] = from[(i / width * q.s.rows + r) * width + i % width];
          }
        };
        take(all.x, one.x, 5), take(all.h0, one.h0, 19), take(all.mask, one.mask, 1);
        take(start.dh, one.dh, 19), take(start.dy, one.dy, 19);
        one.run();
        Buffer<float> y(one.y.size()), dx(one.dx.size()), dh(one.dh.size());
        take(all.y, y, 19), take(all.dx, dx, 5), take(all.dh, dh, 19);
        ASSERT_TRUE(same_bits(y, one.y) && same_bits(dx, one.dx) && same_bits(dh, one.dh))
            << print(q) << " row " << r;
      }
    }
  }
}

/// Runs `whole` again in two pieces that carry h; gates and all gradients too.
void expect_same_in_pieces(const Question& q, Index cut) {
  Case<float> whole(q), cut_up(q);
  whole.run();
  cut_up.pack();
  const Index rows = q.s.rows, units = q.s.units, channels = q.s.channels;
  const Index kept = cut_up.kernel.gates_size(q.s);
  std::vector<std::pair<Index, Index>> pieces = {{0, cut}, {cut, q.s.steps - cut}};
  if (q.s.backwards) std::swap(pieces[0], pieces[1]);
  // The state behind the first piece of the walk.
  const Index last = q.s.backwards ? pieces[0].first : pieces[0].first + pieces[0].second - 1;
  const auto at = [&](Buffer<float>& b, Index t, Index width) {
    return b.data() + t * rows * width;
  };
  const auto h0 = [&](std::size_t piece) {
    return piece == 0 ? cut_up.h0.data() : at(cut_up.y, last, units);
  };
  const auto sizes_of = [&](std::size_t piece) {
    RecurrentSizes s = q.s;
    s.steps = pieces[piece].second;
    return s;
  };
  for (std::size_t piece : {0u, 1u}) {
    const Index t = pieces[piece].first;
    cut_up.kernel.forward(sizes_of(piece), {.x = at(cut_up.x, t, channels),
                                            .packed = cut_up.packed.data(),
                                            .h0 = h0(piece),
                                            .y = at(cut_up.y, t, units),
                                            .gates = at(cut_up.gates, t, kept),
                                            .scratch = cut_up.scratch.data()});
  }
  for (std::size_t piece : {1u, 0u}) {
    const Index t = pieces[piece].first;
    cut_up.kernel.backward(sizes_of(piece), {.x = at(cut_up.x, t, channels),
                                             .packed = cut_up.packed.data(),
                                             .h0 = h0(piece),
                                             .y = at(cut_up.y, t, units),
                                             .gates = at(cut_up.gates, t, kept),
                                             .dy = at(cut_up.dy, t, units),
                                             .dh = cut_up.dh.data(),
                                             .dx = at(cut_up.dx, t, channels),
                                             .dw = cut_up.dw.data(),
                                             .du = cut_up.du.data(),
                                             .db = cut_up.db.data(),
                                             .scratch = cut_up.scratch.data()});
  }
  for (std::size_t i = 0; i < whole.results().size(); ++i) {
    EXPECT_TRUE(same_bits(*whole.results()[i], *cut_up.results()[i]))
        << print(q) << ": " << result_names[i] << " cut at " << cut;
  }
}

TEST(Recurrent, CutsOfTimeGiveTheSameBitsForwardAndBackward) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const Question& q :
         for_all_cells({{.s = sizes(40, 5, 7, 19)}, {.s = sizes(40, 5, 7, 19, true)}})) {
      for (Index cut : {1, 7, 20, 39}) expect_same_in_pieces(q, cut);
    }
    // Backward's blocks are 51 steps of 5 rows.
    for (const Question& q :
         for_all_cells({{.s = sizes(130, 5, 3, 67)}, {.s = sizes(130, 5, 3, 67, true)}})) {
      for (Index cut : {50, 51, 79}) expect_same_in_pieces(q, cut);
    }
  }
}

TEST(Recurrent, WithoutKeptGatesGivesTheSame) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const Question& q : questions()) {
      Case<float> kept(q), gone(q);
      kept.forward();
      gone.forward(false);
      EXPECT_TRUE(same_bits(kept.y, gone.y)) << print(q);
    }
  }
}

TEST(Recurrent, NullStatesAreZeros) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (Question q : for_all_cells({{.s = sizes(4, 3, 5, 19)}})) {
      Case<float> zeros(q);
      q.states = false;
      Case<float> none(q);
      for (float& value : zeros.h0.all()) value = 0;
      none.run(), zeros.run();
      for (std::size_t i = 0; i < none.results().size(); ++i) {
        EXPECT_TRUE(same_bits(*none.results()[i], *zeros.results()[i]))
            << print(q) << ": " << result_names[i];
      }
    }
  }
}

TEST(Recurrent, AMaskedStepKeepsHAndItsInputDoesNotCount) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (const Question& q : for_all_cells({{.s = sizes(9, 6, 5, 19), .mask = true},
                                            {.s = sizes(9, 6, 5, 19, true), .mask = true}})) {
      Case<float> a(q), other(q);
      for (Index i = 0; i < a.x.size(); ++i) {
        if (a.mask[i / 5] == 0) other.x[i] = 1e6f;
      }
      a.run(), other.run();
      for (std::size_t i = 0; i < a.results().size(); ++i) {
        EXPECT_TRUE(same_bits(*a.results()[i], *other.results()[i]))
            << print(q) << ": " << result_names[i];
      }
      for (Index i = 0; i < a.dx.size(); ++i) {
        EXPECT_TRUE(a.mask[i / 5] != 0 || a.dx[i] == 0) << print(q);
      }
      const Index step = 6 * 19;
      for (Index i = 0; i < a.y.size(); ++i) {
        if (a.mask[i / 19] != 0) continue;
        const Index before = q.s.backwards ? i + step : i - step;
        const bool first = before < 0 || before >= a.y.size();
        EXPECT_EQ(a.y[i], first ? a.h0[i % step] : a.y[before]) << print(q);
      }
    }
  }
}

std::vector<Question> gradient_questions() {
  std::vector<Question> all = {
      {.s = sizes(5, 2, 3, 2)},
      {.s = sizes(5, 2, 3, 2, true)},
      {.s = sizes(4, 1, 2, 3), .states = false, .bias = false},
      {.s = sizes(4, 2, 3, 2), .dropout_x = true},
      {.s = sizes(4, 2, 3, 2, true), .dropout_per_gate = true},
      {.s = sizes(6, 3, 3, 2), .mask = true},
      {.s = sizes(6, 3, 3, 2, true), .dropout_per_gate = true, .mask = true},
      {.s = sizes(6, 3, 2, 3), .states = false, .mask = true},
  };
  for (int f = 0; f < 18; ++f) {
    const auto function = static_cast<ActivationFunction>(f);
    if (function == ActivationFunction::softmax || function == ActivationFunction::log_softmax) {
      continue;
    }
    RecurrentSizes s = sizes(3, 2, 2, 3);
    s.activation = function;
    all.push_back({.s = s});
    s = sizes(3, 2, 2, 3);
    s.recurrent_activation = function;
    all.push_back({.s = s, .dropout_per_gate = true});
  }
  return for_all_cells(all);
}

/// Of sum(y * dy) + last h * dh, against central differences.
TEST(Recurrent, TheReferenceHasTheGradientsOfItsForward) {
  for (const Question& q : gradient_questions()) {
    Case<double> a(q);
    for (Buffer<double>* sum : {&a.dw, &a.du, &a.db}) {
      for (double& value : sum->all()) value = 0;
    }
    const Buffer<double> dh = a.dh;
    a.run();
    const Index last = (q.s.backwards ? 0 : q.s.steps - 1) * q.s.rows * q.s.units;
    const auto loss = [&] {
      a.forward();
      double sum = 0;
      for (Index i = 0; i < a.y.size(); ++i) sum += a.y[i] * a.dy[i];
      for (Index i = 0; i < dh.size(); ++i) sum += a.y[last + i] * dh[i];
      return sum;
    };
    const auto check = [&](Buffer<double>& at, const Buffer<double>& gradient, const char* name) {
      for (Index i = 0; i < at.size(); ++i) {
        const double before = at[i], h = 1e-5;
        at[i] = before + h;
        const double above = loss();
        at[i] = before - h;
        const double below = loss();
        at[i] = before;
        ASSERT_NEAR((above - below) / (2 * h), gradient[i],
                    1e-6 * std::max(1.0, std::abs(gradient[i])))
            << name << " " << i << ": " << print(q);
      }
    };
    check(a.x, a.dx, "x"), check(a.w, a.dw, "w"), check(a.u, a.du, "u");
    if (q.bias) check(a.b, a.db, "b");
    if (q.states) check(a.h0, a.dh, "h0");
  }
}

TEST(Recurrent, OtherActivationsAndDropoutAgreeWithTheReferenceInFloat) {
  for (const Question& q : gradient_questions()) {
    Case<double> want(q);
    want.run();
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      Case<float> got(q);
      got.run();
      for (std::size_t i = 0; i < got.results().size(); ++i) {
        ASSERT_LE(relative_error(*got.results()[i], *want.results()[i]), 2e-5)
            << print(q) << ": " << result_names[i];
      }
    }
  }
}

}  // namespace
}  // namespace sonde::kernels
