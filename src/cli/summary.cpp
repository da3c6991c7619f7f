#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sonde/networks.hpp>

#include "cli/named_model.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct SummaryOptions {
  static constexpr std::string_view type = "summary";
  Shape input = {400, 16};
  Index outputs = 1;
  Index filters = 32;
  Index kernel_size = 8;
  Index pool_size = 4;
  Index units = 32;
  bool json = false;

  static constexpr auto fields() {
    using S = SummaryOptions;
    return fields_of(field("input", &S::input), field("outputs", &S::outputs),
                     field("filters", &S::filters), field("kernel_size", &S::kernel_size),
                     field("pool_size", &S::pool_size), field("units", &S::units),
                     field("json", &S::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "input", "T,C", "steps and channels of a network by name; None: any number of steps"},
    {group, "outputs", "N", "numbers for each label: 1, or the number of classes"},
    {group, "filters", "N", "filters of each convolution"},
    {group, "kernel_size", "STEPS", "length of each filter"},
    {group, "pool_size", "STEPS", "steps that a pooling layer makes one of"},
    {group, "units", "N", "units of the LSTM"},
    {group, "json", "", "print one JSON object"},
};

nlohmann::ordered_json size_json(Index size) {
  return size == dynamic ? nlohmann::ordered_json() : nlohmann::ordered_json(size);
}
nlohmann::ordered_json shape_json(const Shape& shape) {
  auto json = nlohmann::ordered_json::array({nullptr});
  for (const Index size : shape) json.push_back(size_json(size));
  return json;
}

nlohmann::ordered_json to_json(const Model& model) {
  const Graph& graph = model.graph();
  nlohmann::ordered_json json = {{"name", model.name()}};
  json["layers"] = nlohmann::ordered_json::array();
  Index total = 0, trainable = 0;
  for (std::size_t l = 0; l < graph.layers().size(); ++l) {
    const LayerInstance& layer = *graph.layers()[l];
    Index parameters = 0;
    for (const Index e : layer.entries) {
      const WeightEntry& entry = model.weights().entries()[static_cast<std::size_t>(e)];
      parameters += entry.size();
      if (entry.trainable) trainable += entry.size();
    }
    total += parameters;
    auto shapes = nlohmann::ordered_json::array();
    for (const auto& call : graph.calls())
      if (call.layer == static_cast<Index>(l))
        for (const Shape& shape : call.node->outputs) shapes.push_back(shape_json(shape));
    json["layers"].push_back({{"name", layer.name},
                              {"type", layer.layer.type()},
                              {"output_shapes", shapes},
                              {"parameters", parameters}});
  }
  json["parameters"] = total;
  json["trainable_parameters"] = trainable;
  const TimeReport time = model.time();
  json["steps_in"] = size_json(time.steps_in);
  json["steps_out"] = size_json(time.steps_out);
  json["receptive_field"] = size_json(time.receptive_field.value_or(dynamic));
  json["lookahead"] = size_json(time.lookahead);
  return json;
}

int summary(const std::string& name, const SummaryOptions& o) {
  const Model model = named_model(name, o);
  if (o.json) fmt::print("{}\n", to_json(model).dump(2));
  else model.summary();
  return 0;
}

}  // namespace

void add_summary(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("summary", "Show a model's layers, weights and timing");
  std::string names;
  for (const NetworkName& each : networks())
    names += fmt::format("  {:<28}{}\n", each.name, each.layers);
  verb->footer("Networks:\n" + names +
               "\nExamples:\n  sonde summary conv-lstm --input 400,16\n"
               "  sonde summary run/model.keras");
  struct State {
    std::string model;
    std::unique_ptr<Options<SummaryOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("model", state->model, "a network by name, a .keras or .h5 file, or Keras' JSON")
      ->type_name("NAME|FILE")
      ->required();
  state->options = std::make_unique<Options<SummaryOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return summary(state->model, state->options->read("")); };
  });
}

}  // namespace sonde::cli
