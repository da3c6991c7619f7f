#include "cli/run_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sonde/error.hpp>
#include <utility>
#include <vector>

#include "cli/progress_events.hpp"

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

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// What the lock's file says about the run that holds it: "process 4711 on ada".
std::string holder(int file) {
  std::array<char, 400> text{};
  const ssize_t size = ::pread(file, text.data(), text.size() - 1, 0);
  std::string line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  line.resize(std::min(line.find('\n'), line.size()));
  return line.starts_with("process ") ? line : "";
}

/// Where a file system has no locks: whether the process that wrote the file still runs here.
bool is_alive(const std::string& holder) {
  const auto process = static_cast<pid_t>(std::atol(holder.c_str() + std::strlen("process ")));
  return !holder.empty() && holder.ends_with(" on " + host_name()) && process != ::getpid() &&
         (::kill(process, 0) == 0 || errno == EPERM);
}

/// Holds the file for this process until it ends, however it ends. The file stays: who removed it
/// would take it from under a run that opens it meanwhile.
std::shared_ptr<const int> lock(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) fail(path, "opened", errno);
  std::shared_ptr<const int> held(new int(file), [](const int* f) {
    ::close(*f);
    delete f;
  });
  const bool locked = ::flock(file, LOCK_EX | LOCK_NB) == 0;
  const bool taken = !locked && errno == EWOULDBLOCK;
  const std::string other = holder(file);
  if (taken || (!locked && is_alive(other)))
    throw IoError(
        fmt::format("another run works in \"{}\"{}. Wait for its end, or choose another --out.",
                    path.parent_path().string(), other.empty() ? "" : fmt::format(" ({})", other)));
  const std::string line = fmt::format("process {} on {}\n", ::getpid(), host_name());
  if (::ftruncate(file, 0) != 0 ||
      ::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    fail(path, "written", errno);
  return held;
}

/// A name that writing a file of ours makes for a moment: NAME.part, NAME.PROCESS-NUMBER.tmp.
bool is_temporary(const std::string& name) {
  return std::any_of(own_files.begin(), own_files.end(), [&](std::string_view own) {
    if (!name.starts_with(own)) return false;
    const std::string_view rest = std::string_view(name).substr(own.size());
    return rest == ".part" ||
           (rest.starts_with(".") && rest.ends_with(".tmp") &&
            rest.substr(1, rest.size() - 5).find_first_not_of("0123456789-") == rest.npos);
  });
}

/// Removes the files of the folder that `wanted` names.
template <class F>
void remove_files(const std::filesystem::path& folder, F wanted) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (wanted(entry.path().filename().string())) found.push_back(entry.path());
  for (const auto& path : found) std::filesystem::remove(path, error);
}

void flush_folder(const std::filesystem::path& folder) {
  const int file =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;  // some file systems cannot; the file itself is safe
  static_cast<void>(fsync(file));
  ::close(file);
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
  else if (written && std::rename(temporary.c_str(), path.c_str()) == 0)
    return flush_folder(path.parent_path());
  else if (written) error = errno;
  std::remove(temporary.c_str());
  fail(path, "written", error);
}

RunDirectory::RunDirectory(std::filesystem::path folder, Earlier earlier, Voice voice)
    : folder_(std::move(folder)), earlier_(earlier), voice_(voice) {
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
  if (!go_on) remove_events();
  remove_files(folder_, is_temporary);
  std::FILE* opened = std::fopen(file("log.txt").c_str(), go_on ? "a" : "w");
  if (!opened) fail(file("log.txt"), "written", errno);
  log_.reset(opened, [](std::FILE* f) { std::fclose(f); });
  log(std::exchange(early_, {}));
}

void RunDirectory::remove_events() const {
  remove_files(folder_, [](const std::string& name) {
    return name.starts_with("events.out.tfevents.") && name.ends_with(".sonde");
  });
}

void RunDirectory::say(const std::string& line) {
  if (voice_ == Voice::people) std::fputs((line + "\n").c_str(), stderr);
  if (voice_ == Voice::programs) print_event({{"event", "message"}, {"text", line}});
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
