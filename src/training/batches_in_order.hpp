#pragma once
#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "training/batch_judge.hpp"

namespace sonde {

/// All samples of a source, batch by batch in their order. Spans of a batch are good as long as
/// this.
class BatchesInOrder {
 public:
  BatchesInOrder(const SampleSource& source, Index batch_size)
      : source_(source),
        batch_size_(batch_size),
        numbers_(static_cast<std::size_t>(source.size())) {
    std::iota(numbers_.begin(), numbers_.end(), Index{0});
  }

  std::optional<Batch> next() {
    if (begin_ >= source_.size()) return std::nullopt;
    const std::span<const Index> numbers = from(begin_);
    begin_ += batch_size_;
    return Batch{.source = &source_, .numbers = numbers, .next = from(begin_)};
  }

 private:
  /// The batch that begins with sample `first`; empty behind the last one.
  std::span<const Index> from(Index first) const {
    const Index count = std::min(batch_size_, source_.size() - first);
    if (count <= 0) return {};
    return {numbers_.data() + first, static_cast<std::size_t>(count)};
  }

  const SampleSource& source_;
  Index batch_size_;
  Index begin_ = 0;
  std::vector<Index> numbers_;
};

}  // namespace sonde
