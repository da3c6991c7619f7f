#include "cli/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sonde/error.hpp>
#include <sonde/recordings.hpp>

#include "cli/model_file.hpp"
#include "cli/table.hpp"

namespace sonde::cli {
namespace {

bool is_there(const Array& array) { return array.shape().rank() > 0; }

/// Where validation begins: Keras' rounding.
Index split_point(Index count, double split, const char* what) {
  const auto point = static_cast<Index>(std::floor(static_cast<double>(count) * (1.0 - split)));
  if (point == 0 || point == count)
    throw DataError(fmt::format(
        "--validation-split {} of {} {} leaves one part empty. Use --validation-split 0 to train "
        "on all of them.",
        split, count, what));
  return point;
}

/// Steps [begin, end) of the only sample of `data`.
Recording steps_of(const Data& data, Index begin, Index end) {
  if (!is_there(data.y) || data.y.size() != data.steps())
    throw DataError(
        fmt::format("--window needs one label for each step, (time,) or (time, 1), got y {}.",
                    to_string(data.y.shape().without_front())));
  const Index channels = data.x.shape()[2], steps = end - begin;
  Recording part;
  part.name = "recording";
  part.signal = data.x.reshaped({data.steps(), channels}).slice(begin, end);
  part.labels = data.y.reshaped({data.steps(), 1}).slice(begin, end);
  part.weights = Array({steps});
  if (is_there(data.weights))
    part.weights = data.weights.reshaped({data.steps()}).slice(begin, end);
  else std::fill_n(part.weights.data(), steps, 1.0f);
  return part;
}

Data cut(const Data& data, Index begin, Index end, const PartOptions& options) {
  const Recording part = steps_of(data, begin, end);
  Pieces pieces =
      cut_windows({&part, 1}, options.window, options.hop ? options.hop : options.window);
  return {std::move(pieces.x), std::move(pieces.y), std::move(pieces.weights)};
}

ArraySamples samples_of(const Data& data) {
  ArraySamples::Arrays weights;
  if (is_there(data.weights)) weights.push_back(&data.weights);
  return ArraySamples({&data.x}, {&data.y}, weights);
}

}  // namespace

Parts::Parts(Data data, std::optional<Data> validation, const PartOptions& options)
    : data_(std::move(data)), apart_(std::move(validation)) {
  const double split = apart_ ? 0 : options.validation_split;
  if (!(split >= 0 && split < 1))
    throw ArgumentError(
        fmt::format("--validation-split must be at least 0 and below 1, got {}.", split));
  if (options.window != 0) {
    if (!data_.recording)
      throw ArgumentError(fmt::format(
          "--window cuts one recording (time, channels); X {} is cut into samples already. Leave "
          "--window out.",
          to_string(data_.x.shape())));
    if (options.window < 1 || options.hop < 0)
      throw ArgumentError(fmt::format("--window and --hop must be at least 1, got {} and {}.",
                                      options.window, options.hop));
    const Index steps = data_.steps();
    const Index point = split > 0 ? split_point(steps, split, "steps") : steps;
    if (split > 0) apart_ = cut(data_, point, steps, options);
    else if (apart_) apart_ = cut(*apart_, 0, apart_->steps(), options);
    Data first = cut(data_, 0, point, options);
    first.columns = std::move(data_.columns);
    first.remarks = std::move(data_.remarks);
    data_ = std::move(first);
    training_ = data_.samples();
  } else {
    training_ = split > 0 ? split_point(data_.samples(), split, "samples") : data_.samples();
  }

  all_.emplace(samples_of(data_));
  train_.emplace(*all_, 0, training_);
  if (apart_) {
    apart_samples_.emplace(samples_of(*apart_));
    validation_.emplace(*apart_samples_, 0, apart_->samples());
  } else if (training_ < data_.samples()) {
    validation_.emplace(*all_, training_, data_.samples());
  }
}

Data Parts::all_labels() const {
  Data all{.x = {}, .y = data_.y, .weights = data_.weights};
  if (!apart_ || apart_->y.shape().without_front() != data_.y.shape().without_front()) return all;
  const auto joined = [](const Array& a, const Array& b) {
    Array both(a.shape().without_front().with_front(a.shape()[0] + b.shape()[0]));
    std::copy(b.values().begin(), b.values().end(),
              std::copy(a.values().begin(), a.values().end(), both.values().begin()));
    return both;
  };
  // Weights are either there on both sides, or steps that are left out cannot be told apart.
  const bool weighed = !data_.weights.empty(), weighed_apart = !apart_->weights.empty();
  if (weighed != weighed_apart) return all;
  all.y = joined(data_.y, apart_->y);
  if (weighed) all.weights = joined(data_.weights, apart_->weights);
  return all;
}

Parts load_parts(const TrainOptions& o) {
  // A model that goes on learning sees the channels that it knows.
  std::vector<std::string> channels;
  if (is_model_file(o.model) && (is_table(o.x) || is_table(o.validation_x)))
    channels = load_model_file(o.model, false).extras.channels;
  DataFiles files{.x = o.x,
                  .y = o.y,
                  .weights = o.sample_weight,
                  .label_column = o.label_column,
                  .channels = channels,
                  .recording = o.window > 0,
                  .ignore_label = o.ignore_label};
  std::optional<Data> validation;
  Data data = load_data(files);
  if (!o.validation_x.empty())
    validation = load_data({.x = o.validation_x,
                            .y = o.validation_y,
                            .y_option = "--validation-y",
                            .label_column = o.label_column,
                            .channels = channels,
                            .recording = o.window > 0,
                            .ignore_label = o.ignore_label});
  return {std::move(data),
          std::move(validation),
          {.validation_split = o.validation_split, .window = o.window, .hop = o.hop}};
}

std::pair<std::string, Data> judged_part(Parts& parts) {
  if (parts.apart()) return {"validation", std::move(*parts.apart())};
  const Data& data = parts.data();
  if (parts.validation())
    return {"validation", copy_samples(data, parts.training(), data.samples())};
  return {"training", copy_samples(data, 0, data.samples())};
}

Data copy_samples(const Data& data, Index begin, Index end) {
  Data part{data.x.slice(begin, end), data.y.slice(begin, end), {}};
  if (is_there(data.weights)) part.weights = data.weights.slice(begin, end);
  return part;
}

}  // namespace sonde::cli
