#include "formats/recordings/tracks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sonde/words.hpp>

#include "base/file.hpp"
#include "formats/csv.hpp"
#include "formats/csv_cells.hpp"
#include "formats/printable.hpp"

namespace sonde::formats {
namespace {

namespace fs = std::filesystem;

std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ending;
}

/// What stands in the first lines of a table.
struct TableHead {
  std::vector<std::string> names;  ///< empty without a header
  std::vector<bool> are_numbers;   ///< of the first row
};

TableHead head_of(std::string_view text, const CsvOptions& options, const std::string& where) {
  CsvLines lines(text, where);
  for (Index i = 0; i <= options.skip_lines; ++i)
    if (!lines.next()) throw DataError(fmt::format("{}: the table has no rows.", where));
  const char delimiter = options.delimiter != 0 ? options.delimiter : lines.delimiter(true);
  const DecimalSign sign = delimiter == ',' ? DecimalSign::point : DecimalSign::either;
  std::vector<std::string_view> cells;
  lines.cells(delimiter, cells);
  const bool named = options.header == CsvOptions::Header::present ||
                     (options.header == CsvOptions::Header::automatic &&
                      std::none_of(cells.begin(), cells.end(), [&](std::string_view cell) {
                        return number_of_cell(cell, sign).has_value();
                      }));
  TableHead head;
  if (named) {
    for (const std::string_view cell : cells) head.names.emplace_back(trimmed_cell(cell));
    if (!lines.next()) throw DataError(fmt::format("{}: the table has no rows.", where));
    lines.cells(delimiter, cells);
  }
  for (const std::string_view cell : cells)
    head.are_numbers.push_back(number_of_cell(cell, sign).has_value() || is_missing_cell(cell));
  return head;
}

/// Whether `column`, a name or a number from 1, means column number `i` of the table.
bool means(const std::string& column, const TableHead& head, std::size_t i) {
  if (i < head.names.size() && head.names[i] == column) return true;
  if (std::find(head.names.begin(), head.names.end(), column) != head.names.end()) return false;
  return column == fmt::format("{}", i + 1);
}

/// The numbers from 1 of columns of numbers that are neither clock nor labels.
std::vector<std::size_t> signals_among(const SignalFiles& how, const TableHead& head,
                                       const std::vector<std::string>& not_channels) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < head.are_numbers.size(); ++i) {
    const bool is_other = (!how.time.empty() && means(how.time, head, i)) ||
                          std::any_of(not_channels.begin(), not_channels.end(),
                                      [&](const auto& each) { return means(each, head, i); });
    if (head.are_numbers[i] && !is_other) columns.push_back(i + 1);
  }
  return columns;
}

std::vector<Track> tracks_of(const Array& values, const std::vector<std::string>& names,
                             double frequency) {
  const Index steps = values.shape()[0],
              channels = values.shape().rank() > 1 ? values.shape()[1] : 1;
  std::vector<Track> tracks;
  for (Index c = 0; c < channels; ++c) {
    Track& track = tracks.emplace_back();
    track.name = static_cast<std::size_t>(c) < names.size() ? names[static_cast<std::size_t>(c)]
                                                            : fmt::format("{}", c + 1);
    track.frequency = frequency;
    track.values.resize(static_cast<std::size_t>(steps));
    for (Index t = 0; t < steps; ++t)
      track.values[static_cast<std::size_t>(t)] = values.data()[t * channels + c];
  }
  return tracks;
}

/// The rows of a table at their places on the grid of its clock.
void put_on_clock(std::vector<Track>& tracks, const RowClock& clock) {
  for (Track& track : tracks) {
    std::vector<float> values(static_cast<std::size_t>(clock.length),
                              std::numeric_limits<float>::quiet_NaN());
    for (std::size_t row = 0; row < clock.steps.size(); ++row)
      if (clock.steps[row] >= 0)
        values[static_cast<std::size_t>(clock.steps[row])] = track.values[row];
    track.values = std::move(values);
    track.frequency = clock.frequency;
    track.start = clock.start;
  }
}

