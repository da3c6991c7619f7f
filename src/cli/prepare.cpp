#include "cli/prepare.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sonde/diagnosis.hpp>
#include <sonde/error.hpp>
#include <sonde/networks.hpp>

#include "cli/labeller.hpp"
#include "cli/loss_text.hpp"

namespace sonde::cli {
namespace {

Model network(const TrainOptions& o, std::string_view name, const Shape& input, const Task& task,
              const Shape& labels = {}) {
  return make_network(name, input,
                      {.filters = o.filters,
                       .kernel_size = o.kernel_size,
                       .pool_size = o.pool_size,
                       .units = o.units,
                       .outputs = task.outputs,
                       .label_steps = input[0] == dynamic || labels.rank() < 1 ? 0 : labels[0],
                       .activation = task.activation,
                       .seed = static_cast<std::uint64_t>(o.seed),
                       .conv_layers = o.conv_layers,
                       .lstm_layers = o.lstm_layers,
                       .dropout = o.dropout});
}

/// The network for signals of any length, where the real length is what it refuses. The layers of
/// conv-pool-lstm-wide are those of conv-pool-lstm-last with a unit for each step.
Model open_network(const TrainOptions& o, const Shape& input, Task task) {
  const bool wide = o.model == "conv-pool-lstm-wide";
  if (wide && task.outputs == 1) task.outputs = input[0];
  return network(o, wide ? "conv-pool-lstm-last" : o.model, {dynamic, input[1]}, task);
}

DataShapes shapes_of(const Model& model, const Data& data, const Task& task,
                     const TrainOptions& o) {
  DataShapes shapes{
      .x = Labeller::inputs(model, data.x.shape().without_front(), data.y.shape().without_front()),
      .y = {data.y.shape().without_front()},
      .labels = {facts_of(data.y, data.weights)}};
  if (!data.weights.empty()) shapes.weights = {data.weights.size() / data.samples()};
  if (o.class_weight != "none") shapes.classes = static_cast<Index>(task.counts.size());
  return shapes;
}

nlohmann::ordered_json to_json(const Diagnosis& diagnosis) {
  nlohmann::ordered_json json = {{"error", diagnosis.what},
                                 {"where", diagnosis.where},
                                 {"time", diagnosis.time},
                                 {"fixes", nlohmann::ordered_json::array()}};
  for (const Fix& fix : diagnosis.fixes) {
    auto output = nlohmann::ordered_json::array({nullptr});
    for (const Index size : fix.outputs.front()) output.push_back(size);
    json["fixes"].push_back({{"edits", fix.edits},
                             {"output_shape", output},
                             {"parameters", fix.parameters},
                             {"loss", name_of(fix.losses.front())}});
  }
  return json;
}

[[noreturn]] void refuse(const TrainOptions& o, const Diagnosis& diagnosis, Failure failure) {
  if (o.json) fmt::print("{}\n", to_json(diagnosis).dump(2));
  std::string text = diagnosis.text();
  if (!diagnosis.fixes.empty()) text += "\nAdd --apply-fix N to train with change N of these.";
  throw Error(failure, text);
}

void change(Data& data, const Fix& fix) {
  if (!data.weights.empty()) data.weights = fix.change_weights(std::move(data.weights));
  data.x = fix.change_x(std::move(data.x));
  data.y = fix.change_y(std::move(data.y));
}

/// Changes model, task and arrays by fix number --apply-fix.
void apply(const TrainOptions& o, Diagnosis& diagnosis, Parts& parts, Prepared& prepared) {
  const auto count = static_cast<Index>(diagnosis.fixes.size());
  if (o.apply_fix > count)
    throw ArgumentError(fmt::format("--apply-fix {}: there are {} changes.\n{}", o.apply_fix, count,
                                    diagnosis.text()));
  Fix& fix = diagnosis.fixes[static_cast<std::size_t>(o.apply_fix - 1)];
  change(parts.data(), fix);
  if (parts.apart()) change(*parts.apart(), fix);
  prepared.fix = fix.words();
  prepared.opened.model = std::move(fix.model);
  const Data& data = parts.data();
  // What is known of each channel does not hold for others. A scale that each recording has of
  // itself is of any.
  Extras& extras = prepared.opened.extras;
  const auto channels = static_cast<std::size_t>(data.x.shape()[2]);
  const auto is_of_others = [&](std::size_t known) { return known > 0 && known != channels; };
  if (extras.normalizer && is_of_others(extras.normalizer->center.size()))
    extras.normalizer.reset();
  if (is_of_others(extras.channels.size())) extras.channels.clear();
  const Loss& loss = fix.losses.front();
  prepared.task =
      task_for(prepared.opened.model, data.y, data.weights, data.steps(), loss_text(loss));
  prepared.task.loss = loss;
}

}  // namespace

Prepared prepare(const TrainOptions& o, Parts& parts) {
  const Data& data = parts.data();
  const Data all = parts.all_labels();
  const Shape input = data.x.shape().without_front();
  Failure failure = Failure::data;
  const auto make = [&]() -> Prepared {
    if (is_model_file(o.model)) {
      LabellingModel opened = load_model_file(o.model, true, o.weights);
      Task task = task_for(opened.model, all.y, all.weights, data.steps(), o.loss);
      return {std::move(opened), std::move(task)};
    }
    Task task = task_of(all.y, all.weights, data.steps(), o.loss);
    const NetworkName& known = find_network(o.model);
    const bool open_time = o.any_length || (o.window > 0 && known.labels_steps && known.any_length);
    try {
      const Shape shape{open_time ? dynamic : input[0], input[1]};
      Prepared prepared{
          LabellingModel{network(o, o.model, shape, task, data.y.shape().without_front())}, task};
      if (!o.weights.empty()) prepared.opened.model.load_weights(o.weights);
      return prepared;
    } catch (const ArgumentError& error) {
      failure = error.failure();
      try {
        return {LabellingModel{open_network(o, input, task)}, task};
      } catch (const ArgumentError&) {
        throw error;
      }
    }
  };
  Prepared prepared = make();
  Diagnosis diagnosis =
      diagnose(prepared.opened.model, shapes_of(prepared.opened.model, data, prepared.task, o),
               Losses(std::vector<Loss>{prepared.task.loss}));
  if (diagnosis.fits()) {
    if (o.apply_fix > 0)
      throw ArgumentError("--apply-fix: model and data fit as they are. Leave it out.");
    return prepared;
  }
  if (o.apply_fix == 0) refuse(o, diagnosis, failure);
  apply(o, diagnosis, parts, prepared);
  return prepared;
}

}  // namespace sonde::cli
