#include <algorithm>

#include "support.hpp"

namespace sonde::kernels {
namespace {

using Function = ActivationFunction;

std::vector<Function> all_functions() {
  std::vector<Function> all;
  for (std::size_t i = 0; i < enum_names(Function{}).size(); ++i) {
    all.push_back(static_cast<Function>(i));
  }
  return all;
}

std::string name_of(Function f) { return std::string(enum_names(f)[static_cast<std::size_t>(f)]); }

bool is_softmax(Function f) { return f == Function::softmax || f == Function::log_softmax; }

Buffer<double> to_double(const Buffer<float>& from) {
  Buffer<double> to(from.size());
  for (Index i = 0; i < from.size(); ++i) to[i] = static_cast<double>(from[i]);
  return to;
}

/// The greatest error in units of the last place of `want`, or of 0.5 where that is smaller and the
/// formula subtracts near 0.
double ulps(const Buffer<float>& got, const Buffer<double>& want, bool subtracts) {
  double worst = 0;
  for (Index i = 0; i < got.size(); ++i) {
    const double floor = subtracts ? 0.5 : 1e-30;
    const double scale = std::abs(want[i]) < floor ? std::copysign(floor, want[i]) : want[i];
    const double error = std::abs(static_cast<double>(got[i]) - want[i]) / std::abs(scale) / 6e-8;
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/// Those whose formula subtracts numbers greater than its result; the others are right near 0 too.
bool forward_subtracts(Function f) {
  return f == Function::hard_sigmoid || f == Function::hard_silu || is_softmax(f);
}

TEST(Activation, ForwardIsWithin12Ulp) {
  for (Function f : all_functions()) {
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      for (double scale : {0.01, 1.0, 12.0}) {
        for (Index width : {1, 2, 5, 16, 17, 43}) {
          const Buffer<float> z(29 * width, 3, scale);
          Buffer<float> got(z.size());
          Buffer<double> want(z.size());
          activation_forward(f, 29, width, z.data(), got.data());
          activation_forward(f, 29, width, to_double(z).data(), want.data());
          ASSERT_LE(ulps(got, want, forward_subtracts(f)), 12)
              << name_of(f) << " " << width << " " << scale;
          ASSERT_TRUE(got.is_intact());
        }
      }
    }
  }
}

TEST(Activation, BackwardAgreesWithTheReference) {
  for (Function f : all_functions()) {
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      for (double scale : {0.01, 1.0, 12.0}) {
        for (Index width : {1, 2, 5, 16, 17, 43}) {
          const Buffer<float> z(29 * width, 3, scale), dy(z.size(), 4);
          Buffer<float> y(z.size()), got(z.size());
          activation_forward(f, 29, width, z.data(), y.data());
          const bool needs_z = activation_needs_input(f);
          activation_backward(f, 29, width, needs_z ? z.data() : nullptr,
                              needs_z ? nullptr : y.data(), dy.data(), got.data());
          Buffer<double> want(z.size());
          activation_backward(f, 29, width, to_double(z).data(), to_double(y).data(),
                              to_double(dy).data(), want.data());
          ASSERT_LE(ulps(got, want, true), 20) << name_of(f) << " " << width << " " << scale;
          ASSERT_TRUE(got.is_intact());
        }
      }
    }
  }
}

TEST(Activation, EveryLengthAndAlignmentGivesTheSameAndWritesNothingElse) {
  for (Function f : all_functions()) {
    if (is_softmax(f)) continue;
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      const Buffer<float> z(40, 3, 4), dy(40, 4);
      Buffer<float> y(40), dz(40);
      activation_forward(f, 1, 40, z.data(), y.data());
      activation_backward(f, 1, 40, z.data(), y.data(), dy.data(), dz.data());
      for (Index n = 0; n <= 40; ++n) {
        for (Index offset : {0, 1, 3, 7, 15}) {
          Buffer<float> part(n, 1, 0, offset);
          activation_forward(f, n, 1, z.data(), part.data());
          ASSERT_TRUE(part.is_intact());
          ASSERT_EQ(std::memcmp(part.data(), y.data(), static_cast<std::size_t>(n) * 4), 0);
          std::copy_n(dy.data(), n, part.data());  // in place
          activation_backward(f, n, 1, z.data(), y.data(), part.data(), part.data());
          ASSERT_TRUE(part.is_intact());
          ASSERT_EQ(std::memcmp(part.data(), dz.data(), static_cast<std::size_t>(n) * 4), 0);
        }
      }
    }
  }
}

TEST(Activation, AVectorsSoftmaxDoesNotDependOnTheVectorsBesideIt) {
  for (Function f : {Function::softmax, Function::log_softmax}) {
    for (Level level : vector_levels()) {
      const AtLevel at(level);
      for (Index width : {0, 1, 3, 16, 17, 40}) {
        const Buffer<float> z(37 * width, 5, 3), dy(37 * width, 6);
        Buffer<float> all(z.size()), all_dz(z.size());
        activation_forward(f, 37, width, z.data(), all.data());
        activation_backward(f, 37, width, nullptr, all.data(), dy.data(), all_dz.data());
        for (Index i = 0; i < 37; ++i) {
          Buffer<float> y(width), dz(width);
          activation_forward(f, 1, width, z.data() + i * width, y.data());
          activation_backward(f, 1, width, nullptr, y.data(), dy.data() + i * width, dz.data());
          const auto bytes = static_cast<std::size_t>(width) * 4;
          ASSERT_EQ(std::memcmp(y.data(), all.data() + i * width, bytes), 0);
          ASSERT_EQ(std::memcmp(dz.data(), all_dz.data() + i * width, bytes), 0);
          ASSERT_TRUE(y.is_intact() && dz.is_intact());
        }
      }
    }
  }
}

TEST(Activation, AllInstructionSetsGiveTheSameBits) {
  const std::vector<Level> levels = vector_levels();
  for (Function f : all_functions()) {
    for (Index width : {4, 100}) {
      const Buffer<float> z(50 * width, 3, 9), dy(50 * width, 4);
      Buffer<float> first_y(z.size()), first_dz(z.size());
      for (Level level : levels) {
        const AtLevel at(level);
        Buffer<float> y(z.size()), dz(z.size());
        activation_forward(f, 50, width, z.data(), y.data());
        activation_backward(f, 50, width, z.data(), y.data(), dy.data(), dz.data());
        if (level == levels[0]) first_y = y, first_dz = dz;
        ASSERT_TRUE(same_bits(first_y, y)) << name_of(f);
        ASSERT_TRUE(same_bits(first_dz, dz)) << name_of(f);
      }
    }
  }
}

TEST(Activation, NanStaysNanAndSoftmaxDoesNotOverflow) {
  for (Level level : vector_levels()) {
    const AtLevel at(level);
    for (Function f : all_functions()) {
      Buffer<float> z(3, 1, 1), y(3);
      z[1] = NAN;
      activation_forward(f, 1, 3, z.data(), y.data());
      EXPECT_TRUE(std::isnan(y[1])) << name_of(f);
    }
    for (Index width : {3, 20}) {
      Buffer<float> z(width, 1, 1), y(width);
      z[0] = 1e30f, z[1] = -1e30f;
      activation_forward(Function::softmax, 1, width, z.data(), y.data());
      EXPECT_EQ(y[0], 1.0f);
      EXPECT_EQ(y[1], 0.0f);
      activation_forward(Function::log_softmax, 1, width, z.data(), y.data());
      EXPECT_EQ(y[0], 0.0f);
      EXPECT_EQ(y[1], -2e30f);
    }
  }
}

TEST(Activation, TheReferenceHasTheGradientsOfItsForward) {
  for (Function f : all_functions()) {
    Buffer<double> z(60, 7, 5), dy(60, 8), y(60), dz(60);
    const auto loss = [&] {
      activation_forward(f, 12, 5, z.data(), y.data());
      double sum = 0;
      for (Index i = 0; i < 60; ++i) sum += y[i] * dy[i];
      return sum;
    };
    loss();
    activation_backward(f, 12, 5, z.data(), y.data(), dy.data(), dz.data());
    for (Index i = 0; i < 60; ++i) {
      const double before = z[i], h = 1e-5;
      z[i] = before + h;
      const double above = loss();
      z[i] = before - h;
      const double below = loss();
      z[i] = before;
      ASSERT_NEAR((above - below) / (2 * h), dz[i], 1e-6 * std::max(1.0, std::abs(dz[i])))
          << name_of(f) << " at " << before;
    }
  }
}

}  // namespace
}  // namespace sonde::kernels
