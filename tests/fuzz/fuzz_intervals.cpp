#include <fstream>

#include "formats/recordings/labels.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sonde::fuzz {

/// A table of intervals or a list in JSON, on a recording of 1000 steps; and a signal with a clock.
void fuzz_one(Bytes bytes) {
  const auto path = folder() / "marks.csv";
  std::ofstream(path, std::ios::binary) << text_of(bytes);
  RecordingSet set;
  set.classes = {"none", "a"};
  const FoundRecording found{
      .name = "r", .group = {}, .captures = {{"n", "1"}}, .signals = {path}, .labels = {path}};
  const formats::Grid grid{.start = 0,
                           .rate = 100,
                           .steps = 1000,
                           .native = 100,
                           .native_start = 0,
                           .native_steps = 1000,
                           .zero = 0};
  const bool is_json = text_of(bytes).starts_with('{');
  LabelFiles how{.kind = is_json ? LabelKind::events : LabelKind::intervals,
                 .column = is_json ? "" : "3",
                 .onset = is_json ? "" : "1",
                 .end = is_json ? "" : "2",
                 .match = {{"n", "4"}},
                 .key = "k",
                 .outside = Outside::clipped};
  for (const TimeUnit unit : {TimeUnit::samples, TimeUnit::seconds, TimeUnit::date}) {
    how.unit = unit;
    set.labels = {how};
    formats::Painter painter(grid, "r");
    try {
      formats::put_labels(set, 0, found, grid, painter);
    } catch (const Error&) {
    }
  }
  formats::read_tracks({.files = "marks.csv", .time = "1", .time_unit = TimeUnit::seconds}, path,
                       {}, "signals 1");
}

}  // namespace sonde::fuzz
