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
#include "formats/keras/legacy_h5.hpp"
#include "formats/keras/model_bytes.hpp"
#include "formats/keras/weights_file.hpp"
#include "formats/printable.hpp"
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

/// 2 or 3; FormatError for versions that nobody has seen.
int keras_major_of(const Value& version, const std::string& where) {
  const auto* text = version.as<std::string>();
  if (!text || text->size() < 2 || (*text)[1] != '.' || (*text)[0] < '2' || (*text)[0] > '3')
    throw FormatError(fmt::format("{}: keras_version is {}, expected 2.x or 3.x.", where,
                                  printable(to_string(version))));
  return (*text)[0] - '0';
}

Metadata read_metadata(const Value& written, const std::string& where) {
  Metadata metadata;
  if (const Value* version = written.find("keras_version"))
    metadata.keras_major = keras_major_of(*version, where);
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

/// What a metric is called in messages.
std::string metric_text(const Value& metric) {
  const Value* class_name = metric.find("class_name");
  const auto* text = (class_name ? *class_name : metric).as<std::string>();
  return text ? printable(*text) : "of an unknown form";
}

/// A compile_config with only those metrics that work, one by one; the others' names go to
/// `left_out`. Where something else is wrong, nothing is changed.
template <class Works>
Value with_working_metrics(const Value& written, std::vector<std::string>& left_out, Works works) {
  constexpr std::array<std::string_view, 2> keys = {"metrics", "weighted_metrics"};
  Value kept = written;
  for (const std::string_view key : keys) kept.set(key, Value());
  if (!works(kept)) return written;
  for (const std::string_view key : keys) {
    const Value* all = written.find(key);
    if (!all || all->is_null()) continue;
    const auto* list = all->as<Value::List>();
    if (list && list->size() == 1 && list->front().as<Value::List>())
      list = list->front().as<Value::List>();
    const bool is_flat = list && std::none_of(list->begin(), list->end(), [](const Value& each) {
                           return each.as<Value::List>() || each.is_null();
                         });
    Value::List good;
    for (const Value& each : is_flat ? *list : Value::List{*all}) {
      kept.set(key, is_flat ? Value(Value::List{each}) : each);
      if (works(kept)) good.push_back(each);
      else left_out.push_back(metric_text(each));
    }
    kept.set(key, good.empty() ? Value() : is_flat ? Value(good) : good.front());
  }
  return kept;
}

/// Compiles as the file says; without a compile_config leaves the model as it is. `left_out`: what
/// it calls the metrics that are left out; null: they are refused.
void compile(Model& model, const Value* written, const Value* own, const std::string& where,
             std::vector<std::string>* left_out) {
  const auto* dict = written ? written->as<Value::Dict>() : nullptr;
  if (!dict || dict->empty()) return;
  const std::string here = where;
  const auto works = [&](const Value& config) {
    try {
      model.compile(keras::read_compile_config(config, output_names(model.graph()), here));
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  Value usable;
  if (left_out && !works(*written)) {
    usable = with_working_metrics(*written, *left_out, works);
    written = &usable;
  }
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

bool is_hdf5(Bytes bytes) { return text_of(bytes).starts_with("\x89HDF"); }

ZipLimits zip_limits(const LoadLimits& limits) {
  return {.members = limits.members, .total = limits.file, .expansion = limits.expansion};
}

/// The version of Keras that wrote a group of an .h5 file; the oldest files do not say.
int keras_major_of_file(const Hdf5Reader& file, const std::string& group,
                        const std::string& where) {
  const std::string version = keras::attribute_text(file, group, "keras_version");
  return version.empty() ? 2 : keras_major_of(version, where);
}

void replace_weights(Model& model, const Hdf5Reader& file, const LoadLimits& limits,
                     const std::string& where) {
  const Graph& graph = model.graph();
  const bool is_whole_model = !file.has_attribute("", "layer_names") &&
                              !file.has_attribute("", "layer_names0") &&
                              file.is_group("model_weights");
  const std::string group = is_whole_model ? "model_weights" : "";
  if (keras::numbered_texts(file, group, "layer_names").empty())
    return keras::replace_weights(keras::place_weights(graph, file, where), file, limits.weights,
                                  where);
  const int keras_major = keras_major_of_file(file, group, where);
  keras::replace_weights(keras::place_legacy_weights(graph, file, group, keras_major, where), file,
                         limits.weights, where);
  if (keras_major < 3) keras::rescale_old_hard_sigmoid(graph);
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

LoadedModel read_json(std::string_view text, const std::string& where, const LoadOptions& options) {
  const JsonLimits limits{.bytes = options.limits.json, .depth = options.limits.json_depth};
  const Value config = parse_json(text, where, limits);
  const Value* version = config.find("keras_version");
  const int keras_major = version ? keras_major_of(*version, where) : 3;
  const keras::ReadGraph read =
      keras::read_graph(config, keras_major, where, {.layers = options.limits.layers});
  Graph graph = keras::checked_graph(read, where);
  keras::check_weights(graph, options.limits.weights, where);
  LoadedModel loaded{Model(std::move(graph), {.name = read.name}), {}};
  // Keras' to_json leaves the optimizer out, and then there is nothing to compile with.
  const Value* compiled = config.find("compile_config");
  if (options.compile && compiled && compiled->find("optimizer"))
    compile(loaded.model, compiled, nullptr, where + ": compile_config",
            options.leave_out_metrics ? &loaded.left_out : nullptr);
  return loaded;
}

/// A whole model of Keras 2, or of Keras 3 saved with a name that ends in .h5.
LoadedModel load_hdf5(Bytes bytes, const std::string& where, const LoadOptions& options) {
  const Hdf5Reader file(bytes, where);
  const std::string in_config = where + ": model_config";
  const std::string text = keras::attribute_text(file, "", "model_config");
  if (text.empty())
    throw FormatError(where +
                      ": holds weights but no model. Make the model, or load its architecture from "
                      "JSON, and give it these weights with load_weights (sonde: --weights).");
  const JsonLimits limits{.bytes = options.limits.json, .depth = options.limits.json_depth};
  const Value config = parse_json(text, in_config, limits);
  const int keras_major = keras_major_of_file(file, "", where);
  const keras::ReadGraph read =
      keras::read_graph(config, keras_major, in_config, {.layers = options.limits.layers});
  Graph graph = keras::checked_graph(read, in_config);
  keras::read_weights(keras::place_legacy_weights(graph, file, "model_weights", keras_major, where),
                      file, options.limits.weights, where);
  const bool is_rescaled = keras_major < 3 && keras::has_hard_sigmoid(graph);
  if (is_rescaled) keras::rescale_old_hard_sigmoid(graph);
  LoadedModel loaded{Model(std::move(graph), {.name = read.name}), {}};
  const std::string training = keras::attribute_text(file, "", "training_config");
  if (!options.compile || training.empty()) return loaded;
  const std::string in_training = where + ": training_config";
  const Value compiled =
      keras::compile_config_of(parse_json(training, in_training, limits), in_training);
  compile(loaded.model, &compiled, nullptr, in_training,
          options.leave_out_metrics ? &loaded.left_out : nullptr);
  // Moments of weights that were multiplied by a constant would be wrong.
  if (loaded.model.compiled() && !is_rescaled)
    keras::read_legacy_optimizer_state(loaded.model, file, where);
  return loaded;
}

LoadedModel load_archive(Bytes bytes, const std::string& where, const LoadOptions& options) {
  const LoadLimits& limits = options.limits;
  const ZipReader zip(bytes, where, zip_limits(limits));
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
  Graph graph = keras::checked_graph(read, in_config);

  const Hdf5Reader weights(zip.read(weights_member), in_weights);
  keras::read_weights(keras::place_weights(graph, weights, in_weights), weights, limits.weights,
                      in_weights);
  if (metadata.keras_major < 3) keras::rescale_old_hard_sigmoid(graph);
  LoadedModel loaded{Model(std::move(graph), {.seed = metadata.seed, .name = read.name}), {}};
  if (options.compile) {
    compile(loaded.model, config.find("compile_config"), metadata.own,
            in_config + ": compile_config", options.leave_out_metrics ? &loaded.left_out : nullptr);
    if (loaded.model.compiled()) keras::read_optimizer_state(loaded.model, weights, in_weights);
  }
  if (const Value* extra = metadata.own ? metadata.own->find("extra") : nullptr)
    loaded.extra = *extra;
  return loaded;
}

}  // namespace

namespace formats::keras {
LoadedModel read_model(Bytes bytes, const std::string& where, const LoadOptions& options) {
  return is_hdf5(bytes) ? load_hdf5(bytes, where, options) : load_archive(bytes, where, options);
}
}  // namespace formats::keras

void save_model(const Model& model, const std::filesystem::path& path, const Value& extra) {
  if (ends_in(path, ".json"))
    return write_file_atomically(path, std::string_view(model_to_json(model)));
  if (!ends_in(path, ".keras"))
    throw ArgumentError(
        fmt::format("{}: the name of a model file must end in .keras, or in .json "
                    "for the architecture alone.",
                    quoted(path)));
  const std::string metadata = print_json(write_metadata(model, extra));
  const std::string config = print_json(write_config(model));
  const std::vector<std::byte> weights = keras::write_weights(model);
  const ZipMember members[] = {{std::string(metadata_member), bytes_of(metadata)},
                               {std::string(config_member), bytes_of(config)},
                               {std::string(weights_member), weights}};
  write_file_atomically(path, write_zip(members));
}

LoadedModel load_model(const std::filesystem::path& path, LoadOptions options) {
  const std::string where = quoted(path);
  if (ends_in(path, ".json")) {
    const std::vector<std::byte> bytes = read_file(path, options.limits.json);
    return read_json(text_of(bytes), where, options);
  }
  return keras::read_model(read_file(path, options.limits.file), where, options);
}

Model model_from_json(std::string_view json, LoadOptions options) {
  return read_json(json, "JSON", options).model;
}

void save_weights(const Model& model, const std::filesystem::path& path) {
  if (!path.string().ends_with(".weights.h5"))
    throw ArgumentError(
        fmt::format("{}: the name of a file of weights must end in .weights.h5.", quoted(path)));
  write_file_atomically(path, keras::write_weights(model));
}

void load_weights(Model& model, const std::filesystem::path& path, LoadOptions options) {
  const std::string where = quoted(path);
  const std::vector<std::byte> bytes = read_file(path, options.limits.file);
  const LoadLimits& limits = options.limits;
  if (is_hdf5(bytes)) {
    const Hdf5Reader file(bytes, where);
    replace_weights(model, file, limits, where);
  } else {
    const ZipReader zip(bytes, where, zip_limits(limits));
    const Hdf5Reader file(zip.read(weights_member), fmt::format("{}: {}", where, weights_member));
    replace_weights(model, file, limits, where);
  }
}

std::string model_to_json(const Model& model) { return formats::print_json(write_config(model)); }

void Model::save_weights(const std::filesystem::path& path) const {
  sonde::save_weights(*this, path);
}
void Model::load_weights(const std::filesystem::path& path) { sonde::load_weights(*this, path); }
void Model::save(const std::filesystem::path& path) const { save_model(*this, path); }
Model Model::load(const std::filesystem::path& path) { return load_model(path).model; }

}  // namespace sonde
