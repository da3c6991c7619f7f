#pragma once
#include <filesystem>
#include <functional>
#include <sonde/model.hpp>
#include <sonde/report.hpp>
#include <string>
#include <vector>

namespace sonde::cli {

/// One recording, or one sample of arrays, that was judged. It may have fewer labels than steps, as
/// a sample with one label has: label i is then that of the i-th part of the steps.
struct ShownRecording {
  std::string name = {};
  std::string group = {};  ///< whom it is of; empty: nobody said
  double frequency = 0;    ///< steps per second; 0: unknown
  std::vector<std::string> channels = {};
  Array signal = {};                  ///< (time, channels), in the units of its file
  std::vector<float> labels = {};     ///< class numbers; anything where the weight is 0
  std::vector<float> weights = {};    ///< of the labels; empty: all count
  Array probabilities = {};           ///< (labels, classes), or (labels, 1) of class 1
  std::vector<Index> predicted = {};  ///< the final class of each label
};

/// Into the report: curves, calibration, each group, the worst recordings, and what the viewer
/// shows. `report.classes` must be set. Takes the arrays. `signal_of`, where it is given: the
/// signal of recording i, asked for the few that are shown, since all of them may be more than
/// memory holds.
void add_judged(Report& report, std::vector<ShownRecording> recordings,
                const std::function<Array(std::size_t i)>& signal_of = {});

/// Into the report, what the files of a run's folder say: learning curves, files, provenance; and
/// the model, with a picture where Graphviz' `dot` is installed.
void add_run(Report& report, const std::filesystem::path& folder, const Model& model);

}  // namespace sonde::cli
