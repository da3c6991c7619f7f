#include "cli/run_directory.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sonde/error.hpp>

namespace sonde::cli {
namespace {

/// What a run writes. --force removes these and nothing else.
constexpr std::array<std::string_view, 8> own_files = {
    "config.toml",  "model.keras", "last.keras",      "history.csv",
    "metrics.json", "log.txt",     "provenance.json", "report.html"};

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what, int error) {
  throw IoError(fmt::format("\"{}\" cannot be {}: {}.{}", path.string(), what, std::strerror(error),
                            error == ENOSPC ? " Free some space, or choose another --out." : ""));
}

}  // namespace

void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path temporary = path;
  temporary += ".part";
  std::FILE* file = std::fopen(temporary.c_str(), "w");
  if (!file) fail(path, "written", errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() &&
                       std::fflush(file) == 0 && fsync(fileno(file)) == 0;
  int error = errno;
  if (std::fclose(file) != 0 && written) error = errno;
  else if (written && std::rename(temporary.c_str(), path.c_str()) == 0) return;
  else if (written) error = errno;
  std::remove(temporary.c_str());
  fail(path, "written", error);
}

RunDirectory::RunDirectory(std::filesystem::path folder, bool force, bool quiet)
    : folder_(std::move(folder)), quiet_(quiet) {
  std::error_code error;
  if (!std::filesystem::exists(folder_, error)) return;
  if (!std::filesystem::is_directory(folder_, error))
    throw IoError(fmt::format("\"{}\" is a file. Give --out a folder.", folder_.string()));
  const bool empty = std::filesystem::is_empty(folder_, error);
  if (error) fail(folder_, "read", error.value());
  if (!empty && !force)
    throw ArgumentError(fmt::format(
        "--out \"{}\" holds an earlier run. Choose another folder, or write over it with --force.",
        folder_.string()));
}

void RunDirectory::open() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) fail(folder_, "made", error.value());
  for (const std::string_view name : own_files) std::filesystem::remove(file(name), error);
  std::FILE* opened = std::fopen(file("log.txt").c_str(), "w");
  if (!opened) fail(file("log.txt"), "written", errno);
  log_.reset(opened, [](std::FILE* f) { std::fclose(f); });
  log(std::move(early_));
}

void RunDirectory::say(const std::string& line) {
  if (!quiet_) fmt::print(stderr, "{}\n", line);
  log(line);
}

void RunDirectory::log(const std::string& line) {
  if (!log_) {
    early_ += (early_.empty() ? "" : "\n") + line;
    return;
  }
  if (line.empty()) return;
  errno = 0;
  if (std::fputs((line + "\n").c_str(), log_.get()) < 0 || std::fflush(log_.get()) != 0)
    fail(file("log.txt"), "written", errno);
}

}  // namespace sonde::cli
