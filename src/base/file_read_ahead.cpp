#include "base/file_read_ahead.hpp"

#include <unistd.h>

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

std::size_t bytes_of(const float* begin, const float* end) {
  return static_cast<std::size_t>(end - begin) * sizeof(float);
}

}  // namespace

void FileReadAhead::FreeMemory::operator()(void* begin) const noexcept {
  ::operator delete (begin, std::align_val_t{DirectFile::block});
}

std::size_t FileReadAhead::half_of_memory() noexcept {
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0
             ? static_cast<std::size_t>(pages) / 2 * static_cast<std::size_t>(size)
             : 0;
}

FileReadAhead::FileReadAhead(std::size_t cached) : cached_(cached) {}

FileReadAhead::~FileReadAhead() {
  {
    const std::lock_guard lock(lock_);
    stop_ = true;
  }
  asked_.notify_one();
  if (reader_.joinable()) reader_.join();
}

bool FileReadAhead::add(const float* begin, const float* end, FilePlace place) {
  constexpr std::size_t block = DirectFile::block;
  const std::size_t skip = place.offset % block;
  const std::size_t size = (skip + bytes_of(begin, end) + block - 1) / block * block;
  place.offset -= skip;

  const std::lock_guard lock(lock_);
  Wanted& wanted = wanted_[next_];
  const std::size_t number = wanted.pieces.size();
  if (wanted.memory.size() <= number) wanted.memory.resize(number + 1);
  auto& [memory, room] = wanted.memory[number];
  if (room < size) {
    if (wanted.bytes + size - room > most_bytes) return false;
    wanted.bytes += size - room;
    room = 0;
    memory.reset(static_cast<std::byte*>(::operator new (size, std::align_val_t{block})));
    room = size;
  }
  if (!reader_.joinable()) {
    const SignalsBlocked blocked;
    reader_ = std::thread([this] { read_pieces(); });
  }
  wanted.pieces.push_back({begin, end, std::move(place), skip, size, memory.get()});
  asked_.notify_one();
  return true;
}

void FileReadAhead::read_pieces() noexcept {
  std::unique_lock lock(lock_);
  for (;;) {
    // What is at hand was asked for first.
    const auto waiting = [](const Wanted& wanted) { return wanted.done < wanted.pieces.size(); };
    Wanted *now = &wanted_[1 - next_], *next = &wanted_[next_];
    asked_.wait(lock, [&] {
      now = &wanted_[1 - next_], next = &wanted_[next_];
      return stop_ || waiting(*now) || waiting(*next);
    });
    if (stop_) return;
    Wanted& wanted = waiting(*now) ? *now : *next;
    const std::size_t number = wanted.done;
    const Piece piece = wanted.pieces[number];
    lock.unlock();
    const std::size_t got = piece.place.file->read(piece.place.offset, piece.size, piece.to);
    const bool read = got >= piece.skip + bytes_of(piece.begin, piece.end);
    if (!read) fetch(piece.begin, piece.end);
    lock.lock();
    wanted.pieces[number].read = read;
    wanted.done = number + 1;
    wanted.done.notify_all();
  }
}

void FileReadAhead::turn() noexcept {
  Wanted &old = wanted_[1 - next_], &wanted = wanted_[next_];
  if (old.pieces.empty() && wanted.pieces.empty()) return;
  for (std::size_t done = old.done; done < old.pieces.size(); done = old.done) old.done.wait(done);
  const std::lock_guard lock(lock_);
  old.pieces.clear();
  old.by_place.clear();
  old.done = 0;
  try {
    for (std::size_t i = 0; i < wanted.pieces.size(); ++i)
      wanted.by_place.emplace_back(wanted.pieces[i].begin, i);
    std::sort(wanted.by_place.begin(), wanted.by_place.end());
  } catch (const std::bad_alloc&) {
    wanted.by_place.clear();
  }
  next_ = 1 - next_;
}

const float* FileReadAhead::find(const float* begin, const float* end) noexcept {
  Wanted& wanted = wanted_[1 - next_];
  const auto found = std::lower_bound(wanted.by_place.begin(), wanted.by_place.end(),
                                      std::pair<const float*, std::size_t>{begin, 0});
  if (found == wanted.by_place.end() || found->first != begin) return begin;
  const std::size_t number = found->second;
  for (std::size_t done = wanted.done; done <= number; done = wanted.done) wanted.done.wait(done);
  const Piece& piece = wanted.pieces[number];
  if (!piece.read || piece.end < end) return begin;
  return reinterpret_cast<const float*>(piece.to + piece.skip);
}

bool FileReadAhead::ask(const float* begin, const float* end) noexcept {
  if (bytes_of(begin, end) < least_bytes) return false;
  try {
    FilePlace place = place_in_file(begin, cached_);
    return place.file != nullptr && !is_cached(begin, end) && add(begin, end, std::move(place));
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {  // no thread is to be had
  }
  return false;
}

}  // namespace sonde
