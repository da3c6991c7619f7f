#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace sonde::cli {

/// Makes `path` hold `text`, or leaves it as it was, also when the power fails. Throws IoError.
void write_text(const std::filesystem::path& path, std::string_view text);

/// The folder of one training run, and what the user is told about it: on stderr and in its
/// log.txt.
class RunDirectory {
 public:
  enum class Earlier { refuse, remove, go_on };
  enum class Voice {
    people,    ///< lines, and a moving one on a terminal
    programs,  ///< one JSON object on each line
    none,
  };

  /// `earlier`: what becomes of what the folder holds. Throws ArgumentError when it is refused.
  RunDirectory(std::filesystem::path folder, Earlier earlier, Voice voice);

  /// Makes the folder, without what an earlier run left in it unless that goes on, without files
  /// that were being written when a run was killed, and opens the log. Throws IoError, also while
  /// another run works in the folder.
  void open();
  /// Removes the files for TensorBoard.
  void remove_events() const;
  const std::filesystem::path& folder() const { return folder_; }

  std::filesystem::path file(std::string_view name) const { return folder_ / name; }
  void write(std::string_view name, std::string_view text) const { write_text(file(name), text); }
  /// One line for people. What is said before open() is kept for the log.
  void say(const std::string& line);
  /// One line for the log only.
  void log(const std::string& line);
  Voice voice() const { return voice_; }

 private:
  std::filesystem::path folder_;
  Earlier earlier_;
  Voice voice_;
  std::shared_ptr<const int> lock_;
  std::string early_;
  std::shared_ptr<std::FILE> log_;
};

}  // namespace sonde::cli
