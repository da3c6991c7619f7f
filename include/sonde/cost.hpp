#pragma once
#include <sonde/model.hpp>

/// What a model costs, counted, and what the machine could do at most, measured.
namespace sonde {

struct CostOptions {
  Mode mode = Mode::train;
  Index batch_size = 32;  ///< of which the shard that one worker holds is chosen; not of a stream
  MatmulPrecision precision = MatmulPrecision::f32;  ///< FitOptions::matmul_precision, of training
};

/// Floating point operations are those of products with kernels, two for each multiply-add; what
/// is done number by number (biases, activations, pooling, the optimizer) is left out, and so are
/// attention's products of two signals. A `same` convolution counts the zeros around the signal.
struct Cost {
  double forward = 0;   ///< operations for one sample
  double backward = 0;  ///< the same, 0 unless training: gradients that somebody needs, see cost_of
  Index weights = 0;    ///< bytes of all weights
  Index packed = 0;     ///< bytes of the weights as the kernels want them, shared by all workers
  Index arena = 0;      ///< bytes of activations, gradients and scratch of one worker
  Index states = 0;     ///< bytes that one worker carries from one chunk to the next
};

/// Counts from the plan that fit, predict or a Stream of single steps would make (predict cuts
/// signals of more than 4096 steps, and needs less than is said here). A product costs
/// in backward what it costs in forward, once for the gradient of its kernel where that is trained,
/// and once for that of its input where a trained layer stands before it: never in a first layer.
/// Throws ArgumentError where the number of steps is not known, or the layers refuse the mode.
///   const Cost cost = cost_of(make_network("conv-lstm", {400, 16}));
///   cost.forward + cost.backward;  // 400 steps of 65,728
Cost cost_of(const Model& model, CostOptions options = {});

struct Peak {
  double operations = 0;  ///< floating point operations per second of all threads together
  int threads = 1;        ///< as many as the machine gives, at most those asked for
};

/// How fast multiply-adds in registers are at the kernel level in use, on `threads` threads at
/// once (0: all cores): the best of some short runs, a tenth of a second in all.
Peak multiply_add_peak(int threads = 0);

}  // namespace sonde
