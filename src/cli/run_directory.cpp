#include "cli/run_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sonde/error.hpp>

namespace sonde::cli {
namespace {

/// What a run writes. --force removes these and nothing else.
constexpr std::array<std::string_view, 11> own_files = {
    "config.toml",         "model.keras",
    "last.keras",          "history.csv",
    "metrics.json",        "log.txt",
    "provenance.json",     "report.html",
    "last.checkpoint",     "last.checkpoint.before",
    "last.checkpoint.next"};

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what, int error) {
  throw IoError(fmt::format("\"{}\" cannot be {}: {}.{}", path.string(), what, std::strerror(error),
                            error == ENOSPC ? " Free some space, or choose another --out." : ""));
}

/// Holds the file for this process until it ends, however it ends.
std::shared_ptr<const int> lock(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) fail(path, "opened", errno);
  std::shared_ptr<const int> held(new int(file), [](const int* f) {
    ::close(*f);
    delete f;
  });
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return held;
  if (errno != EWOULDBLOCK) return held;  // a file system without locks
  throw IoError(
      fmt::format("another run works in \"{}\". Wait for its end, or choose another --out.",
                  path.parent_path().string()));
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

RunDirectory::RunDirectory(std::filesystem::path folder, Earlier earlier, bool quiet)
    : folder_(std::move(folder)), earlier_(earlier), quiet_(quiet) {
  std::error_code error;
  if (!std::filesystem::exists(folder_, error)) return;
  if (!std::filesystem::is_directory(folder_, error))
    throw IoError(fmt::format("\"{}\" is a file. Give --out a folder.", folder_.string()));
  const bool empty = std::filesystem::is_empty(folder_, error);
  if (error) fail(folder_, "read", error.value());
  if (!empty && earlier == Earlier::refuse)
    throw ArgumentError(
        fmt::format("--out \"{}\" holds an earlier run. Choose another folder, go on with that run "
                    "(--resume), or write over it (--force).",
                    folder_.string()));
}

void RunDirectory::open() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) fail(folder_, "made", error.value());
  lock_ = lock(file("lock"));
  const bool go_on = earlier_ == Earlier::go_on;
  for (const std::string_view name : own_files)
    if (!go_on) std::filesystem::remove(file(name), error);
  std::FILE* opened = std::fopen(file("log.txt").c_str(), go_on ? "a" : "w");
  if (!opened) fail(file("log.txt"), "written", errno);
  log_.reset(opened, [](std::FILE* f) { std::fclose(f); });
  log(std::move(early_));
}

void RunDirectory::say(const std::string& line) {
  if (!quiet_) std::fputs((line + "\n").c_str(), stderr);
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
