#pragma once
#include <cmath>
#include <sonde/layer.hpp>

namespace sonde {

/// A penalty on numbers that an op computes: Keras' activity_regularizer.
struct ActivityPenalty {
  double l1 = 0, l2 = 0;

  /// None in streams. Throws ArgumentError when a factor is negative or not finite.
  static ActivityPenalty plan(Planner& planner, const Regularizer& regularizer);
  explicit operator bool() const { return l1 != 0 || l2 != 0; }

  /// Adds that of y to what this shard's penalties come to, where a loss is asked for.
  template <class T>
  void forward(const View<T>& v, const Chunk<T>& y) const {
    if (double* total = v.penalty(); total && *this) *total += sum(y);
  }
  /// Adds its gradient to dy, which lies as y does.
  template <class T>
  void backward(const View<T>& v, const Chunk<T>& y, T* dy) const {
    if (v.penalty() && *this) add_gradient(y, dy, v.batch_rows());
  }

 private:
  /// Summed in lanes of a constant number, in one order whatever the machine.
  template <class T>
  double sum(const Chunk<T>& y) const {
    constexpr Index lanes = 8;
    double absolute[lanes] = {}, square[lanes] = {};
    const auto add = [&](Index lane, double value) {
      absolute[lane] += std::fabs(value);
      square[lane] += value * value;
    };
    Index i = 0;
    for (; i + lanes <= y.size(); i += lanes)
      for (Index lane = 0; lane < lanes; ++lane) add(lane, static_cast<double>(y.data[i + lane]));
    for (Index lane = 0; i + lane < y.size(); ++lane)
      add(lane, static_cast<double>(y.data[i + lane]));
    double total = 0;
    for (Index lane = 0; lane < lanes; ++lane) total += l1 * absolute[lane] + l2 * square[lane];
    return total;
  }
  template <class T>
  void add_gradient(const Chunk<T>& y, T* dy, Index batch_rows) const {
    const auto rows = static_cast<double>(batch_rows);
    const T slope = static_cast<T>(l1 / rows), pull = static_cast<T>(2 * l2 / rows);
    for (Index i = 0; i < y.size(); ++i) {
      const T sign = static_cast<T>((y.data[i] > 0) - (y.data[i] < 0));
      dy[i] += slope * sign + pull * y.data[i];
    }
  }
};

}  // namespace sonde
