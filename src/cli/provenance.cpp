#include "cli/provenance.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sonde/version.hpp>
#include <thread>

#include "cli/sha256.hpp"

namespace sonde::cli {
namespace {

/// As Linux calls it; "unknown" elsewhere.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "unknown";
}

}  // namespace

nlohmann::ordered_json provenance(long seed,
                                  const std::vector<std::pair<std::string, std::string>>& files) {
  nlohmann::ordered_json json = {
      {"sonde", version},
      {"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
      {"seed", seed},
      {"processor", processor()},
      {"cores", std::thread::hardware_concurrency()},
      {"kernels", kernel_level()}};
  json["files"] = nlohmann::ordered_json::object();
  for (const auto& [role, path] : files)
    if (!path.empty())
      json["files"][role] = {{"path", path},
                             {"bytes", std::filesystem::file_size(path)},
                             {"sha256", sha256_of_file(path)}};
  return json;
}

}  // namespace sonde::cli
