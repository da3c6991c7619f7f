#include "base/read_ahead.hpp"

#include <algorithm>
#include <new>
#include <system_error>

#include "base/fetch.hpp"
#include "base/signals_blocked.hpp"

namespace sonde {
namespace {

/// Shorter pieces share their pages with others, and are better left to the system's cache.
constexpr std::size_t least_bytes = 4 * DirectFile::block;
constexpr std::size_t most_bytes = std::size_t{64} << 20;  // of a batch

thread_local ReadAhead* in_use = nullptr;

}  // namespace

ReadAhead::Use::Use(ReadAhead& ahead) noexcept : before_(std::exchange(in_use, &ahead)) {}
ReadAhead::Use::~Use() { in_use = before_; }

void ReadAhead::FreeMemory::operator()(void* begin) const noexcept {
  ::operator delete (begin, std::align_val_t{DirectFile::block});
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(lock_);
    stop_ = true;
  }
  asked_.notify_one();
  if (reader_.joinable()) reader_.join();
}

bool ReadAhead::ask(const float* begin, const float* end, FilePlace place) {
  constexpr std::size_t block = DirectFile::block;
  const auto length = static_cast<std::size_t>(end - begin) * sizeof(float);
  const std::size_t skip = place.offset % block;
  const std::size_t size = (skip + length + block - 1) / block * block;
  place.offset -= skip;

  const std::lock_guard lock(lock_);
  Share& share = shares_[next_];
  if (share.bytes + size > most_bytes) return false;
  const std::size_t number = share.pieces.size();
  if (share.memory.size() <= number) share.memory.resize(number + 1);
  auto& [memory, room] = share.memory[number];
  if (room < size) {
    memory.reset(static_cast<std::byte*>(::operator new (size, std::align_val_t{block})));
    room = size;
  }
  if (!reader_.joinable()) {
    const SignalsBlocked blocked;
    reader_ = std::thread([this] { read_pieces(); });
  }
  share.pieces.push_back({begin, end, std::move(place), skip, size, memory.get()});
  share.bytes += size;
  asked_.notify_one();
  return true;
}

void ReadAhead::read_pieces() noexcept {
  std::unique_lock lock(lock_);
  for (;;) {
    // What is at hand was asked for first.
    const auto waiting = [](const Share& share) { return share.done < share.pieces.size(); };
    Share *now = &shares_[1 - next_], *next = &shares_[next_];
    asked_.wait(lock, [&] {
      now = &shares_[1 - next_], next = &shares_[next_];
      return stop_ || waiting(*now) || waiting(*next);
    });
    if (stop_) return;
    Share& share = waiting(*now) ? *now : *next;
    const std::size_t number = share.done;
    const Piece piece = share.pieces[number];
    lock.unlock();
    const std::size_t got = piece.place.file->read(piece.place.offset, piece.size, piece.to);
    const bool read =
        got >= piece.skip + static_cast<std::size_t>(piece.end - piece.begin) * sizeof(float);
    if (!read) fetch(piece.begin, piece.end);
    lock.lock();
    share.pieces[number].read = read;
    share.done = number + 1;
    share.done.notify_all();
  }
}

void ReadAhead::turn() noexcept {
  Share &old = shares_[1 - next_], &share = shares_[next_];
  if (old.pieces.empty() && share.pieces.empty()) return;
  for (std::size_t done = old.done; done < old.pieces.size(); done = old.done) old.done.wait(done);
  const std::lock_guard lock(lock_);
  old.pieces.clear();
  old.by_place.clear();
  old.bytes = 0;
  old.done = 0;
  try {
    for (std::size_t i = 0; i < share.pieces.size(); ++i)
      share.by_place.emplace_back(share.pieces[i].begin, i);
    std::sort(share.by_place.begin(), share.by_place.end());
  } catch (const std::bad_alloc&) {
    share.by_place.clear();
  }
  next_ = 1 - next_;
}

const float* ReadAhead::find(const float* begin, const float* end) noexcept {
  Share& share = shares_[1 - next_];
  const auto found = std::lower_bound(share.by_place.begin(), share.by_place.end(),
                                      std::pair<const float*, std::size_t>{begin, 0});
  if (found == share.by_place.end() || found->first != begin) return begin;
  const std::size_t number = found->second;
  for (std::size_t done = share.done; done <= number; done = share.done) share.done.wait(done);
  const Piece& piece = share.pieces[number];
  if (!piece.read || piece.end < end) return begin;
  return reinterpret_cast<const float*>(piece.to + piece.skip);
}

void read_ahead(const float* begin, const float* end) noexcept {
  if (begin >= end) return;
  const auto bytes = static_cast<std::size_t>(end - begin) * sizeof(float);
  if (in_use != nullptr && bytes >= least_bytes && !is_cached(begin, end)) {
    try {
      FilePlace place = place_in_file(begin);
      if (place.file != nullptr && in_use->ask(begin, end, std::move(place))) return;
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {  // no thread is to be had
    }
  }
  fetch(begin, end);
}

const float* at_hand(const float* begin, const float* end) noexcept {
  return in_use == nullptr ? begin : in_use->find(begin, end);
}

}  // namespace sonde
