#include <sonde/labeller.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <sonde/calibration.hpp>
#include <sonde/encoder_decoder.hpp>
#include <sonde/error.hpp>
#include <sonde/words.hpp>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

std::string label_of(const Recording& recording) {
  return fmt::format("recording \"{}\"", recording.name);
}

[[noreturn]] void refuse(const Model& model, std::string_view what, std::string_view mend) {
  throw ArgumentError(fmt::format("Labeller: model \"{}\" {}. {}", model.name(), what, mend));
}

/// Of the layer that comes last, within models and wrappers too.
ActivationFunction last_activation(const Graph& graph) {
  const Graph flat = graph.flat();
  const auto& call = flat.calls()[at(flat.outputs()[0].call)];
  return flat.layer(call).layer.final_activation();
}

/// One sigmoid, or a softmax, for each step of one signal.
void check_outputs(const Model& model) {
  const Graph& graph = model.graph();
  if (graph.inputs().size() > 2 || graph.outputs().size() != 1)
    refuse(
        model,
        fmt::format("has {} inputs and {} outputs", graph.inputs().size(), graph.outputs().size()),
        "A labeller needs one of each; call Model::predict.");
  const Shape &in = graph.input_tensors()[0].shape(), &out = graph.output_tensors()[0].shape();
  if (in.rank() != 2)
    refuse(model, fmt::format("takes {}", to_string(in.with_front(dynamic))),
           "A labeller needs signals (samples, time, channels); call Model::predict.");
  if (out.rank() != 2 || out[0] != in[0])
    refuse(model,
           fmt::format("gives {} for signals {}", to_string(out.with_front(dynamic)),
                       to_string(in.with_front(dynamic))),
           "A labeller needs one label for each step: same padding, return_sequences, "
           "up-sampling behind pooling.");
  const ActivationFunction ends = last_activation(graph);
  if (ends != (out[1] == 1 ? ActivationFunction::sigmoid : ActivationFunction::softmax))
    refuse(model,
           fmt::format("does not end in the probabilities of classes: {} outputs, {}", out[1],
                       enum_names(ends)[static_cast<std::size_t>(ends)]),
           "A labeller needs one sigmoid, or a softmax; call Model::predict.");
}

/// Sets what is missing to 0, the middle of a scaled channel; returns the steps where all is
/// missing.
std::vector<Index> fill(Array& signal) {
  const Index steps = signal.shape()[0], channels = signal.shape()[1];
  std::vector<Index> empty;
  for (Index t = 0; t < steps; ++t) {
    Index missing = 0;
    for (Index c = 0; c < channels; ++c)
      if (float& value = signal(t, c); !std::isfinite(value)) value = 0, ++missing;
    if (missing == channels) empty.push_back(t);
  }
  return empty;
}

/// The stretches of each label with the mean of its probability.
std::vector<FoundInterval> with_probability(const std::vector<Interval>& intervals,
                                            const Array& probabilities) {
  const Index width = probabilities.shape()[1];
  std::vector<FoundInterval> found;
  for (const Interval& each : intervals) {
    double sum = 0;
    for (Index t = each.begin; t < each.end; ++t) {
      const double p =
          static_cast<double>(probabilities.data()[t * width + (width == 1 ? 0 : each.label)]);
      sum += width == 1 && each.label == 0 ? 1 - p : p;
    }
    found.push_back({each, sum / static_cast<double>(each.steps())});
  }
  return found;
}

/// What was said of the network's steps, for each of the recording's own: that of the nearest time.
/// `ratio`: network's steps for one of the recording.
void at_own_steps(LabelledRecording& said, Index steps, double ratio) {
  const Index width = said.probabilities.shape()[1], last = said.probabilities.shape()[0] - 1;
  Array probabilities({steps, width});
  std::vector<Index> labels(at(steps));
  for (Index t = 0; t < steps; ++t) {
    const Index from =
        std::min(std::llround(static_cast<double>(t) * ratio), static_cast<long long>(last));
    labels[at(t)] = said.labels[at(from)];
    std::copy_n(said.probabilities.data() + from * width, width, probabilities.data() + t * width);
  }
  said.probabilities = std::move(probabilities);
  said.labels = std::move(labels);
}

}  // namespace

