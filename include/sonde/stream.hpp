#pragma once
#include <memory>
#include <sonde/shape.hpp>
#include <span>

namespace sonde {

class Model;

/// Labels a signal while it arrives. Allocates when made and never again; push() takes no lock.
///   Stream stream = model.stream();
///   for (auto step : source) use(stream.push(step));   // 16 numbers in, labels out
///   use(stream.flush());                               // what look-ahead held back
/// An output leaves latency() steps after its own step came in. Whatever the chunks, the labels are
/// bit for bit those of predict() on the whole signal. Not safe for several threads at once.
/// Throws ArgumentError when made from a model that needs the whole signal.
class Stream {
 public:
  Stream(const Model& model, Index most_steps = 1);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// steps × channels numbers in; the output steps that became ready, (steps', width), out. The
  /// view is good until the next call. `steps` must not exceed most_steps; more are cut off
  /// (asserted).
  std::span<const float> push(std::span<const float> steps) noexcept;
  /// Ends the signal and returns the last outputs; the next push begins a new signal.
  std::span<const float> flush() noexcept;
  /// Forgets everything: the next push begins a new signal.
  void reset() noexcept;

  Index channels() const;
  Index width() const;    ///< of one output step
  Index latency() const;  ///< input steps

 private:
  std::span<const float> run(std::span<const float> steps, bool last) noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sonde
