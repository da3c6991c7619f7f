#include "cli/draw.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

extern char** environ;

namespace sonde::cli {
namespace {

/// A file without a name, which is gone when it is closed. Files and not pipes: neither side ever
/// waits for the other.
class NamelessFile {
 public:
  NamelessFile() : file_(std::tmpfile()) {
    if (!file_)
      throw std::runtime_error(
          fmt::format("a temporary file cannot be made: {}.", std::strerror(errno)));
  }
  int number() const { return fileno(file_.get()); }
  void write(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size() &&
                         std::fflush(file_.get()) == 0;
    std::rewind(file_.get());
    if (!written)
      throw std::runtime_error(
          fmt::format("a temporary file cannot be written: {}.", std::strerror(errno)));
  }
  std::string read() {
    std::rewind(file_.get());
    std::string text;
    char part[1 << 14];
    for (std::size_t n; (n = std::fread(part, 1, sizeof part, file_.get())) > 0;)
      text.append(part, n);
    return text;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

[[noreturn]] void no_dot(const std::string& format, int error) {
  if (error == ENOENT)
    throw std::runtime_error(fmt::format(
        "Graphviz' program \"dot\" draws .{} files, and it is not installed. Install it (Debian, "
        "Ubuntu: apt install graphviz), or write a .dot file and draw it elsewhere.",
        format));
  throw std::runtime_error(
      fmt::format("Graphviz' program \"dot\" cannot be started: {}.", std::strerror(error)));
}

}  // namespace

std::string draw(const std::string& dot, const std::string& format) {
  NamelessFile input, output, messages;
  input.write(dot);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.number(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.number(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, messages.number(), STDERR_FILENO);
  std::string program = "dot", type = "-T" + format;
  char* const arguments[] = {program.data(), type.data(), nullptr};
  pid_t process = 0;
  const int error = posix_spawnp(&process, "dot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) no_dot(format, error);

  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  std::string picture = output.read();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !picture.empty()) return picture;
  std::string said = messages.read();
  said.resize(std::min(said.find('\n'), said.size()));
  throw std::runtime_error(fmt::format("Graphviz' program \"dot\" failed: {}",
                                       said.empty() ? "it said nothing." : said));
}

}  // namespace sonde::cli
