#include "cli/provenance.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sonde/error.hpp>
#include <sonde/version.hpp>
#include <thread>

#include "cli/sha256.hpp"

namespace sonde::cli {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "unknown";
}

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

void check_same_files(const std::filesystem::path& path, const nlohmann::ordered_json& now,
                      const std::string& who, const std::string& mend) {
  std::ifstream file(path);
  const auto then = nlohmann::ordered_json::parse(file, nullptr, false);
  if (!then.is_object() || !then.contains("files")) return;  // the run ended before it was written
  for (const auto& [role, each] : now["files"].items())
    if (then["files"].contains(role) && then["files"][role] != each)
      throw DataError(fmt::format(
          "{}: {} \"{}\" is not the file that this run began with. Bring that one back, or {}.",
          who, role, each["path"].get<std::string>(), mend));
}

}  // namespace sonde::cli
