#pragma once
#include <string>

namespace sonde::cli {

/// The exit codes are a promise: scripts read them.
enum ExitCode {
  ok = 0,
  failed = 1,
  usage = 2,
  bad_data = 3,
  bad_model = 4,
  bad_file = 5,  ///< cannot be opened, read or written; a full disk
  over_limit = 6,
  diverged = 7,
  interrupted = 128,  ///< plus the signal: 130 for Ctrl-C, 143 for SIGTERM
};

/// The whole program. Messages go to stderr, results to stdout; never throws.
int run(int argc, const char* const* argv);

}  // namespace sonde::cli
