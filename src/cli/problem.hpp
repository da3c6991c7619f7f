#pragma once
#include <array>
#include <sonde/fields.hpp>
#include <sonde/matmul_precision.hpp>
#include <sonde/model.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::cli {

/// What of a network is timed: an epoch of training, labels of whole signals, or of one step after
/// the other.
enum class BenchMode { train, predict, stream };
constexpr std::array<std::string_view, 3> enum_names(BenchMode) {
  return {"train", "predict", "stream"};
}

/// One line that says what `bench` times: a network, then any of these fields as key=value.
///   conv-lstm input=400,16 batch=32 samples=476 threads=2 mode=train
///   conv32x8 lstm64 dense1 mode=stream
struct Problem {
  static constexpr std::string_view type = "problem";
  std::string where = {};    ///< it stands: its place and itself, for messages
  std::string network = {};  ///< a network by name, or a chain of layers in words
  Shape input = {400, 16};   ///< steps, channels
  Index batch = 32;
  Index samples = 476;
  int threads = 0;  ///< 0: all cores
  BenchMode mode = BenchMode::train;
  MatmulPrecision precision = MatmulPrecision::f32;  ///< of training

  static constexpr auto fields() {
    using P = Problem;
    return fields_of(field("input", &P::input), field("batch", &P::batch),
                     field("samples", &P::samples), field("threads", &P::threads),
                     field("mode", &P::mode), field("precision", &P::precision));
  }
};

/// Reads a line; what it leaves out is as in `otherwise`. `place`: where it stands, for messages.
/// Throws ArgumentError.
Problem read_problem(std::string_view line, const std::string& place, const Problem& otherwise);
/// A file of one problem a line; # begins a comment. Throws ArgumentError, and IoError.
std::vector<Problem> read_problems(const std::string& path, const Problem& otherwise);
/// The line that says all of it.
std::string to_line(const Problem& problem);

/// Its network, compiled: a last dense layer and networks by name learn by binary cross-entropy,
/// chains that end otherwise by mean squared error. Throws ArgumentError.
Model build(const Problem& problem);

/// The layers that a chain may be made of, for the help: "conv32x8 (Conv1D …), …".
std::string layer_words();

}  // namespace sonde::cli