std::vector<Track> read_table_tracks(const SignalFiles& how, const fs::path& path,
                                     const std::vector<std::string>& not_channels,
                                     const std::string& where) {
  const std::string file = fmt::format("\"{}\"", path.string());
  const auto bytes = read_file(path);
  CsvOptions options = csv_options(how, where);
  const TableHead head = head_of(text_of(bytes), options, file);
  options.missing_as_nan = how.missing_as_nan;
  options.columns = how.columns;
  if (options.columns.empty())
    for (const std::size_t number : signals_among(how, head, not_channels))
      options.columns.push_back(fmt::format("{}", number));
  if (options.columns.empty())
    throw DataError(
        fmt::format("{}: {} has no column of numbers. Name them: columns = [\"…\"].", where, file));
  options.header = head.names.empty() ? CsvOptions::Header::absent : CsvOptions::Header::present;
  const Table table = read_csv(text_of(bytes), file, options);
  std::vector<std::string> names = table.columns;
  if (names.empty()) names = options.columns;
  auto tracks = tracks_of(table.values, names, how.frequency);
  if (const auto clock = read_clock(how, path, where)) put_on_clock(tracks, *clock);
  return tracks;
}

std::vector<Track> read_array_tracks(const SignalFiles& how, FileFormat format,
                                     const fs::path& path, const std::string& where) {
  Array array = read_array(format, path, how.array, where);
  const Index rank = array.shape().rank();
  if ((rank != 1 && rank != 2) || array.empty())
    throw DataError(fmt::format(
        "{}: \"{}\": one recording is (time, channels) or (time), got {}. Arrays of many samples "
        "are for sonde train --x.",
        where, path.string(), to_string(array.shape())));
  if (how.channels_first && rank == 2) {
    Array turned({array.shape()[1], array.shape()[0]});
    for (Index t = 0; t < turned.shape()[0]; ++t)
      for (Index c = 0; c < turned.shape()[1]; ++c) turned(t, c) = array(c, t);
    array = std::move(turned);
  }
  return tracks_of(array, {}, how.frequency);
}

std::vector<Track> read_edf_tracks(const fs::path& path, const std::string& where) {
  const EdfFile file = load_edf(path);
  if (file.channels.empty())
    throw DataError(fmt::format("{}: \"{}\" has no signals.", where, path.string()));
  std::vector<Track> tracks;
  for (const EdfChannel& channel : file.channels) {
    EdfFile alone;
    alone.stretches = file.stretches;
    alone.channels = {channel};
    const Array values = edf_signal(alone);  // pauses are NaN
    Track& track = tracks.emplace_back();
    track.name = channel.name;
    track.unit = channel.unit;
    track.frequency = channel.frequency;
    track.start = file.stretches.empty() ? 0 : file.stretches.front().onset;
    track.values.assign(values.values().begin(), values.values().end());
  }
  return tracks;
}

std::vector<Track> read_wfdb_tracks(const fs::path& path) {
  std::vector<Track> tracks;
  for (const WfdbSignal& signal : load_wfdb_signals(fs::path(path).replace_extension())) {
    Track& track = tracks.emplace_back();
    track.name = signal.name;
    track.unit = signal.unit;
    track.frequency = signal.frequency;
    track.values.assign(signal.values.values().begin(), signal.values.values().end());
  }
  return tracks;
}

/// The tracks that `columns` names or counts, in that order.
std::vector<Track> selected(std::vector<Track> tracks, const std::vector<std::string>& columns,
                            const std::string& where) {
  if (columns.empty()) return tracks;
  std::vector<std::string_view> names;
  for (const Track& each : tracks) names.push_back(each.name);
  std::vector<Track> result;
  for (const std::string& column : columns) {
    auto found = std::find(names.begin(), names.end(), column);
    if (found != names.end() && std::find(found + 1, names.end(), column) != names.end())
      throw DataError(
          fmt::format("{}: two channels are called \"{}\". Select them by number, from "
                      "1.",
                      where, printable(column)));
    std::size_t number = static_cast<std::size_t>(found - names.begin()) + 1;
    if (found == names.end()) {
      const char* end = column.data() + column.size();
      const auto [at, error] = std::from_chars(column.data(), end, number);
      if (error != std::errc() || at != end || number < 1 || number > tracks.size())
        throw DataError(fmt::format("{}: there is no channel \"{}\".{} There are: {}.", where,
                                    printable(column), printable(did_you_mean(column, names)),
                                    fmt::join(names, ", ")));
    }
    result.push_back(tracks[number - 1]);
  }
  return result;
}

}  // namespace

std::string signals_name(std::size_t entry) { return fmt::format("signals {}", entry + 1); }
std::string labels_name(std::size_t entry) { return fmt::format("labels {}", entry + 1); }

