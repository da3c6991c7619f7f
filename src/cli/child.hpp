#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace sonde::cli {

/// Runs this program again with other words, both outputs into the file `output`, and waits for its
/// end: the exit code, or 128 + the signal that ended it. A signal that came since watch_signals()
/// is passed on once, so that the child can save what it has; a terminal's Ctrl-C reaches the child
/// in no other way. If this process is killed, the child is told to end. Throws IoError where it
/// cannot be started.
int run_again(const std::vector<std::string>& words, const std::filesystem::path& output);

}  // namespace sonde::cli
