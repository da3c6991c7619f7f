#pragma once
#include <cmath>
#include <cstdint>
#include <sonde/array.hpp>
#include <string_view>

/// Made-up recordings for the examples: noise in 16 channels, and now and then a slow wave that
/// enters the channels one after another. The label of a step is 1 while the wave passes.
struct Signals {
  sonde::Array x;  ///< (samples, time, channels)
  sonde::Array y;  ///< (samples, time, 1)
};

inline Signals make_signals(sonde::Index samples, sonde::Index time = 400,
                            sonde::Index channels = 16, std::uint32_t seed = 1) {
  Signals s{sonde::Array({samples, time, channels}), sonde::Array({samples, time, 1})};
  auto random = [state = seed]() mutable {  // in [-1, 1)
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  };
  for (sonde::Index n = 0; n < samples; ++n) {
    const auto begin = static_cast<sonde::Index>((random() + 1) * 0.4f * static_cast<float>(time));
    const sonde::Index length = time / 8;
    for (sonde::Index t = 0; t < time; ++t) {
      const bool passing = t >= begin && t < begin + length;
      s.y(n, t, 0) = passing ? 1.0f : 0.0f;
      for (sonde::Index c = 0; c < channels; ++c) {
        const auto phase = static_cast<float>(t - begin - c) / static_cast<float>(length);
        const float wave = phase > 0 && phase < 1 ? std::sin(6.2832f * phase) : 0.0f;
        s.x(n, t, c) = 0.5f * random() + wave;
      }
    }
  }
  return s;
}

/// `--quick` trains less: for the tests.
inline bool quick(int argc, char** argv) {
  return argc > 1 && std::string_view(argv[1]) == "--quick";
}
