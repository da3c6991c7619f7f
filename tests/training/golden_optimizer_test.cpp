#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/file.hpp"
#include "formats/json.hpp"
#include "formats/npy.hpp"
#include "formats/zip.hpp"
#include "training/optimizer.hpp"

/// Five steps of every optimizer against real Keras (tests/golden/make_golden.py), on its own small
/// network written out here in double: Conv1D(4, 3, relu) → Dense(1, sigmoid), binary
/// cross-entropy.
namespace sonde {
namespace {

constexpr Index samples = 5, time = 17, channels = 3, taps = 3, filters = 4;
constexpr Index steps = time - taps + 1;

struct Network {
  std::vector<float> w;  ///< conv kernel (taps, channels, filters), bias, dense kernel, bias
  static constexpr Index sizes[4] = {taps * channels * filters, filters, filters, 1};

  /// The gradient of the mean loss of all samples and steps.
  std::vector<float> gradient(const Array& x, const Array& y) const {
    const float *kernel = w.data(), *bias = kernel + sizes[0], *dense = bias + filters;
    std::vector<double> g(w.size());
    for (Index n = 0; n < samples; ++n)
      for (Index t = 0; t < steps; ++t) {
        const float* window = x.data() + (n * time + t) * channels;
        double h[filters], z = dense[filters];
        for (Index f = 0; f < filters; ++f) {
          double sum = bias[f];
          for (Index i = 0; i < taps * channels; ++i)
            sum += double{window[i]} * double{kernel[i * filters + f]};
          h[f] = std::max(sum, 0.0);
          z += h[f] * dense[f];
        }
        const double dz =
            (1 / (1 + std::exp(-z)) - double{y.data()[n * steps + t]}) / (samples * steps);
        double* to = g.data();
        for (Index f = 0; f < filters; ++f) {
          const double dh = h[f] > 0 ? dz * dense[f] : 0.0;
          for (Index i = 0; i < taps * channels; ++i) to[i * filters + f] += dh * double{window[i]};
          to[sizes[0] + f] += dh;
          to[sizes[0] + filters + f] += dz * h[f];
        }
        g.back() += dz;
      }
    return {g.begin(), g.end()};
  }
};

/// Clips norms as Keras does: of each weight, or of all together.
std::vector<float> clipped(std::vector<float> g, const Clipping& clip) {
  const auto scale = [&](Index begin, Index end, double limit) {
    double square = 0;
    for (Index i = begin; i < end; ++i)
      square += double{g[static_cast<std::size_t>(i)]} * double{g[static_cast<std::size_t>(i)]};
    const double factor = std::min(1.0, limit / std::sqrt(square));
    for (Index i = begin; i < end; ++i)
      g[static_cast<std::size_t>(i)] = static_cast<float>(g[static_cast<std::size_t>(i)] * factor);
  };
  if (clip.global_norm) scale(0, static_cast<Index>(g.size()), *clip.global_norm);
  Index begin = 0;
  for (const Index size : Network::sizes) {
    if (clip.norm) scale(begin, begin + size, *clip.norm);
    begin += size;
  }
  return g;
}

Optimizer read_optimizer(const std::filesystem::path& path) {
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  Optimizer optimizer;
  from_value(*formats::parse_json(text).find("optimizer"), path.stem().string(), optimizer);
  return optimizer;
}

using Arrays = std::map<std::string, Array>;

/// All arrays of the file; their names have folders, as "before/0".
Arrays read_arrays(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  const formats::ZipReader zip(bytes, path.string());
  Arrays arrays;
  for (const std::string& member : zip.names())
    arrays.emplace(member.substr(0, member.size() - 4),
                   formats::read_npy(zip.read(member), member));
  return arrays;
}

void expect_keras(const Optimizer& optimizer, const Arrays& arrays, const std::string& name) {
  Network network;
  for (int i = 0; i < 4; ++i) {
    const auto values = arrays.at("before/" + std::to_string(i)).values();
    network.w.insert(network.w.end(), values.begin(), values.end());
  }
  const auto n = static_cast<Index>(network.w.size());
  std::vector<std::vector<float>> slots;
  OptimizerState state = {};
  for (Index s = 0; s < optimizer_slots(optimizer); ++s)
    slots.emplace_back(network.w.size(), optimizer_slot_start(optimizer, s));
  for (std::size_t s = 0; s < slots.size(); ++s) state[s] = slots[s].data();
  const Clipping clip = clipping(optimizer);
  for (std::int64_t t = 0; t < 5; ++t) {
    const auto g = clipped(network.gradient(arrays.at("x0"), arrays.at("y0")), clip);
    const double rate = std::visit([&](const auto& s) { return s.learning_rate.at(t); }, optimizer);
    optimizer_step(
        optimizer,
        {.iteration = t, .rate = rate, .limit = static_cast<float>(clip.value.value_or(0))}, n,
        network.w.data(), g.data(), state);
  }
  optimizer_finish(optimizer, n, network.w.data(), state);
  const float* w = network.w.data();
  for (int i = 0; i < 4; ++i)
    for (const float expected : arrays.at("opt/" + std::to_string(i)).values())
      EXPECT_NEAR(*w++, expected, 1e-5) << name << " weight " << i;
}

TEST(Golden, optimizers_agree_with_keras) {
  std::size_t judged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SONDE_GOLDEN_DIR)) {
    const std::string name = entry.path().stem().string();
    if (!name.starts_with("optimizer_") || entry.path().extension() != ".json") continue;
    const Optimizer optimizer = read_optimizer(entry.path());
    if (name == "optimizer_gradient_accumulation") {
      EXPECT_THROW(check_optimizer(optimizer), ArgumentError);
      continue;
    }
    EXPECT_NO_THROW(check_optimizer(optimizer)) << name;
    std::filesystem::path numbers = entry.path();
    expect_keras(optimizer, read_arrays(numbers.replace_extension(".npz")), name);
    ++judged;
  }
  EXPECT_GE(judged, 20u);
}

}  // namespace
}  // namespace sonde
