#pragma once
#include <sonde/report.hpp>
#include <string>
#include <vector>

#include "cli/model_file.hpp"
#include "cli/parts.hpp"
#include "cli/scores.hpp"

namespace sonde::cli {

/// The report of samples that were judged as part `name`: signals scaled by `extras`, labels, and
/// what was predicted for them. Without classes it shows the signals only.
Report judged_report(const Task& task, const Scores& scores, const std::string& name,
                     const Data& data, const Array& predictions, const Extras& extras);

/// How many samples and labels train and judge.
std::vector<DataPart> data_parts(const Parts& parts);

}  // namespace sonde::cli
