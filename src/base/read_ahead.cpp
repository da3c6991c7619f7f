#include "base/read_ahead.hpp"

#include <utility>

#include "base/fetch.hpp"

namespace sonde {
namespace {
thread_local ReadAhead* in_use = nullptr;
}

ReadAhead::Use::Use(ReadAhead* ahead) noexcept : before_(std::exchange(in_use, ahead)) {}
ReadAhead::Use::~Use() { in_use = before_; }

void read_ahead(const float* begin, const float* end) noexcept {
  if (begin < end && (in_use == nullptr || !in_use->ask(begin, end))) fetch(begin, end);
}

const float* at_hand(const float* begin, const float* end) noexcept {
  return in_use == nullptr ? begin : in_use->find(begin, end);
}

}  // namespace sonde
