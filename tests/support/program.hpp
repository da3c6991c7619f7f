#pragma once
#include <functional>
#include <sonde/array.hpp>
#include <string>
#include <vector>

#include "tests/support/files.hpp"

namespace sonde::testing {

/// What a run of the built program left.
struct Result {
  int code = -1;  ///< exit code, or 128 + the signal that ended it
  std::string out, err;
};

/// Runs the built program in a folder of its own.
class Program {
 public:
  const TemporaryFolder& folder() const { return folder_; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string read(const std::string& name) const;
  void write(const std::string& name, const std::string& text) const;
  bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  /// Words as on the command line, without the program's name. `out`: where stdout goes instead of
  /// into the result.
  Result run(const std::vector<std::string>& words, const char* out = nullptr) const;
  /// Splits at blanks.
  Result run(const std::string& line) const;
  /// No file that a later run writes may grow beyond this: like a full disk, which cannot be had
  /// here.
  void limit_file_size(Index bytes) { largest_file_ = bytes; }
  /// Sends `signal` once `name` exists in the folder.
  Result interrupt(const std::string& line, int signal, const std::string& name) const;
  /// Starts `line`, calls `f` once `name` exists in the folder, and kills what it started.
  void meanwhile(const std::string& line, const std::string& name,
                 const std::function<void()>& f) const;
  /// Where stdin of later runs comes from: a file, or a pipe with a name.
  void input_from(std::string place) { input_ = std::move(place); }
  /// Where stderr of later runs goes instead of into the result.
  void errors_to(std::string place) { errors_ = std::move(place); }
  /// NAME=VALUE, of the programs that are run from now on.
  std::vector<std::string> environment = {};

 private:
  int start(const std::vector<std::string>& words, const char* out) const;
  Result finish(int process) const;

  TemporaryFolder folder_;
  std::string input_;       ///< empty: what the tests have
  std::string errors_;      ///< empty: into the result
  Index largest_file_ = 0;  ///< 0: no limit
};

/// X.npy (12, 40, 3) and y.npy (12, 40, 1): a step is 1 where the first channel is positive.
void save_task(const Program& program);

}  // namespace sonde::testing
