#include "model/diagnosis/array_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sonde::diagnosis {
namespace {

/// "(n, 400, 1)".
std::string with_n(const Shape& shape) {
  const std::string text = to_string(shape.with_front(0));
  return "(n" + text.substr(2);
}

Index elements(const Shape& shape) { return shape.elements(); }

/// The label that stands for `count` of them, `pitch` numbers apart.
float joined(const float* labels, Index count, Index pitch) {
  bool whole = true;
  double sum = 0;
  std::map<float, Index> counts;
  for (Index i = 0; i < count; ++i) {
    const float label = labels[i * pitch];
    whole &= label == std::floor(label);
    sum += static_cast<double>(label);
    if (whole) ++counts[label];
  }
  if (!whole) return static_cast<float>(sum / static_cast<double>(count));
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->first;
}

/// Calls f(sample of the array, sample of the result) for each sample.
template <class F>
Array each_sample(const Array& array, const Shape& to, F f) {
  const Index samples = array.shape()[0];
  Array result(to.with_front(samples));
  const Index from_size = array.size() / samples, to_size = elements(to);
  for (Index i = 0; i < samples; ++i) f(array.data() + i * from_size, result.data() + i * to_size);
  return result;
}

/// The first size of a shape, and the numbers behind it.
struct Blocks {
  Index steps, width;
  explicit Blocks(const Shape& shape) : steps(shape[0]), width(shape.without_front().elements()) {}
};
Shape with_steps(Shape shape, Index steps) {
  shape[0] = steps;
  return shape;
}
/// A change that works on any width: weights of steps go through it with a width of 1.
Blocks blocks_of(const Array& array) {
  return Blocks(array.shape().rank() > 1 ? array.shape().without_front() : Shape{1});
}

}  // namespace

ArrayChange reshape(std::string_view name, const Shape& to) {
  return {fmt::format("{} reshaped to {}", name, with_n(to)), to,
          [to](const Array& array) { return array.reshaped(to.with_front(array.shape()[0])); }};
}

ArrayChange transpose(std::string_view name, const Shape& from) {
  const Shape to{from[1], from[0]};
  return {fmt::format("{} transposed to {}", name, with_n(to)), to, [to](const Array& array) {
            return each_sample(array, to, [&](const float* a, float* b) {
              for (Index i = 0; i < to[0]; ++i)
                for (Index k = 0; k < to[1]; ++k) b[i * to[1] + k] = a[k * to[0] + i];
            });
          }};
}

ArrayChange repeat_steps(const Shape& from, Index factor) {
  const Shape to = with_steps(from, from[0] * factor);
  return {fmt::format("each label of y repeated {} times: {}", factor, with_n(to)), to,
          [factor](const Array& array) {
            const Blocks b = blocks_of(array);
            return each_sample(array, with_steps(array.shape().without_front(), b.steps * factor),
                               [&](const float* in, float* out) {
                                 for (Index t = 0; t < b.steps * factor; ++t)
                                   std::copy_n(in + t / factor * b.width, b.width,
                                               out + t * b.width);
                               });
          },
          true};
}

ArrayChange join_steps(const Shape& from, Index factor) {
  const Shape to = with_steps(from, from[0] / factor);
  return {fmt::format("one label of y for each {} steps, the most frequent of them: {}", factor,
                      with_n(to)),
          to,
          [factor](const Array& array) {
            const Blocks b = blocks_of(array);
            const Index steps = b.steps / factor;
            return each_sample(array, with_steps(array.shape().without_front(), steps),
                               [&](const float* in, float* out) {
                                 for (Index t = 0; t < steps; ++t)
                                   for (Index k = 0; k < b.width; ++k)
                                     out[t * b.width + k] =
                                         joined(in + t * factor * b.width + k, factor, b.width);
                               });
          },
          true};
}

ArrayChange join_all_steps(const Shape& from) {
  const Shape to = from.rank() > 1 ? from.without_front() : Shape{1};
  return {
      fmt::format("one label of y for each signal, the most frequent of its steps: {}", with_n(to)),
      to,
      [](const Array& array) {
        const Blocks b = blocks_of(array);
        return each_sample(array, {b.width}, [&](const float* in, float* out) {
          for (Index k = 0; k < b.width; ++k) out[k] = joined(in + k, b.steps, b.width);
        });
      },
      true};
}

ArrayChange spread(const Shape& from, Index steps) {
  const Index width = elements(from);
  const Shape to{steps, width};
  return {fmt::format("the label of each signal given to each of its steps: {}", with_n(to)), to,
          [to](const Array& array) {
            return each_sample(array, to, [&](const float* in, float* out) {
              for (Index t = 0; t < to[0]; ++t) std::copy_n(in, to[1], out + t * to[1]);
            });
          }};
}

ArrayChange crop_steps(const Shape& from, Index begin, Index end) {
  return {fmt::format("y cut to the {} steps from {} on: {}", end - begin, begin,
                      with_n(with_steps(from, end - begin))),
          with_steps(from, end - begin),
          [begin, end](const Array& array) {
            const Blocks b = blocks_of(array);
            return each_sample(array, with_steps(array.shape().without_front(), end - begin),
                               [&](const float* in, float* out) {
                                 std::copy(in + begin * b.width, in + end * b.width, out);
                               });
          },
          true};
}

ArrayChange one_hot(const Shape& from, Index classes) {
  std::vector<Index> sizes(from.begin(), from.end());
  if (!sizes.empty() && sizes.back() == 1) sizes.back() = classes;
  else sizes.push_back(classes);
  const Shape to(std::move(sizes));
  return {fmt::format("y one-hot: {}", with_n(to)), to, [to, classes](const Array& array) {
            return each_sample(array, to, [&](const float* in, float* out) {
              for (Index i = 0; i < elements(to) / classes; ++i) {
                const auto k = static_cast<Index>(in[i]);
                if (k >= 0 && k < classes) out[i * classes + k] = 1;
              }
            });
          }};
}

ArrayChange class_numbers(const Shape& from) {
  const Index classes = from.last();
  Shape to = from;
  to[-1] = 1;
  return {fmt::format("class numbers instead of one-hot vectors in y: {}", with_n(to)), to,
          [to, classes](const Array& array) {
            return each_sample(array, to, [&](const float* in, float* out) {
              for (Index i = 0; i < elements(to); ++i) {
                const float* one = in + i * classes;
                out[i] = static_cast<float>(std::max_element(one, one + classes) - one);
              }
            });
          }};
}

ArrayChange mean_of_steps() {
  return {
      "sample weights: the mean of the steps of each signal, (n, 1)", {1}, [](const Array& array) {
        const Index count = array.size() / array.shape()[0];
        return each_sample(array, {1}, [&](const float* in, float* out) {
          double sum = 0;
          for (Index i = 0; i < count; ++i) sum += static_cast<double>(in[i]);
          *out = static_cast<float>(sum / static_cast<double>(count));
        });
      }};
}

ArrayChange linear(const Shape& from, float shift, float scale, std::string text) {
  return {std::move(text), from, [shift, scale](const Array& array) {
            Array result = array;
            for (float& each : result.values()) each = (each + shift) * scale;
            return result;
          }};
}

}  // namespace sonde::diagnosis
