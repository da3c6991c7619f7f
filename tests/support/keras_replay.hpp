#pragma once
#include <sonde/value.hpp>
#include <string>
#include <vector>

namespace sonde::testing {

/// What came of a recorded case: its numbers, or why there is no such thing here, in a few words.
struct Outcome {
  std::vector<double> numbers = {};
  std::string refusal = {};
};

/// Does what the case says, through the same doors as a user or the trainer.
Outcome replay(const Value& recorded);

/// The values of a recorded array, {"shape": …, "values": …}.
std::vector<double> numbers_of(const Value& array);

}  // namespace sonde::testing
