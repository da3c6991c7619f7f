#pragma once
#include <stdexcept>
#include <string>

namespace sonde {

/// Why something was refused. The command line turns it into its exit code.
enum class Failure {
  argument,  ///< a wrong argument: of a layer, an option, a configuration key
  data,      ///< recordings, arrays or labels that cannot be used
  format,    ///< a model file that is damaged, foreign or hostile
  io,        ///< a file that cannot be opened, read or written; a full disk
  limit,     ///< more memory or a larger file than allowed
  diverged,  ///< training produced NaN or infinity
};

/// Thrown while building, planning, loading and saving; never while running.
/// Every message says where, what was expected, what came, and how to mend it.
class Error : public std::runtime_error {
 public:
  Error(Failure failure, const std::string& message)
      : std::runtime_error(message), failure_(failure) {}

  Failure failure() const noexcept { return failure_; }

 private:
  Failure failure_;
};

struct ArgumentError : Error {
  explicit ArgumentError(const std::string& message) : Error(Failure::argument, message) {}
};
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(Failure::data, message) {}
};
struct FormatError : Error {
  explicit FormatError(const std::string& message) : Error(Failure::format, message) {}
};
struct IoError : Error {
  explicit IoError(const std::string& message) : Error(Failure::io, message) {}
};
struct LimitError : Error {
  explicit LimitError(const std::string& message) : Error(Failure::limit, message) {}
};
struct DivergedError : Error {
  explicit DivergedError(const std::string& message) : Error(Failure::diverged, message) {}
};

}  // namespace sonde
