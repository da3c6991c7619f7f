#include "cli/labeller.hpp"

namespace sonde::cli {

Labeller::Labeller(Model& model) : model_(model) {
  if (model.graph().inputs().size() > 1) sequence_.emplace(model);
}

std::vector<Shape> Labeller::inputs(const Model& model, const Shape& x, const Shape& y) {
  std::vector<Shape> shapes = {x};
  if (model.graph().inputs().size() > 1)
    shapes.push_back(PreviousLabel(model).input_of(y.rank() > 0 ? y[0] : 1));
  return shapes;
}

const SampleSource* Labeller::show(const SampleSource* samples) {
  if (!sequence_ || samples == nullptr) return samples;
  return &taught_.emplace_back(sequence_->teach(*samples));
}

Array Labeller::predict(const Array& x, PredictOptions options) {
  if (!sequence_) return model_.predict(x, options);
  return sequence_->decode(x, {.batch_size = options.batch_size, .threads = options.threads});
}

Array Labeller::mask(const Array& x, PredictOptions options) {
  return sequence_ ? Array() : model_.predict_mask(x, options);
}

}  // namespace sonde::cli
