#include "formats/recordings/labels.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace sonde::formats {
namespace {

namespace fs = std::filesystem;

constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

/// The texts of a column of labels with their lines, or the numbers of an array.
std::vector<float> read_rows(const RecordingSet& set, const LabelFiles& how, const fs::path& path,
                             const std::string& where) {
  ClassReader classes(set, how, where);
  const FileFormat format = format_of(path, how.format, where);
  std::vector<float> rows;
  const auto add = [&](std::string_view text, Index line) {
    const auto meaning = classes.read(text, [&] {
      return line > 0 ? fmt::format("\"{}\", line {}", path.string(), line)
                      : fmt::format("\"{}\", step {}", path.string(), rows.size());
    });
    rows.push_back(meaning.number);  // NaN: unlabelled or ignored
  };
  if (format == FileFormat::csv) {
    CsvOptions options = csv_options(how, where);
    if (!how.column.empty()) options.columns = {how.column};
    const auto is_label = [&](const std::vector<std::string>& cells) {
      return cells.size() != 1 || classes.knows(cells[0]);
    };
    const TextTable table =
        how.files.empty() ? load_text_table(path, options) : load_rows(path, options, is_label);
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      if (table.rows[i].size() != 1)
        throw ArgumentError(
            fmt::format("{}: \"{}\" has {} columns. Say which holds the labels: "
                        "column = \"…\".",
                        where, path.string(), table.rows[i].size()));
      add(table.rows[i][0], table.first_line + static_cast<Index>(i));
    }
    return rows;
  }
  if (format == FileFormat::edf || format == FileFormat::wfdb)
    throw ArgumentError(
        fmt::format("{}: \"{}\" has marks, no label for each step: kind = \"annotations\".", where,
                    path.string()));
  const Array array = read_array(format, path, how.array, where);
  const Shape& shape = array.shape();
  if (shape.rank() != 1 && !(shape.rank() == 2 && (shape[1] == 1 || shape[0] == 1)))
    throw DataError(fmt::format("{}: \"{}\": labels must be (time) or (time, 1), got {}.", where,
                                path.string(), to_string(shape)));
  for (const float label : array.values())
    add(std::isnan(label) ? "nan" : fmt::format("{}", label), 0);
  return rows;
}

/// A label for each row of the signal's own table, on its clock if it has one.
void put_own_rows(const SignalFiles& signals, const fs::path& path, std::vector<float> rows,
                  const LabelFiles& how, const Grid& grid, Painter& painter) {
  const auto clock = read_clock(signals, path, signals_name(0));
  if (clock) {
    std::vector<float> on_grid(static_cast<std::size_t>(clock->length), unknown);
    Index before = -1;
    for (std::size_t row = 0; row < rows.size() && row < clock->steps.size(); ++row) {
      const Index step = clock->steps[row];
      if (step < 0) continue;
      // Lost steps between two rows of one label have it too, where their signal is filled in.
      const auto lost = static_cast<double>(step - before - 1);
      const bool is_bridged = before >= 0 &&
                              lost <= signals.longest_gap * clock->frequency * (1 + 1e-9) &&
                              on_grid[static_cast<std::size_t>(before)] == rows[row];
      for (Index j = is_bridged ? before + 1 : step; j <= step; ++j)
        on_grid[static_cast<std::size_t>(j)] = rows[row];
      before = step;
    }
    rows = std::move(on_grid);
  }
  painter.paint_rows(
      rows,
      [&](double time) {
        return static_cast<Index>(std::floor((time - grid.native_start) * grid.native + 0.5));
      },
      how, fmt::format("\"{}\"", path.string()));
}

