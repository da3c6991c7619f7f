#pragma once
#include <sonde/shape.hpp>
#include <string>

namespace sonde::cli {

struct EvaluateRecordings {
  std::string model;
  std::string config;  ///< a file with a table [recordings]
  std::string part;    ///< of its split: "train", "validation", "test"; "all": every recording
  std::string weights;
  Index batch_size = 32;
  int threads = 0;
  bool json = false;
};

/// `sonde evaluate MODEL FILE.toml`: judges recordings by the rules of the file.
int evaluate_recordings(const EvaluateRecordings& o);

}  // namespace sonde::cli
