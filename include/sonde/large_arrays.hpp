#pragma once
#include <filesystem>
#include <sonde/shape.hpp>

namespace sonde {

/// Data may be more than fits into memory: arrays beyond a limit then lie in files, whose pages the
/// system fetches and lets go as it sees fit. Nothing else changes, results least of all.
struct LargeArrays {
  /// What arrays of 256 KiB or more may take in memory, all of the process together; the next one
  /// lies in a file. 0: no limit.
  Index memory = 0;
  /// Where: files without a name, which end with the array or the process. Empty: TMPDIR, or
  /// /var/tmp where that is not set or is memory itself.
  std::filesystem::path folder = {};
};

/// For the whole process; call it before there are arrays. An array of 64 MiB or more that finds no
/// room on the disk either throws IoError; smaller ones then stay in memory.
void keep_large_arrays_on_disk(LargeArrays large);
/// Bytes of all arrays that lie in files now.
Index bytes_on_disk();

}  // namespace sonde
