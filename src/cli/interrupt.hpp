#pragma once
#include <stdexcept>
#include <string>

namespace sonde::cli {

/// Thrown at a step's end after a signal, when what was learned is safe.
struct Interrupted : std::runtime_error {
  Interrupted(int signal_number, const std::string& message)
      : std::runtime_error(message), signal(signal_number) {}
  int signal;
};

/// From now on the first SIGINT or SIGTERM is remembered; a second one ends the program at once.
void watch_signals();

/// The signal that came, or 0.
int signal_seen();

}  // namespace sonde::cli