struct Labeller::State {
  State(Model m, Recipe r) : model(std::move(m)), recipe(std::move(r)) {
    if (model.graph().inputs().size() > 1) sequence.emplace(model);
    length = model.graph().input_tensors()[0].shape()[0];
  }

  /// What the network says of each of its steps, and where there is nothing to say.
  struct Said {
    Array probabilities;
    std::vector<Index> pauses;
    bool is_flat = false;  ///< never_changes()
  };

  Model model;
  Recipe recipe;
  std::optional<EncoderDecoder> sequence;  // points to `model`
  Index length;                            // of the signals that the model takes; or dynamic

  Array predict(const Array& x, const PredictOptions& options) {
    Array y = sequence ? sequence->decode(
                             x, {.batch_size = options.batch_size, .threads = options.threads})
                       : model.predict(x, options);
    if (y.shape().rank() != 3 || y.shape()[1] != x.shape()[1])
      refuse(model,
             fmt::format("gives {} for signals {}", to_string(y.shape()), to_string(x.shape())),
             "A labeller needs one label for each step.");
    return y;
  }

  /// (time, channels) → (time, outputs).
  Array predict_signal(const Array& signal, const PredictOptions& options) {
    const Shape& shape = signal.shape();
    const auto in_batches = [&](const Array& x) { return predict(x, options); };
    if (length == dynamic && (!recipe.windows || shape[0] <= recipe.windows->length)) {
      Array y = predict(signal.reshaped({1, shape[0], shape[1]}), options);
      return y.reshaped({shape[0], y.shape()[2]});
    }
    // A model of one length knows nothing else.
    const PredictionWindows windows =
        recipe.windows ? *recipe.windows
                       : PredictionWindows{length, std::max<Index>(length / 2, 1)};
    if (shape[0] >= windows.length) return predict_in_windows(signal, windows, in_batches);
    Array padded({windows.length, shape[1]});
    std::copy_n(signal.data(), signal.size(), padded.data());
    return predict_in_windows(padded, windows, in_batches).slice(0, shape[0]);
  }

  /// Of a signal as it was recorded. `from`: its rate, where the network has another; else 0.
  Said say(Array signal, double from, const PredictOptions& options) {
    if (from > 0) signal = resample(signal, from, recipe.frequency);
    if (recipe.normalizer) recipe.normalizer->apply(signal);
    std::vector<Index> pauses = fill(signal);
    return {predict_signal(signal, options), std::move(pauses), never_changes(signal)};
  }

  /// Of all channels together, to a network that knows one. One that never changes says nothing,
  /// unless all are so.
  Said say_of_each(const Recording& recording, double from, const PredictOptions& options) {
    std::vector<Said> each;
    for (Index c = 0; c < recording.signal.shape()[1]; ++c)
      each.push_back(say(channel_of(recording, c).signal, from, options));
    const auto is_flat = [](const Said& said) { return said.is_flat; };
    if (!std::all_of(each.begin(), each.end(), is_flat)) std::erase_if(each, is_flat);
    std::vector<Index> pauses = each.front().pauses;
    std::vector<Array> probabilities;
    for (Said& said : each) {
      probabilities.push_back(std::move(said.probabilities));
      std::erase_if(pauses, [&](Index t) {
        return !std::binary_search(said.pauses.begin(), said.pauses.end(), t);
      });
    }
    return {.probabilities = pooled_probabilities(probabilities), .pauses = std::move(pauses)};
  }
};

