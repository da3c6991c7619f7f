#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/keras.hpp>
#include "base/file.hpp"

#include "formats/hdf5.hpp"
#include "formats/json.hpp"
#include "formats/keras/classes.hpp"
#include "formats/keras/compile_config.hpp"
#include "formats/keras/graph_config.hpp"
#include "formats/keras/weights_file.hpp"
#include "formats/zip.hpp"

namespace sonde {
namespace {

using namespace formats;

constexpr std::string_view config_member = "config.json";
constexpr std::string_view metadata_member = "metadata.json";
constexpr std::string_view weights_member = "model.weights.h5";

/// The release whose files these are, and whose meaning they have.
constexpr std::string_view keras_version = "3.15.1";
/// Keras notes here when a file was saved. The same model shall give the same bytes whenever it is
/// saved, so this is a constant: the earliest time that the zip around it can say.
constexpr std::string_view date_saved = "1980-01-01@00:00:00";

/// Our own part of metadata.json, which Keras does not read. Another member of the archive would
/// make Keras unpack the whole archive into a folder to look for assets.
constexpr std::string_view own_key = "sonde";

std::string quoted(const std::filesystem::path& path) {
  return fmt::format("\"{}\"", path.string());
}

bool ends_in(const std::filesystem::path& path, std::string_view extension) {
  return path.extension() == extension;
}

Value write_config(const Model& model) {
  Value::Dict config = keras::write_graph(model.graph(), model.name());
  config.emplace_back("compile_config", keras::write_compile_config(model));
  return config;
}

Value write_metadata(const Model& model, const Value& extra) {
  Value::Dict own;
  if (model.seed() != 0) own.emplace_back("seed", static_cast<std::int64_t>(model.seed()));
  if (const CompileOptions* options = model.compiled();
      options && keras::has_own_metrics(*options)) {
    own.emplace_back("metrics", keras::write_metrics(options->metrics));
    own.emplace_back("weighted_metrics", keras::write_metrics(options->weighted_metrics));
  }
  if (!extra.is_null()) own.emplace_back("extra", extra);
  Value::Dict metadata = {{"keras_version", Value(keras_version)},
                          {"date_saved", Value(date_saved)}};
  if (!own.empty()) metadata.emplace_back(own_key, std::move(own));
  return metadata;
}

/// What metadata.json says; all of it may be missing.
struct Metadata {
  int keras_major = 3;
  std::uint64_t seed = 0;
  const Value* own = nullptr;
};

Metadata read_metadata(const Value& written, const std::string& where) {
  Metadata metadata;
  if (const Value* version = written.find("keras_version")) {
    const auto* text = version->as<std::string>();
    if (!text || text->size() < 2 || (*text)[1] != '.' || (*text)[0] < '2' || (*text)[0] > '3')
      throw FormatError(fmt::format("{}: keras_version is {}, expected 2.x or 3.x.", where,
                                    to_string(*version).substr(0, 100)));
    metadata.keras_major = (*text)[0] - '0';
  }
  metadata.own = written.find(own_key);
  if (const Value* seed = metadata.own ? metadata.own->find("seed") : nullptr) {
    const auto* number = seed->as<std::int64_t>();
    if (!number) throw FormatError(where + ": the seed must be a whole number.");
    metadata.seed = static_cast<std::uint64_t>(*number);
  }
  return metadata;
}

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& source : graph.outputs())
    names.push_back(graph.layer(graph.calls()[static_cast<std::size_t>(source.call)]).name);
  return names;
}

/// Compiles as the file says; without a compile_config leaves the model as it is.
void compile(Model& model, const Value& config, const Value* own, const std::string& where) {
  const Value* written = config.find("compile_config");
  const auto* dict = written ? written->as<Value::Dict>() : nullptr;
  if (!dict || dict->empty()) return;
  const std::string here = where + ": compile_config";
  constexpr std::string_view mend = " Load with compile = false if you only want to predict.";
  try {
    CompileOptions options =
        keras::read_compile_config(*written, output_names(model.graph()), here);
    const Value* metrics = own ? own->find("metrics") : nullptr;
    const Value* weighted = own ? own->find("weighted_metrics") : nullptr;
    if (metrics) options.metrics = keras::read_metrics(*metrics, here + ": metrics");
    if (weighted)
      options.weighted_metrics = keras::read_metrics(*weighted, here + ": weighted_metrics");
    keras::as_format_error(here + ": ", [&] { model.compile(std::move(options)); });
  } catch (const ArgumentError& error) {
    throw FormatError(fmt::format("{}{}", error.what(), mend));
  } catch (const FormatError& error) {
    throw FormatError(fmt::format("{}{}", error.what(), mend));
  }
}

