#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/words.hpp>

#include "cli/data.hpp"
#include "cli/loss_text.hpp"
#include "cli/model_file.hpp"
#include "cli/options.hpp"
#include "cli/recording_set.hpp"
#include "cli/value_json.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct InspectOptions {
  static constexpr std::string_view type = "inspect";
  bool json = false;
  static constexpr auto fields() { return fields_of(field("json", &InspectOptions::json)); }
};
constexpr OptionText texts[] = {{"Options", "json", "", "print one JSON object"}};

/// An array of whole numbers with no more different ones than this is taken for labels.
constexpr std::size_t most_labels = 20;

/// "<f4" of the header of a .npy file; empty when it is not there.
std::string npy_dtype(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(512, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  const std::size_t key = head.find("'descr':");
  if (key == std::string::npos) return {};
  const std::size_t begin = head.find('\'', key + 8), end = head.find('\'', begin + 1);
  return end == std::string::npos ? "" : head.substr(begin + 1, end - begin - 1);
}

/// "sample 3, step 17, channel 2", or just numbers for other ranks.
Json place_of(const Shape& shape, Index position) {
  Json place = Json::array();
  Index size = shape.elements();
  for (const Index each : shape) {
    size /= each;
    place.push_back(position / size);
    position %= size;
  }
  return place;
}

struct Look {
  Index nans = 0, infinities = 0, first_bad = -1;
  double least = INFINITY, largest = -INFINITY, sum = 0, squares = 0;
  bool whole = true;
  std::map<float, Index> counts = {};
};

Look look_at(const Array& array) {
  Look look;
  for (Index i = 0; i < array.size(); ++i) {
    const float value = array.data()[i];
    if (!std::isfinite(value)) {
      ++(std::isnan(value) ? look.nans : look.infinities);
      if (look.first_bad < 0) look.first_bad = i;
      continue;
    }
    const auto v = static_cast<double>(value);
    look.least = std::min(look.least, v);
    look.largest = std::max(look.largest, v);
    look.sum += v;
    look.squares += v * v;
    look.whole &= value == std::floor(value);
    if (look.whole && look.counts.size() <= most_labels) ++look.counts[value];
  }
  return look;
}

Json describe(const Array& array, const std::string& dtype) {
  const Look look = look_at(array);
  Json json = {{"shape", std::vector<Index>(array.shape().begin(), array.shape().end())}};
  if (!dtype.empty()) json["dtype"] = dtype;
  json["nan"] = look.nans;
  json["infinite"] = look.infinities;
  if (look.first_bad >= 0) json["first_bad"] = place_of(array.shape(), look.first_bad);
  const auto count = static_cast<double>(array.size() - look.nans - look.infinities);
  if (count == 0) return json;
  const double mean = look.sum / count;
  json["min"] = look.least;
  json["max"] = look.largest;
  json["mean"] = mean;
  json["deviation"] = std::sqrt(std::max(0.0, look.squares / count - mean * mean));
  if (look.whole && look.counts.size() <= most_labels) {
    Json labels = Json::object();
    for (const auto& [value, each] : look.counts) labels[fmt::format("{}", value)] = each;
    json["labels"] = labels;
  }
  return json;
}

std::string to_text(const std::string& name, const Json& json) {
  std::string text =
      fmt::format("{}: ({})", name, fmt::join(json["shape"].get<std::vector<Index>>(), ", "));
  if (json.contains("dtype")) text += " " + json["dtype"].get<std::string>();
  text += fmt::format("\n  NaN {}, infinite {}", json["nan"].get<Index>(),
                      json["infinite"].get<Index>());
  if (json.contains("first_bad"))
    text += fmt::format(", the first at ({})",
                        fmt::join(json["first_bad"].get<std::vector<Index>>(), ", "));
  text += "\n";
  if (json.contains("mean"))
    text += fmt::format("  from {:.6g} to {:.6g}, mean {:.6g}, deviation {:.6g}\n",
                        json["min"].get<double>(), json["max"].get<double>(),
                        json["mean"].get<double>(), json["deviation"].get<double>());
  if (!json.contains("labels")) return text;
  double total = 0;
  for (const auto& each : json["labels"]) total += each.get<double>();
  for (const auto& [value, each] : json["labels"].items())
    text += fmt::format("  {:>6}: {:>10}  {:6.2f} %\n", value, each.get<Index>(),
                        100 * each.get<double>() / total);
  return text;
}

Json inspect_data(const std::string& path, std::string& text) {
  const std::string ending = std::filesystem::path(file_of(path)).extension().string();
  Json json = {{"file", path}};
  NamedArrays arrays;
  std::string dtype;
  if (ending == ".npy") {
    arrays.emplace(path, load_npy(path));
    dtype = npy_dtype(path);
  } else if (ending == ".npz" && file_of(path) == path) {
    arrays = load_npz(path);
  } else if (ending == ".npz") {
    arrays.emplace(path, load_npz(file_of(path), path.substr(file_of(path).size() + 1)));
  } else if (ending == ".csv" || ending == ".tsv" || ending == ".txt") {
    Table table = load_table(path);
    if (!table.columns.empty()) json["columns"] = table.columns;
    arrays.emplace(path, std::move(table.values));
  } else {
    throw ArgumentError(
        fmt::format("\"{}\": expected a model (.keras, .json) or data (.npy, .npz, .csv).", path));
  }
  json["arrays"] = Json::object();
  for (const auto& [name, array] : arrays) {
    json["arrays"][name] = describe(array, dtype);
    text += to_text(name, json["arrays"][name]);
  }
  if (json.contains("columns"))
    text += fmt::format("  columns: {}\n",
                        fmt::join(json["columns"].get<std::vector<std::string>>(), ", "));
  return json;
}

/// What the file carries besides the network: as it is stored, and a line for each part.
void tell_recipe(const Recipe& recipe, Json& json, std::string& text) {
  const Value extra = to_extra(recipe);
  if (extra.is_null()) return;
  for (const auto& [key, value] : *extra.as<Value::Dict>()) {
    json[key] = to_json(value);
    if (key == "normalizer" && !recipe.normalizer->center.empty())
      text += fmt::format(" Signals are scaled: (x - [{:.6g}]) / [{:.6g}]\n",
                          fmt::join(recipe.normalizer->center, ", "),
                          fmt::join(recipe.normalizer->scale, ", "));
    else if (key == "frequency") text += fmt::format(" {}: {}\n", key, rate_text(recipe.frequency));
    else text += fmt::format(" {}: {}\n", key, json[key].dump());
  }
}

Json inspect_model(const std::string& path, std::string& text) {
  const LabellingModel opened = load_model_file(path, true);
  const Model& model = opened.model;
  Json json = {{"file", path},
               {"name", model.name()},
               {"bytes", std::filesystem::file_size(path)},
               {"layers", model.graph().layers().size()}};
  Index parameters = 0;
  for (const Array& weights : model.get_weights()) parameters += weights.size();
  json["parameters"] = parameters;
  text += fmt::format("{}: {} bytes\n{}", path, json["bytes"].get<Index>(), model.summary_text());
  if (const CompileOptions* compiled = model.compiled()) {
    json["loss"] = name_of(compiled->loss[0]);
    json["optimizer_steps"] = model.iterations();
    text += fmt::format(" Trained with: {}, {} steps of the optimizer\n",
                        loss_text(compiled->loss[0]), model.iterations());
  }
  tell_recipe(opened.extras, json, text);
  return json;
}

int inspect(const std::vector<std::string>& files, const InspectOptions& options) {
  Json all = Json::array();
  std::string text;
  for (const std::string& file : files)
    all.push_back(is_model_file(file)       ? inspect_model(file, text)
                  : file.ends_with(".toml") ? inspect_recordings(file, text)
                                            : inspect_data(file, text));
  if (options.json) fmt::print("{}\n", Json{{"files", all}}.dump(2));
  else fmt::print("{}", text);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("inspect", "Look into model files and data");
  verb->footer(
      "Examples:\n  sonde inspect X.npy y.npy\n  sonde inspect run/model.keras --json\n  "
      "sonde inspect recording.toml");
  struct State {
    std::vector<std::string> files;
    std::unique_ptr<Options<InspectOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("files", state->files,
                   "models (.keras), data (.npy, .npz, .csv), recordings (.toml)")
      ->type_name("FILE")
      ->required();
  state->options = std::make_unique<Options<InspectOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return inspect(state->files, state->options->read("")); };
  });
}

}  // namespace sonde::cli
