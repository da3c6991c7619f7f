#include <fstream>

#include "cli/train_options.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// The configuration file of `sonde train`.
void fuzz_one(Bytes bytes) {
  const std::string path = folder() / "train.toml";
  std::ofstream(path, std::ios::binary) << text_of(bytes);
  cli::TrainOptions options;
  read_config(cli::read_toml(path), "train.toml", options);
  cli::check_options(options);
}

}  // namespace sonde::fuzz