/// Members that a model may have; what else is there could mean anything.
void check_members(const ZipReader& zip, const std::string& where) {
  for (const std::string& name : zip.names()) {
    if (name == config_member || name == metadata_member || name == weights_member) continue;
    if (name == "model.weights.npz" || name.ends_with(".weights.json"))
      throw FormatError(
          fmt::format("{}: weights in \"{}\" are not supported. Save the model in Keras "
                      "with weights_format = \"h5\" and without sharding.",
                      where, name));
    throw FormatError(
        fmt::format("{}: holds \"{}\", which is no part of a model without lookup "
                    "layers.",
                    where, name));
  }
  for (const std::string_view name : {config_member, weights_member})
    if (!zip.has(name))
      throw FormatError(
          fmt::format("{}: there is no member \"{}\": not a .keras file of a model.", where, name));
}

/// The graph of a file in which everything leads to an output.
Graph checked_graph(const keras::ReadGraph& read, const std::string& where) {
  Graph graph =
      keras::as_format_error(where + ": ", [&] { return Graph(read.inputs, read.outputs); });
  if (graph.layers().size() != read.layers || graph.calls().size() != read.calls)
    throw FormatError(
        fmt::format("{}: {} layers are called {} times, but only {} and {} of them lead "
                    "to an output.",
                    where, read.layers, read.calls, graph.layers().size(), graph.calls().size()));
  return graph;
}

LoadedModel load_json(const std::filesystem::path& path, const LoadOptions& options) {
  const std::string where = quoted(path);
  const JsonLimits limits{.bytes = options.limits.json, .depth = options.limits.json_depth};
  const std::vector<std::byte> bytes = read_file(path, options.limits.json);
  const Value config = parse_json(text_of(bytes), where, limits);
  const keras::ReadGraph read =
      keras::read_graph(config, 3, where, {.layers = options.limits.layers});
  keras::check_weights(checked_graph(read, where), options.limits.weights, where);
  LoadedModel loaded{Model(read.inputs, read.outputs, {.name = read.name}), {}};
  if (options.compile) compile(loaded.model, config, nullptr, where);
  return loaded;
}

LoadedModel load_archive(const std::filesystem::path& path, const LoadOptions& options) {
  const std::string where = quoted(path);
  const LoadLimits& limits = options.limits;
  const std::vector<std::byte> bytes = read_file(path, limits.file);
  if (text_of(bytes).starts_with("\x89HDF"))
    throw FormatError(where +
                      ": is an HDF5 file of older Keras (.h5). Load it in Keras and save it "
                      "with a name that ends in .keras.");
  const ZipReader zip(
      bytes, where,
      {.members = limits.members, .total = limits.file, .expansion = limits.expansion});
  check_members(zip, where);
  const auto json = [&](std::string_view member) {
    const std::string here = fmt::format("{}: {}", where, member);
    if (zip.size(member) > limits.json)
      throw LimitError(fmt::format("{}: {} bytes, more than the limit of {}.", here,
                                   zip.size(member), limits.json));
    const std::vector<std::byte> text = zip.read(member);
    return parse_json(text_of(text), here, {.bytes = limits.json, .depth = limits.json_depth});
  };
  const std::string in_config = fmt::format("{}: {}", where, config_member);
  const std::string in_weights = fmt::format("{}: {}", where, weights_member);
  const Value written = zip.has(metadata_member) ? json(metadata_member) : Value();
  const Metadata metadata = read_metadata(written, fmt::format("{}: {}", where, metadata_member));
  const Value config = json(config_member);
  const keras::ReadGraph read =
      keras::read_graph(config, metadata.keras_major, in_config, {.layers = limits.layers});
  const Graph graph = checked_graph(read, in_config);

  const Hdf5Reader weights(zip.read(weights_member), in_weights);
  keras::read_weights(graph, weights, limits.weights, in_weights);
  LoadedModel loaded{Model(read.inputs, read.outputs, {.seed = metadata.seed, .name = read.name}),
                     {}};
  if (options.compile) {
    compile(loaded.model, config, metadata.own, in_config);
    if (loaded.model.compiled()) keras::read_optimizer_state(loaded.model, weights, in_weights);
  }
  if (const Value* extra = metadata.own ? metadata.own->find("extra") : nullptr)
    loaded.extra = *extra;
  return loaded;
}

}  // namespace

void save_model(const Model& model, const std::filesystem::path& path, const Value& extra) {
  if (!ends_in(path, ".keras"))
    throw ArgumentError(
        fmt::format("{}: the name of a model file must end in .keras.", quoted(path)));
  const std::string metadata = print_json(write_metadata(model, extra));
  const std::string config = print_json(write_config(model));
  const std::vector<std::byte> weights = keras::write_weights(model);
  const ZipMember members[] = {{std::string(metadata_member), bytes_of(metadata)},
                               {std::string(config_member), bytes_of(config)},
                               {std::string(weights_member), weights}};
  write_file_atomically(path, write_zip(members));
}

LoadedModel load_model(const std::filesystem::path& path, LoadOptions options) {
  return ends_in(path, ".json") ? load_json(path, options) : load_archive(path, options);
}

std::string model_to_json(const Model& model) { return formats::print_json(write_config(model)); }

void Model::save(const std::filesystem::path& path) const { save_model(*this, path); }
Model Model::load(const std::filesystem::path& path) { return load_model(path).model; }

}  // namespace sonde
