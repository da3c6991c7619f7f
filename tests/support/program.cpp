#include "tests/support/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sonde/formats.hpp>
#include <sstream>
#include <thread>

namespace sonde::testing {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

void redirect(const std::string& path, int descriptor) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, descriptor);
  close(file);
}

}  // namespace

std::string Program::read(const std::string& name) const { return read_all(folder_ / name); }

void Program::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name, std::ios::binary) << text;
}

int Program::start(const std::vector<std::string>& words, const char* out) const {
  const int process = fork();
  if (process != 0) return process;
  if (chdir(folder_.path().c_str()) != 0) _exit(126);
  if (largest_file_ > 0) {
    const rlimit limit{static_cast<rlim_t>(largest_file_), static_cast<rlim_t>(largest_file_)};
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
  }
  if (!input_.empty()) {
    const int file = open(input_.c_str(), O_RDONLY);
    dup2(file, STDIN_FILENO);
    close(file);
  }
  redirect(out ? out : path(".out"), STDOUT_FILENO);
  redirect(errors_.empty() ? path(".err") : errors_, STDERR_FILENO);
  for (const std::string& each : environment) putenv(const_cast<char*>(each.c_str()));
  std::vector<char*> arguments = {const_cast<char*>(SONDE_PROGRAM_PATH)};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(SONDE_PROGRAM_PATH, arguments.data());
  _exit(127);
}

Result Program::finish(int process) const {
  int status = 0;
  waitpid(process, &status, 0);
  Result result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read(".out");
  result.err = read(".err");
  return result;
}

Result Program::run(const std::vector<std::string>& words, const char* out) const {
  return finish(start(words, out));
}

Result Program::run(const std::string& line) const { return run(words_of(line)); }

Result Program::interrupt(const std::string& line, int signal, const std::string& name) const {
  const int process = start(words_of(line), nullptr);
  for (int i = 0; i < 6000 && !has(name); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(process, signal);
  return finish(process);
}

void Program::meanwhile(const std::string& line, const std::string& name,
                        const std::function<void()>& f) const {
  const int process = start(words_of(line), "/dev/null");
  for (int i = 0; i < 6000 && !has(name); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  f();
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
}

void save_task(const Program& program) {
  Array x({12, 40, 3}), y({12, 40, 1});
  std::uint32_t state = 1;
  for (float& v : x.values()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<std::int32_t>(state)) / 2147483648.0f;
  }
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(x.data()[3 * i] > 0);
  save_npy(program.path("X.npy"), x);
  save_npy(program.path("y.npy"), y);
}

}  // namespace sonde::testing
