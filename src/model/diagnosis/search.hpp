#pragma once
#include "model/diagnosis/candidate.hpp"

namespace sonde::diagnosis {

/// The cheapest sets of edits that make `start`, which has `verdict`, fit: cheapest first, and none
/// that holds another one.
std::vector<Candidate> search(const Candidate& start, const Verdict& verdict, std::size_t most);

}  // namespace sonde::diagnosis
