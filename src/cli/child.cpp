#include "cli/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <sonde/error.hpp>
#include <thread>

#include "cli/interrupt.hpp"

namespace sonde::cli {

int run_again(const std::vector<std::string>& words, const std::filesystem::path& output) {
  constexpr const char* self = "/proc/self/exe";
  // Everything is made before the fork: between fork and exec nothing may allocate.
  std::vector<char*> arguments = {const_cast<char*>("sonde")};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0)
    throw IoError(
        fmt::format("\"{}\" cannot be written: {}.", output.string(), std::strerror(errno)));
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(128 + SIGTERM);
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(self, arguments.data());
    _exit(127);
  }
  const int error = errno;
  ::close(out);
  if (child < 0) throw IoError(fmt::format("a trial cannot be started: {}.", std::strerror(error)));

  int status = 0;
  bool told = false;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (!told && signal_seen() != 0) {
      kill(child, signal_seen());
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace sonde::cli
