#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sonde/array.hpp>
#include <sonde/calibration.hpp>
#include <sonde/events.hpp>
#include <sonde/scores.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a supervisor wants to see of a trained network: one HTML file that needs nothing else, the
/// same figures as SVG and CSV, and files for TensorBoard.
namespace sonde {

/// What fit saw: History's epoch and history.
struct LearningCurves {
  std::vector<Index> epoch = {};
  std::map<std::string, std::vector<double>> history = {};  ///< "loss", "val_loss", …
  std::optional<Index> best_epoch = {};                     ///< whose weights were kept
};

// --- curves of one class against the others ------------------------------------------------------

/// Steps count as the class where its probability is at least `threshold`.
struct CurvePoint {
  double threshold = 0;
  double recall = 0;  ///< of the steps with the class, the part found: the true positive rate
  double false_positive_rate = 0;
  double precision = 0;  ///< 1 where nothing is found
  bool operator==(const CurvePoint&) const = default;
};

struct ClassCurve {
  Index positives = 0;  ///< steps that have the class
  Index negatives = 0;
  double auc = 0;                ///< area under the ROC curve; NaN without both kinds of steps
  double average_precision = 0;  ///< Σ precision · growth of recall; NaN without positives
  std::vector<CurvePoint> points =
      {};  ///< from the strictest threshold (infinite) to the least strict
};

/// The curve of every class over all different probabilities; the areas are exact, the points are
/// thinned until neighbours lie at least 1 / `points` apart in recall, false positive rate or
/// precision. probabilities: (…, classes), or (…, 1) for the probability of class 1 of two; labels:
/// a class number for each step; steps of weight 0 count nowhere. DataError where sizes or labels
/// do not fit.
std::vector<ClassCurve> class_curves(std::span<const float> probabilities,
                                     std::span<const float> labels, std::span<const float> weights,
                                     Index classes, Index points = 400);

// --- what the report says about people, recordings, files ----------------------------------------

/// A score of each group (person, session, recording) and of all together.
struct GroupScores {
  struct Group {
    std::string name = {};
    double score = 0;
    Index steps = 0;  ///< that were judged
  };
  std::string score = "macro F1";  ///< what is scored, between 0 and 1
  double overall = 0;
  std::optional<ConfidenceInterval> interval = {};  ///< of `overall`, were other groups drawn
  std::vector<Group> groups = {};
};

struct ReportedRecording {
  std::string name = {};
  std::string group = {};
  double score = 0;
  Index steps = 0;
  std::string comment = {};  ///< "38 % of P taken for none"
};

/// Events found, by one rule.
struct EventScores {
  EventRule rule = {};
  std::vector<std::pair<std::string, EventScore>> rows = {};  ///< class name → score
};

/// Onsets and offsets found, within a tolerance.
struct BoundaryScores {
  double tolerance = 0;  ///< seconds
  struct Row {
    std::string name = {};
    BoundaryScore onset = {}, offset = {};
  };
  std::vector<Row> rows = {};
};

struct DataFile {
  std::string role = {};  ///< "training data"
  std::string path = {};
  std::uint64_t bytes = 0;
  std::string sha256 = {};
};

/// Training, validation or test part: who is in it.
struct DataPart {
  std::string name = {};
  std::vector<std::string> groups = {};
  Index recordings = 0;
  Index labelled_steps = 0;
  double seconds = 0;
};

/// One recording in the viewer. Labels, predictions and probabilities may be absent (empty).
struct ViewedRecording {
  std::string name = {};
  double frequency = 1;  ///< steps per second; 0: unknown, time is counted in steps
  std::vector<std::string> channels = {};
  Array signal = {};                  ///< (time, channels); NaN leaves a gap
  std::vector<Index> labels = {};     ///< a class for each step
  std::vector<float> weights = {};    ///< 0 where the label is unknown; empty: all known
  std::vector<Index> predicted = {};  ///< a class for each step
  Array probabilities = {};           ///< (time, classes) or (time, 1)
};

// --- the report ----------------------------------------------------------------------------------

/// Everything that is shown. What is left empty has no place on the page.
///   Report report;
///   report.title = "P waves at night";
///   report.classes = {"none", "P", "QRS", "T"};
///   report.scores = judge.scores();
///   write_report("report.html", report);
struct Report {
  std::string title = "Sonde report";
  std::string subtitle = {};
  std::vector<std::string> classes = {};  ///< names; class 0 is drawn as background

  LearningCurves learning = {};
  std::optional<StepScores> scores = {};
  std::vector<ClassCurve> curves = {};  ///< one for each class
  std::vector<double> thresholds =
      {};  ///< for each class, NaN where none was chosen; empty: the most likely class
  std::optional<CalibrationScores> calibration = {};
  std::optional<double> temperature = {};
  GroupScores groups = {};
  std::vector<ReportedRecording> recordings = {};  ///< in any order; the worst are shown
  std::vector<EventScores> events = {};
  std::vector<BoundaryScores> boundaries = {};

  std::string model_summary = {};  ///< Model::summary_text()
  std::string model_graph = {};    ///< a picture: the text of an SVG file
  std::vector<DataFile> files = {};
  std::vector<DataPart> parts = {};
  std::vector<std::pair<std::string, std::string>> provenance = {};  ///< "seed" → "7", in order

  std::vector<ViewedRecording> recordings_to_view = {};
  /// The viewer's signals take at most about this much of the page: above it, the finest level of
  /// probabilities goes first, then that of signals. The page says so.
  std::uint64_t most_viewer_bytes = std::uint64_t{64} << 20;
};

/// One HTML file that opens from a disk without any network: no request leaves it, and no text of
/// the report can become code. The same report gives the same bytes. DataError where its parts do
/// not fit each other.
std::string report_html(const Report& report);
/// report_html into a file. IoError.
void write_report(const std::filesystem::path& path, const Report& report);

/// Each figure of the report as NAME.svg and NAME.csv in `folder`, which is made. The names
/// written, without ending. DataError, IoError.
std::vector<std::string> write_figures(const std::filesystem::path& folder, const Report& report);

// --- TensorBoard ---------------------------------------------------------------------------------

/// Appends scalars to an event file that TensorBoard reads, for `tensorboard --logdir FOLDER`.
///   TensorBoardWriter board("runs/7");
///   board.scalar("epoch_loss", 0, 0.71);
class TensorBoardWriter {
 public:
  /// Makes the folder and a new file events.out.tfevents.SECONDS.sonde in it; `wall_time`, seconds
  /// since 1970, is that of the file and is now when absent. IoError.
  explicit TensorBoardWriter(const std::filesystem::path& folder,
                             std::optional<double> wall_time = {});

  const std::filesystem::path& path() const { return path_; }
  /// NaN and infinity are written as they are. IoError, also for a full disk.
  void scalar(std::string_view tag, Index step, double value, std::optional<double> wall_time = {});

 private:
  void record(const std::string& event);

  std::filesystem::path path_;
  std::ofstream file_;
};

/// All curves as scalars "epoch_NAME", those of validation ("val_NAME") in the folder `validation`
/// beside those of training in `train`, as Keras' TensorBoard callback lays them.
void write_tensorboard(const std::filesystem::path& folder, const LearningCurves& curves,
                       std::optional<double> wall_time = {});

}  // namespace sonde
