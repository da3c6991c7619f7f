#pragma once
#include <sonde/shape.hpp>
#include <span>

namespace sonde {

/// What one of several workers does of work that they do together, on the same numbers.
struct Share {
  Index part = 0;   ///< 0 … parts - 1
  Index parts = 1;  ///< as many workers as there are
  void (*wait)(void* team) noexcept = nullptr;
  void* team = nullptr;

  /// Returns when all parts have called it as often; what they wrote before is seen.
  void meet() const noexcept {
    if (parts > 1) wait(team);
  }
  /// Where this part begins of `count` things in a row, and where it ends.
  Index begin(Index count) const { return count * part / parts; }
  Index end(Index count) const { return count * (part + 1) / parts; }
  /// This part of some things.
  template <class T>
  std::span<T> own(std::span<T> things) const {
    const auto count = static_cast<Index>(things.size());
    const Index first = begin(count);
    return things.subspan(static_cast<std::size_t>(first),
                          static_cast<std::size_t>(end(count) - first));
  }
  /// Calls use(thing) for each of this part's; when it returns, all parts are done.
  template <class T, class Use>
  void deal(std::span<T> things, Use use) const {
    for (T& thing : own(things)) use(thing);
    meet();
  }
};

}  // namespace sonde
