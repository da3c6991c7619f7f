#include "cli/label_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>

#include "cli/csv_cell.hpp"
#include "cli/data.hpp"
#include "cli/model_file.hpp"
#include "cli/run_directory.hpp"
#include "cli/table.hpp"

namespace sonde::cli {
namespace {

std::string ending_of(const std::string& file) {
  std::string ending = std::filesystem::path(file_of(file)).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

void read_table(Recording& recording, const std::string& file,
                const std::vector<std::string>& channels, const std::string& label_column) {
  Data data;
  load_table_into(
      data, {.x = file, .label_column = label_column, .channels = channels, .labels = false}, true);
  recording.channels = std::move(data.columns);
  recording.signal = std::move(data.x);
}

/// Seconds with microseconds, without digits that say nothing.
double in_seconds(Index step, double frequency) {
  return std::round(static_cast<double>(step) / frequency * 1e6) / 1e6;
}

/// `name`, numbered where it is taken already.
std::string numbered(const std::string& name, std::set<std::string>& taken) {
  std::string free = name;
  for (int i = 2; !taken.insert(free).second; ++i) free = fmt::format("{}-{}", name, i);
  return free;
}

/// A name for each file that is a file name and comes once: its stem, numbered where it must be.
std::vector<std::string> names_of(const std::vector<std::string>& files) {
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (const std::string& file : files)
    names.push_back(numbered(std::filesystem::path(file_of(file)).stem().string(), taken));
  return names;
}

/// "night/C3/A2" as a name of a file that no other recording has.
std::string file_stem(std::string name, std::set<std::string>& taken) {
  std::replace(name.begin(), name.end(), '/', '-');
  return numbered(name, taken);
}

Array as_array(const std::vector<Index>& labels) {
  Array array({static_cast<Index>(labels.size())});
  std::copy(labels.begin(), labels.end(), array.data());
  return array;
}

}  // namespace

bool is_recording_file(const std::string& file) {
  const std::string ending = ending_of(file);
  return ending == ".edf" || ending == ".bdf" || ending == ".hea";
}

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
    Data data = load_data({.x = file, .labels = false, .recording = true, .gaps = true});
    if (!data.recording)
      throw DataError(fmt::format(
          "{}: expected one recording (time, channels), got {}. Samples (samples, time, channels) "
          "go to a .npy or .csv file, without --intervals.",
          file, to_string(data.x.shape())));
    recording.signal = data.x.reshaped(data.x.shape().without_front());
  }
  return read;
}

bool takes_apart(const Recipe& recipe, const Recording& recording) {
  return recipe.each_channel && !recipe.combine_channels && recording.signal.shape()[1] > 1;
}

void say_what_is_taken(const std::string& file, const Recording& recording, const Recipe& recipe) {
  if (recipe.frequency > 0 && !(recording.frequency > 0))
    fmt::print(stderr,
               "sonde: {} does not say its rate: {:g} steps per second are taken, as the model has "
               "learned. --rate HZ says another.\n",
               file, recipe.frequency);
  if (recipe.combine_channels && recording.signal.shape()[1] > 1)
    fmt::print(
        stderr,
        "sonde: {} gets one labelling of its {} channels: {}. --each-channel: each its own.\n",
        file, recording.signal.shape()[1], fmt::join(recording.channels, ", "));
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
  std::set<std::string> taken;
  const auto label = [&](const Recording& recording, const std::string& name,
                         const std::string& start) {
    const LabelledRecording found = labeller.label(recording, o.predict);
    std::vector<EdfAnnotation> annotations;
    for (const FoundInterval& each : found.intervals) {
      annotations.push_back({in_seconds(each.begin, found.frequency),
                             in_seconds(each.steps(), found.frequency),
                             recipe.name_of(each.label)});
      table += fmt::format("{},{},{},{},{:.4f}\n", csv_cell(name),
                           in_seconds(each.begin, found.frequency),
                           in_seconds(each.end, found.frequency),
                           csv_cell(recipe.name_of(each.label)), each.probability);
    }
    if (!folder) return;
    const std::string stem = file_stem(name, taken);
    save_npy(place / (stem + ".labels.npy"), as_array(found.labels));
    if (o.probabilities) save_npy(place / (stem + ".probabilities.npy"), found.probabilities);
    if (o.edf) save_edf_annotations(place / (stem + ".labels.edf"), start, std::move(annotations));
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    const RecordingFile read = read_recording(files[i], recipe.channels, o.label_column, o.rate);
    const Recording& recording = read.recording;
    say_what_is_taken(files[i], recording, recipe);
    if (takes_apart(recipe, recording)) {
      for (Index c = 0; c < recording.signal.shape()[1]; ++c) {
        const Recording one = channel_of(recording, c);
        label(one, names[i] + one.name.substr(recording.name.size()), read.start);
      }
      continue;
    }
    if (!recipe.combine_channels)
      check_columns(files[i], recording.signal.shape()[1], recording.channels,
                    channels_of(labeller.model()));
    label(recording, names[i], read.start);
  }
  if (folder) write_text(place / "intervals.csv", table);
  else if (!o.out.empty()) write_text(place, table);
  else std::fwrite(table.data(), 1, table.size(), stdout);
}

}  // namespace sonde::cli
