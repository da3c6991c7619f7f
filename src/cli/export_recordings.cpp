#include "cli/export_recordings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/formats.hpp>
#include <sonde/splits.hpp>

#include "cli/csv_cell.hpp"
#include "cli/recordings.hpp"
#include "cli/run_directory.hpp"

namespace sonde::cli {
namespace {

namespace fs = std::filesystem;

/// The name is of captures or of a path below the folder of the recordings: it stays below this
/// one.
fs::path place_of(const Recording& recording, const fs::path& folder) {
  const fs::path name = recording.name + ".npz";
  if (name.is_absolute() || std::any_of(name.begin(), name.end(), [](const fs::path& part) {
        return part == ".." || part == ".";
      }))
    throw DataError(fmt::format("recording \"{}\" is no name for a file. Say name = \"{{…}}\".",
                                recording.name));
  return folder / name;
}

}  // namespace

Index export_recordings(const RecordingSet& set, const fs::path& folder,
                        std::optional<Index> ignored) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error))
    throw ArgumentError(
        fmt::format("\"{}\" is there and not empty. Choose another folder.", folder.string()));
  const RecordingFiles files = load_recording_files(set, ignored);
  for (const std::string& remark : files.remarks) fmt::print(stderr, "sonde: {}\n", remark);
  std::string list = "file,recording,group,frequency,steps,labelled_steps,channels\n";
  for (const Recording& each : files.recordings) {
    const fs::path place = place_of(each, folder);
    fs::create_directories(place.parent_path(), error);
    if (error)
      throw IoError(
          fmt::format("\"{}\" cannot be made: {}.", place.parent_path().string(), error.message()));
    if (fs::exists(place, error))
      throw DataError(
          fmt::format("recording \"{}\": \"{}\" is written already. Say name = \"{{…}}\".",
                      each.name, place.string()));
    save_npz(place, {{"signal", each.signal}, {"labels", each.labels}, {"weights", each.weights}});
    list += fmt::format(
        "{},{},{},{},{},{},{}\n", csv_cell(place.lexically_relative(folder).generic_string()),
        csv_cell(each.name), csv_cell(group_of(each)), each.frequency, each.signal.shape()[0],
        labelled_steps(each), csv_cell(fmt::format("{}", fmt::join(each.channels, ";"))));
  }
  write_text(folder / "recordings.csv", list);
  return static_cast<Index>(files.recordings.size());
}

}  // namespace sonde::cli