void put_rows(const RecordingSet& set, const LabelFiles& how, const fs::path& path,
              const Grid& grid, Painter& painter, const std::string& where) {
  std::vector<float> rows = read_rows(set, how, path, where);
  const auto count = static_cast<double>(rows.size());
  const std::string file = fmt::format("\"{}\"", path.string());
  const double seconds = static_cast<double>(grid.native_steps) / grid.native;
  if (how.kind == LabelKind::steps && how.files.empty())
    return put_own_rows(set.signals[0], path, std::move(rows), how, grid, painter);
  const bool is_windows = how.kind == LabelKind::windows;
  if (is_windows && !(how.window > 0))
    throw ArgumentError(where + ": windows need their length in seconds: window = 30.");
  const double rate = is_windows ? 1 / how.window : how.frequency > 0 ? how.frequency : grid.native;
  const double expected = seconds * rate;
  const bool fits = is_windows || rate != grid.native
                        ? count > expected - 1 - 1e-6 && count < expected + 1 + 1e-6
                        : rows.size() == static_cast<std::size_t>(grid.native_steps);
  if (!fits)
    throw DataError(fmt::format(
        "{}: {} holds {} labels, but the signal lasts {:.9g} s: expected {:.9g} at {:.6g} a "
        "second. "
        "Check {}.",
        where, file, rows.size(), seconds, expected, rate, is_windows ? "window" : "frequency"));
  painter.paint_rows(
      rows,
      [&](double time) {
        const double place = (time - grid.native_start) * rate;
        return static_cast<Index>(std::floor(is_windows ? place + 1e-9 : place + 0.5));
      },
      how, file);
}

/// The waves around the marks of a WFDB annotator, by the rules of label_waves.
void put_waves(const RecordingSet& set, const LabelFiles& how, const fs::path& path,
               const Grid& grid, Painter& painter, const std::string& where) {
  constexpr auto names = enum_names(Wave{});
  std::vector<float> numbers;
  for (const std::string_view name : names) {
    const auto mapped = how.map.find(std::string(name));
    const auto number =
        set.classes.empty()
            ? std::optional<float>(static_cast<float>(numbers.size()))
            : class_number(set, mapped == how.map.end() ? name : std::string_view(mapped->second));
    if (!number)
      throw ArgumentError(fmt::format(
          "{}: waves are none, P, QRS and T, but there is no class \"{}\". classes = [\"none\", "
          "\"P\", \"QRS\", \"T\"], or map = {{{} = \"…\"}}.",
          where, name, name));
    numbers.push_back(*number);
  }
  const std::string ending = path.extension().string();
  const auto marks = load_wfdb_annotations(fs::path(path).replace_extension(),
                                           ending.empty() ? "" : ending.substr(1));
  WaveLabels waves;
  try {
    waves = label_waves(marks, grid.native_steps, grid.native,
                        {.longest_gap = how.longest_beat_gap, .margin = how.margin});
  } catch (const DataError& error) {
    throw DataError(fmt::format("\"{}\": {}", path.string(), error.what()));
  }
  std::vector<float> rows(static_cast<std::size_t>(grid.native_steps), unknown);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (waves.weights.data()[i] != 0)
      rows[i] = numbers[static_cast<std::size_t>(waves.labels.data()[i])];
  painter.paint_rows(
      rows,
      [&](double time) {
        return static_cast<Index>(std::floor((time - grid.native_start) * grid.native + 0.5));
      },
      how, fmt::format("\"{}\"", path.string()));
}

}  // namespace

void put_labels(const RecordingSet& set, std::size_t entry, const FoundRecording& found,
                const Grid& grid, Painter& painter) {
  const LabelFiles& how = set.labels[entry];
  const fs::path& path = found.labels[entry];
  const std::string where = labels_name(entry);
  switch (how.kind) {
    case LabelKind::steps:
    case LabelKind::windows:
      return put_rows(set, how, path, grid, painter, where);
    case LabelKind::waves:
      return put_waves(set, how, path, grid, painter, where);
    default:
      break;
  }
  ClassReader classes(set, how, where);
  for (const Interval& each : read_intervals(how, found, path, grid, classes, where))
    painter.paint(each, how);
}

}  // namespace sonde::formats