FileFormat format_of(const fs::path& path, FileFormat format, const std::string& where) {
  if (format != FileFormat::automatic) return format;
  static const std::map<std::string, FileFormat> endings = {
      {".csv", FileFormat::csv},   {".tsv", FileFormat::csv}, {".txt", FileFormat::csv},
      {".npy", FileFormat::npy},   {".npz", FileFormat::npz}, {".h5", FileFormat::hdf5},
      {".hdf5", FileFormat::hdf5}, {".edf", FileFormat::edf}, {".bdf", FileFormat::edf},
      {".hea", FileFormat::wfdb},  {".mat", FileFormat::mat}};
  const auto found = endings.find(ending_of(path));
  if (found == endings.end())
    throw ArgumentError(
        fmt::format("{}: the name of \"{}\" does not say its format. Say it: format = \"csv\".",
                    where, path.string()));
  return found->second;
}

std::map<Index, std::string> usual_channels(const SignalFiles& how, const fs::path& path,
                                            const std::vector<std::string>& not_channels,
                                            const std::string& where) {
  std::map<Index, std::string> channels;
  if (!how.columns.empty() || format_of(path, how.format, where) != FileFormat::csv)
    return channels;
  const auto bytes = read_file(path);
  const TableHead head =
      head_of(text_of(bytes), csv_options(how, where), fmt::format("\"{}\"", path.string()));
  if (head.names.empty()) return channels;
  for (const std::size_t number : signals_among(how, head, not_channels))
    channels[static_cast<Index>(number)] = head.names[number - 1];
  return channels;
}

Array read_array(FileFormat format, const fs::path& path, const std::string& array,
                 const std::string& where) {
  const auto only = [&](const std::vector<std::string>& names) {
    if (!array.empty()) return array;
    if (names.size() == 1) return names[0];
    throw DataError(
        fmt::format("{}: \"{}\" holds {} arrays. Say which one: array = \"…\", one of {}.", where,
                    path.string(), names.size(), fmt::join(names, ", ")));
  };
  switch (format) {
    case FileFormat::npy:
      return load_npy(path);
    case FileFormat::npz: {
      if (!array.empty()) return load_npz(path, array);
      NamedArrays all = load_npz(path);
      std::vector<std::string> names;
      for (const auto& each : all) names.push_back(each.first);
      return std::move(all.at(only(names)));
    }
    case FileFormat::hdf5:
      return load_hdf5(path, array.empty() ? only(hdf5_datasets(path)) : array);
    case FileFormat::mat:
      return load_mat(path, array);
    default:
      throw ArgumentError(fmt::format("{}: \"{}\" is no file of arrays.", where, path.string()));
  }
}

std::vector<Track> read_tracks(const SignalFiles& how, const fs::path& path,
                               const std::vector<std::string>& not_channels,
                               const std::string& where) {
  const FileFormat format = format_of(path, how.format, where);
  const std::string place = fmt::format("{}: \"{}\"", where, path.string());
  if (!how.time.empty() && format != FileFormat::csv)
    throw ArgumentError(fmt::format("{}: time names a column of a table; this is none.", place));
  std::vector<Track> tracks =
      format == FileFormat::csv   ? read_table_tracks(how, path, not_channels, where)
      : format == FileFormat::edf ? selected(read_edf_tracks(path, where), how.columns, place)
      : format == FileFormat::wfdb
          ? selected(read_wfdb_tracks(path), how.columns, place)
          : selected(read_array_tracks(how, format, path, where), how.columns, place);
  for (const auto* list : {&how.names, &how.units})
    if (!list->empty() && list->size() != tracks.size())
      throw DataError(fmt::format("{} gives {} channels, but there are {} {}.", place,
                                  tracks.size(), list->size(),
                                  list == &how.names ? "names" : "units"));
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    Track& track = tracks[i];
    track.name = how.prefix + (how.names.empty() ? track.name : how.names[i]);
    if (!how.units.empty()) track.unit = how.units[i];
    if (how.frequency > 0 && track.frequency != how.frequency)
      throw DataError(
          fmt::format("{}: channel \"{}\" has {} values per second, but frequency says "
                      "{}. Leave frequency out: this format knows.",
                      place, printable(track.name), rate_text(track.frequency, how.frequency),
                      rate_text(how.frequency, track.frequency)));
    if (!(track.frequency > 0))
      throw ArgumentError(fmt::format(
          "{} does not say how many rows a second has. Say it: frequency = 100.", place));
    fill_gaps(track, how.longest_gap);
  }
  return tracks;
}

Track resampled(const Track& track, double rate) {
  Track result = track;
  if (track.frequency == rate) return result;
  const auto steps = static_cast<Index>(track.values.size());
  const Array values = resample(Array({steps, 1}, track.values), track.frequency, rate);
  result.frequency = rate;
  result.values.assign(values.values().begin(), values.values().end());
  return result;
}

}  // namespace sonde::formats
