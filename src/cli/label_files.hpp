#pragma once
#include <sonde/labeller.hpp>
#include <string>
#include <vector>

namespace sonde::cli {

struct LabelFilesOptions {
  std::string out = {};           ///< a folder, a .csv file of intervals, or empty: those on stdout
  std::string label_column = {};  ///< of tables: no signal
  double rate = 0;                ///< steps per second of files that do not say it; 0: the model's
  bool probabilities = false;     ///< write them too, into the folder
  bool edf = false;               ///< write EDF+ files of annotations too, into the folder
  PredictOptions predict = {};
};

struct RecordingFile {
  Recording recording;
  std::string start = {};  ///< EdfFile::start; empty where the file does not say it
};

/// FILE.edf, .bdf, .hea: they say the rate of what they hold, and may have pauses.
bool is_recording_file(const std::string& file);

/// A recording from FILE.edf, .bdf, .hea (WFDB), .csv, .tsv, .txt, .npy or .npz. `channels`: those
/// that are wanted, where the file names its channels; empty: all. Throws IoError and DataError.
RecordingFile read_recording(const std::string& file, const std::vector<std::string>& channels,
                             const std::string& label_column, double rate);

/// Whether each channel of it gets labels of its own: the model knows one, and does not combine.
bool takes_apart(const Recipe& recipe, const Recording& recording);

/// Says on stderr that the model's rate is taken for a file that does not say its own, and which
/// channels get one labelling together.
void say_what_is_taken(const std::string& file, const Recording& recording, const Recipe& recipe);

/// Final labels of recordings, one file after the other: the table of intervals, and into a folder
/// the labels of each step. With a recipe of each_channel, channels are recordings NAME/CHANNEL.
void label_files(sonde::Labeller& labeller, const std::vector<std::string>& files,
                 const LabelFilesOptions& options);

}  // namespace sonde::cli
