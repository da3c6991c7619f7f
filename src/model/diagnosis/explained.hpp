#pragma once
#include <sonde/model.hpp>

namespace sonde::diagnosis {

/// Adds to what its functions throw what the diagnosis knows: where time went, and which changes
/// would fit.
///   const Index steps = explained([&] { return state.check(samples); });
class Explained {
 public:
  Explained(const Model& model, const SampleSource& samples, Index classes = 0)
      : model_(model), samples_(samples), classes_(classes) {}

  template <class F>
  auto operator()(F f) const {
    try {
      return f();
    } catch (const Error& error) {
      explain(error);
      throw;
    }
  }

 private:
  /// Throws an error of the same kind with more to say, if there is more.
  void explain(const Error& error) const;

  const Model& model_;
  const SampleSource& samples_;
  Index classes_;
};

}  // namespace sonde::diagnosis
