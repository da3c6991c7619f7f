#pragma once
#include <sonde/model.hpp>
#include <string>

/// Loss, metrics and optimizer as Keras' compile_config and back.
namespace sonde::formats::keras {

/// What a model was compiled with, and the learning rate it has come to.
Value write_compile_config(const Model& model);

/// Whether some metrics exist only here: Keras is not told of them.
bool has_own_metrics(const CompileOptions& options);
/// All metrics, for our own reader.
Value write_metrics(const std::vector<MetricChoice>& metrics);
std::vector<MetricChoice> read_metrics(const Value& written, const Where& where);

/// `outputs` are the names of the layers that give the outputs. FormatError and ArgumentError begin
/// with `where`.
CompileOptions read_compile_config(const Value& config, const std::vector<std::string>& outputs,
                                   const Where& where);

}  // namespace sonde::formats::keras