bool labels_steps(const Model& model) {
  try {
    check_outputs(model);
  } catch (const ArgumentError&) {
    return false;
  }
  return true;
}

void check_fits(const Recipe& recipe, const Model& model, const Where& where) {
  const Shape &in = model.graph().input_tensors()[0].shape(),
              &out = model.graph().output_tensors()[0].shape();
  const auto refused = [&](const std::string& what) {
    throw ArgumentError(fmt::format("{}: {}", where, what));
  };
  const auto fits = [&](std::string_view what, std::size_t has, Index needs) {
    if (has > 0 && static_cast<Index>(has) != needs)
      refused(fmt::format("the recipe has {} {}, model \"{}\" has {}.", has, what, model.name(),
                          needs));
  };
  const Index channels = in.rank() == 2 ? in[1] : 1;
  const Index classes = out.rank() > 0 ? std::max<Index>(out.last(), 2) : 2;
  fits("channels", recipe.channels.size(), channels);
  fits("classes", recipe.classes.size(), classes);
  fits("class_factors", recipe.post_processing.class_factors.size(), classes);
  if (recipe.normalizer) fits("scales of channels", recipe.normalizer->scale.size(), channels);
  if (recipe.each_channel && channels != 1)
    refused(
        fmt::format("the recipe labels each_channel by itself, but model \"{}\" takes {} "
                    "channels.",
                    model.name(), channels));
  if (recipe.background >= classes)
    refused(fmt::format("background is class {}, model \"{}\" has {} classes.", recipe.background,
                        model.name(), classes));
  if (recipe.windows && in.rank() == 2 && in[0] != dynamic && recipe.windows->length != in[0])
    refused(fmt::format("windows of {} steps, model \"{}\" takes {}.", recipe.windows->length,
                        model.name(), in[0]));
}

Labeller::Labeller(Model model, Recipe recipe) {
  check(recipe, "Labeller");
  check_outputs(model);
  check_fits(recipe, model, "Labeller");
  state_ = std::make_unique<State>(std::move(model), std::move(recipe));
}

Labeller::Labeller(Labeller&&) noexcept = default;
Labeller& Labeller::operator=(Labeller&&) noexcept = default;
Labeller::~Labeller() = default;
Model& Labeller::model() { return state_->model; }
const Model& Labeller::model() const { return state_->model; }
const Recipe& Labeller::recipe() const { return state_->recipe; }

LabelledRecording Labeller::label(const Recording& recording, PredictOptions options) {
  const Recipe& recipe = state_->recipe;
  Array signal = pick_channels(recording, recipe);
  const Index steps = signal.shape()[0], channels = signal.shape()[1];
  const bool combines = recipe.combine_channels && channels > 1;
  if (const Index takes = state_->model.graph().input_tensors()[0].shape()[1];
      channels != takes && !combines)
    throw DataError(fmt::format("{}: {} channels, the model takes {}. Choose them by name.",
                                label_of(recording), channels, takes));
  const bool other_rate =
      recipe.frequency > 0 && recording.frequency > 0 && recipe.frequency != recording.frequency;
  const Index width = state_->model.graph().output_tensors()[0].shape()[1];
  LabelledRecording result{.probabilities = Array({steps, width})};
  if (recipe.frequency > 0 || recording.frequency > 0)
    result.frequency = recording.frequency > 0 ? recording.frequency : recipe.frequency;
  if (steps == 0) return result;

  const double from = other_rate ? recording.frequency : 0;
  State::Said said = combines ? state_->say_of_each(recording, from, options)
                              : state_->say(std::move(signal), from, options);
  Array& p = result.probabilities = std::move(said.probabilities);
  if (recipe.temperature != 1) apply_temperature(p.values(), width, recipe.temperature);
  // Settings in seconds were found at the recipe's rate, where it has one, or else by steps.
  result.labels = labels_from(p, recipe.frequency > 0 ? recipe.frequency : 1,
                              recipe.post_processing, recipe.background);
  for (const Index t : said.pauses) {
    result.labels[at(t)] = recipe.background;
    std::fill_n(p.data() + t * width, width, std::nanf(""));
  }
  if (other_rate) at_own_steps(result, steps, recipe.frequency / recording.frequency);
  result.intervals =
      with_probability(intervals_of(result.labels, recipe.background), result.probabilities);
  return result;
}

