#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sonde/array.hpp>
#include <vector>

#include "training/loss.hpp"
#include "training/overlap_loss.hpp"

/// What tests of losses are made of.
namespace sonde::testing {

using List = std::vector<double>;

/// Numbers in memory that kernels may read a cache line beyond, as losses find them.
template <class T>
Buffer<T> laid_out(const List& list) {
  Buffer<T> buffer(static_cast<Index>(list.size()));
  std::copy(list.begin(), list.end(), buffer.data());
  return buffer;
}

/// One batch with its numbers in double; judged in float or double.
struct Case {
  Loss loss;
  List y;
  List target;
  Index width = 1;
  List weights = {};
  Head head = Head::values;
  Index rows = 1;  ///< and what Dice and Tversky keep apart
  KeptAxes kept = {};

  Index count() const { return static_cast<Index>(y.size()) / width; }

  template <class T>
  double sum(T scale = 1, std::vector<T>* dy = nullptr) const {
    const Buffer<T> y_ = laid_out<T>(y), t_ = laid_out<T>(target), w_ = laid_out<T>(weights);
    std::vector<OverlapSums> sums(y.size());
    const LossBatch<T> batch{.count = count(),
                             .width = width,
                             .y = y_.data(),
                             .target = t_.data(),
                             .target_width = static_cast<Index>(target.size()) / count(),
                             .weights = weights.empty() ? nullptr : w_.data(),
                             .rows = rows,
                             .kept = kept,
                             .sums = sums.data()};
    if (dy == nullptr) return loss_value_and_gradient<T>(loss, head, batch, scale, nullptr);
    const Buffer<T> dy_ = laid_out<T>(List(y.size(), std::numeric_limits<double>::quiet_NaN()));
    const double sum = loss_value_and_gradient<T>(loss, head, batch, scale, dy_.data());
    dy->assign(dy_.data(), dy_.data() + dy_.size());
    return sum;
  }
  /// The loss as Keras reports it.
  double reduced() const {
    double values = 0, summed = 0;
    const Index units = static_cast<Index>(target.size()) / count();
    for (Index i = 0; i < count(); ++i) {
      if (!loss_counts(loss, static_cast<float>(target[static_cast<std::size_t>(i * units)])))
        continue;
      values += 1;
      summed += weights.empty() ? 1 : weights[static_cast<std::size_t>(i)];
    }
    const double float_loss = sum<float>() * loss_scale(loss, values, summed);
    EXPECT_NEAR(float_loss, sum<double>() * loss_scale(loss, values, summed),
                2e-6 * std::max(1.0, float_loss));
    return float_loss;
  }
};

/// Some numbers, no two alike, in [low, high].
inline List spread(std::size_t n, double low, double high) {
  List list;
  for (std::size_t i = 0; i < n; ++i)
    list.push_back(low + (high - low) *
                             std::fmod(0.37 + 0.618033988749895 * static_cast<double>(i), 1.0));
  return list;
}

// Numbers of Keras 3.15.1, keras/src/losses/losses_test.py.
inline const List wide_true{1, 9, 2, -5, -2, 6}, wide_pred{4, 8, 12, 8, 1, 3};
inline const List class_p{0.9, 0.05, 0.05, 0.5, 0.89, 0.6, 0.05, 0.01, 0.94};
inline const List class_z{8, 1, 1, 0, 9, 1, 2, 3, 5};
inline const List one_hot{1, 0, 0, 0, 1, 0, 0, 0, 1};

}  // namespace sonde::testing
