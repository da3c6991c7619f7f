#include "cli/data_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sonde/large_arrays.hpp>

#include "cli/byte_count.hpp"

namespace sonde::cli {
namespace {

constexpr Index unlimited = std::numeric_limits<Index>::max();

/// The number in a file of the system; `unlimited` where there is none ("max", for one).
Index number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return unlimited;
  return static_cast<Index>(std::min(number, static_cast<std::uint64_t>(unlimited)));
}

/// What the machine has left.
Index left_on_the_machine() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, unit; file >> name;) {
    Index kilobytes = 0;
    if (!(file >> kilobytes)) break;
    if (name == "MemAvailable:") return kilobytes * 1024;
    std::getline(file, unit);
  }
  return unlimited;
}

/// The least limit of this process's control groups: of its own and of those around it.
Index limit_of_groups() {
  Index least = unlimited;
  std::ifstream file("/proc/self/cgroup");  // number:controllers:/path
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool old = ("," + controllers + ",").find(",memory,") != std::string::npos;
    if (!old && !controllers.empty()) continue;
    const std::filesystem::path root = old ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
    const char* name = old ? "memory.limit_in_bytes" : "memory.max";
    for (std::filesystem::path group = line.substr(second + 2);; group = group.parent_path()) {
      least = std::min(least, number_in(root / group / name));
      if (group.empty()) break;
    }
  }
  return least;
}

}  // namespace

Index data_memory() {
  if (const char* wish = std::getenv("SONDE_DATA_MEMORY"); wish != nullptr && *wish != '\0') {
    ByteCount count;
    from_value(Value(std::string(wish)), "SONDE_DATA_MEMORY", count);
    return count.bytes;
  }
  const Index all = std::min(left_on_the_machine(), limit_of_groups());
  return all == unlimited ? 0 : std::max<Index>(1, all / 4);
}

std::string data_on_disk_text() {
  const Index bytes = bytes_on_disk();
  if (bytes == 0) return {};
  return fmt::format(
      "{:.2f} GB of data lie there, because memory is short; SONDE_DATA_MEMORY=16G "
      "would allow more of it",
      static_cast<double>(bytes) / 1e9);
}

}  // namespace sonde::cli