Array pick_channels(const Recording& recording, const Recipe& recipe) {
  if (recording.signal.shape().rank() != 2)
    throw DataError(fmt::format("{}: expected a signal (time, channels), got {}.",
                                label_of(recording), to_string(recording.signal.shape())));
  const auto& has = recording.channels;
  if (recipe.channels.empty() || has.empty() || has == recipe.channels) return recording.signal;
  std::vector<Index> columns;
  for (const std::string& name : recipe.channels) {
    const auto found = std::find(has.begin(), has.end(), name);
    if (found == has.end())
      throw DataError(fmt::format("{}: has no channel \"{}\", which the model needs; it has {}.{}",
                                  label_of(recording), name, fmt::join(has, ", "),
                                  did_you_mean(name, {has.begin(), has.end()})));
    columns.push_back(found - has.begin());
  }
  const Index steps = recording.signal.shape()[0], width = static_cast<Index>(columns.size());
  Array picked({steps, width});
  for (Index t = 0; t < steps; ++t)
    for (Index c = 0; c < width; ++c)
      picked.data()[t * width + c] = recording.signal(t, columns[at(c)]);
  return picked;
}

bool never_changes(const Array& signal) {
  const auto values = signal.values();
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

Array predict_in_windows(const Array& signal, const PredictionWindows& windows,
                         const std::function<Array(const Array&)>& predict) {
  const Index steps = signal.shape()[0], channels = signal.shape()[1];
  const Index length = std::min(windows.length, steps);
  if (length < 1 || windows.hop < 1 || windows.hop > windows.length)
    throw ArgumentError(fmt::format(
        "predict_in_windows: expected 1 ≤ hop ≤ length and a signal of at least one step, got "
        "hop {}, length {}, {} steps.",
        windows.hop, windows.length, steps));
  std::vector<Index> begins;
  for (Index begin = 0; begin + length < steps; begin += windows.hop) begins.push_back(begin);
  begins.push_back(steps - length);

  // So many at once that the copies stay small beside the signal.
  constexpr Index most_numbers = 1 << 22;
  const Index at_once = std::clamp<Index>(most_numbers / std::max<Index>(length * channels, 1), 1,
                                          static_cast<Index>(begins.size()));
  Array result;
  std::vector<double> weights(at(steps));
  for (std::size_t first = 0; first < begins.size(); first += at(at_once)) {
    const std::size_t count = std::min(at(at_once), begins.size() - first);
    Array x({static_cast<Index>(count), length, channels});
    for (std::size_t i = 0; i < count; ++i)
      std::copy_n(signal.data() + begins[first + i] * channels, length * channels,
                  x.data() + static_cast<Index>(i) * length * channels);
    const Array y = predict(x);
    const Index width = y.shape().last();
    if (result.empty()) result = Array({steps, width});
    for (std::size_t i = 0; i < count; ++i)
      for (Index t = 0; t < length; ++t) {
        const double weight = static_cast<double>(std::min(t, length - 1 - t) + 1);
        const Index step = begins[first + i] + t;
        const double before = weights[at(step)], sum = before + weight;
        for (Index k = 0; k < width; ++k) {
          float& mean = result.data()[step * width + k];
          const float said = y.data()[(static_cast<Index>(i) * length + t) * width + k];
          mean = static_cast<float>(
              (static_cast<double>(mean) * before + static_cast<double>(said) * weight) / sum);
        }
        weights[at(step)] = sum;
      }
  }
  return result;
}

}  // namespace sonde
