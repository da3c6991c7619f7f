#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <sonde/model.hpp>
#include <sonde/value.hpp>
#include <string>
#include <string_view>
#include <vector>

/// Models as files of Keras 3 (.keras), both ways: real Keras opens what is written here, and what
/// it writes is read here. Model::save and Model::load are the short forms. Weights alone go both
/// ways too (.weights.h5); whole models of Keras 2 and 3 in .h5 files, and architectures in JSON,
/// are read. docs/keras.md says which versions and what is refused.
///
///   save_model(model, "model.keras", extra);
///   LoadedModel loaded = load_model("model.keras");
///
/// A file from a stranger is safe to open: it is read from memory, nothing in it is executed,
/// imported or extracted, no other file is opened, and nothing is allocated that it only claims.
/// Whatever is not understood is refused by name, never skipped.
namespace sonde {

/// What a model file may make this process do.
struct LoadLimits {
  std::uint64_t file = std::uint64_t{4} << 30;     ///< bytes of the file, and of its members
  std::uint64_t weights = std::uint64_t{4} << 30;  ///< bytes of all weights
  std::size_t json = std::size_t{64} << 20;        ///< bytes of config.json
  int json_depth = 64;
  std::size_t members = 10'000;
  std::uint64_t expansion = 100;  ///< of a packed member
  std::size_t layers = 10'000;
};

struct LoadOptions {
  /// With false, loss, metrics, optimizer and its state are not looked at: for prediction only.
  bool compile = true;
  /// Metrics that are not known here, or do not fit the model, are left out rather than refused.
  bool leave_out_metrics = false;
  LoadLimits limits = {};
};

struct LoadedModel {
  Model model;
  Value extra;  ///< what save_model was given; null for files of real Keras
  std::vector<std::string> left_out = {};  ///< metrics, by leave_out_metrics
};

/// Writes architecture, weights, and, once compiled, loss, metrics, optimizer and its state. The
/// same model gives the same bytes. `extra` is anything that shall come back with the model: how
/// data was normalized, names of classes; real Keras ignores it. A file that exists is replaced at
/// once or not at all. `path` ends in .keras; to a name ending in .json goes model_to_json(), the
/// architecture alone. Throws ArgumentError, IoError; DivergedError when a weight is NaN or
/// infinite.
void save_model(const Model& model, const std::filesystem::path& path, const Value& extra = {});

/// Reads a .keras file, or a whole model in an .h5 file; or, from a name ending in .json, the
/// architecture that Keras' model.to_json() describes, with weights drawn anew. Throws FormatError
/// for damaged, foreign and hostile files, LimitError, IoError.
LoadedModel load_model(const std::filesystem::path& path, LoadOptions options = {});

/// The architecture as JSON. Keras: model.to_json().
std::string model_to_json(const Model& model);
/// A model of that architecture, with weights drawn anew. Keras: model_from_json().
Model model_from_json(std::string_view json, LoadOptions options = {});

/// Writes the weights, and, once compiled, the optimizer's state. `path` ends in .weights.h5.
/// Throws ArgumentError, IoError; DivergedError when a weight is NaN or infinite.
void save_weights(const Model& model, const std::filesystem::path& path);
/// Replaces the model's weights with those of a file that holds the same layers: .weights.h5, .h5
/// of Keras 2 or 3 (by the order of layers), or .keras. The optimizer is left as it is. Throws
/// FormatError, LimitError, IoError, and then the weights are what they were.
void load_weights(Model& model, const std::filesystem::path& path, LoadOptions options = {});

}  // namespace sonde
