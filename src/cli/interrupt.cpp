#include "cli/interrupt.hpp"

#include <csignal>

namespace sonde::cli {
namespace {

volatile std::sig_atomic_t seen = 0;

extern "C" void remember(int signal) {
  seen = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void watch_signals() {
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
}

int signal_seen() { return seen; }

}  // namespace sonde::cli
