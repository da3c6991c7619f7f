#include "cli/label_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "cli/csv_cell.hpp"
#include "cli/data.hpp"
#include "cli/run_directory.hpp"

namespace sonde::cli {
namespace {

std::string ending_of(const std::string& file) {
  std::string ending = std::filesystem::path(file_of(file)).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

/// The wanted columns, where the model names them: others may hold anything. All without the one
/// that holds labels, where it does not.
void read_table(Recording& recording, const std::string& file,
                const std::vector<std::string>& channels, const std::string& label_column) {
  Table table = load_table(file, {.columns = channels, .missing_as_nan = true});
  recording.channels = std::move(table.columns);
  recording.signal = std::move(table.values);
  if (label_column.empty() || !channels.empty()) return;
  auto& names = recording.channels;
  const auto label = std::find(names.begin(), names.end(), label_column);
  if (label == names.end())
    refuse_name(file + ": --label-column", label_column, {names.begin(), names.end()});
  const Index out = label - names.begin();
  const Array all = std::move(recording.signal);
  const Index steps = all.shape()[0], columns = all.shape()[1];
  recording.signal = Array({steps, columns - 1});
  for (Index t = 0; t < steps; ++t) {
    const float* row = all.data() + t * columns;
    float* to = recording.signal.data() + t * (columns - 1);
    std::copy(row + out + 1, row + columns, std::copy_n(row, out, to));
  }
  names.erase(label);
}

/// Seconds with microseconds, without digits that say nothing.
double in_seconds(Index step, double frequency) {
  return std::round(static_cast<double>(step) / frequency * 1e6) / 1e6;
}

/// A name for each file that is a file name and comes once: its stem, numbered where it must be.
std::vector<std::string> names_of(const std::vector<std::string>& files) {
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (const std::string& file : files) {
    const std::string stem = std::filesystem::path(file_of(file)).stem().string();
    std::string name = stem;
    for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}-{}", stem, i);
    names.push_back(name);
  }
  return names;
}

Array as_array(const std::vector<Index>& labels) {
  Array array({static_cast<Index>(labels.size())});
  std::copy(labels.begin(), labels.end(), array.data());
  return array;
}

}  // namespace

RecordingFile read_recording(const std::string& file, const std::vector<std::string>& channels,
                             const std::string& label_column, double rate) {
  RecordingFile read;
  Recording& recording = read.recording;
  recording.name = file;
  recording.frequency = rate;
  const std::string ending = ending_of(file);
  if (ending == ".edf" || ending == ".bdf") {
    const EdfFile edf = load_edf(file);
    read.start = edf.start;
    recording.signal = edf_signal(edf, channels);
    for (const EdfChannel& each : edf.channels) {
      if (!channels.empty() && each.name != channels.front()) continue;
      recording.frequency = each.frequency;
      break;
    }
    recording.channels = channels;
    for (const EdfChannel& each : edf.channels)
      if (channels.empty()) recording.channels.push_back(each.name);
  } else if (ending == ".hea") {
    WfdbRecord record = load_wfdb(std::filesystem::path(file).replace_extension());
    recording.signal = std::move(record.signal);
    recording.channels = std::move(record.channels);
    recording.frequency = record.frequency;
  } else if (ending == ".csv" || ending == ".tsv" || ending == ".txt") {
    read_table(recording, file, channels, label_column);
  } else {
    Data data = load_data({.x = file, .labels = false, .recording = true});
    if (!data.recording)
      throw DataError(fmt::format(
          "{}: expected one recording (time, channels), got {}. Samples (samples, time, channels) "
          "go to a .npy or .csv file, without --intervals.",
          file, to_string(data.x.shape())));
    recording.signal = data.x.reshaped(data.x.shape().without_front());
  }
  return read;
}

void label_files(sonde::Labeller& labeller, const std::vector<std::string>& files,
                 const LabelFilesOptions& o) {
  const Recipe& recipe = labeller.recipe();
  const bool folder = !o.out.empty() && !o.out.ends_with(".csv");
  const std::filesystem::path place = o.out;
  if (folder) {
    std::error_code error;
    std::filesystem::create_directories(place, error);
    if (error || !std::filesystem::is_directory(place, error))
      throw IoError(fmt::format("--out \"{}\" is no folder and cannot be made one.", o.out));
  }
  const std::vector<std::string> names = names_of(files);
  std::string table = "recording,onset,offset,label,probability\n";
  for (std::size_t i = 0; i < files.size(); ++i) {
    const RecordingFile read = read_recording(files[i], recipe.channels, o.label_column, o.rate);
    const LabelledRecording found = labeller.label(read.recording, o.predict);
    std::vector<EdfAnnotation> annotations;
    for (const FoundInterval& each : found.intervals) {
      annotations.push_back({in_seconds(each.begin, found.frequency),
                             in_seconds(each.steps(), found.frequency),
                             recipe.name_of(each.label)});
      table += fmt::format("{},{},{},{},{:.4f}\n", csv_cell(names[i]),
                           in_seconds(each.begin, found.frequency),
                           in_seconds(each.end, found.frequency),
                           csv_cell(recipe.name_of(each.label)), each.probability);
    }
    if (!folder) continue;
    save_npy(place / (names[i] + ".labels.npy"), as_array(found.labels));
    if (o.probabilities) save_npy(place / (names[i] + ".probabilities.npy"), found.probabilities);
    if (o.edf)
      save_edf_annotations(place / (names[i] + ".labels.edf"), read.start, std::move(annotations));
  }
  if (folder) write_text(place / "intervals.csv", table);
  else if (!o.out.empty()) write_text(place, table);
  else std::fwrite(table.data(), 1, table.size(), stdout);
}

}  // namespace sonde::cli
