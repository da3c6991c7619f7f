#include "training/output_job.hpp"

#include <algorithm>

#include "kernels/kernels.hpp"

namespace sonde {
namespace {

/// The class number of a target vector: itself, or the place of its largest entry.
Index class_of(const float* target, Index width) {
  if (width == 1) return static_cast<Index>(*target);
  return std::max_element(target, target + width) - target;
}

/// The weight that a sample gives to its vector `t`; a step may hold several vectors.
float given_weight(const OutputJob& job, const float* weights, Index t) {
  return weights == nullptr ? 1.0f : weights[t * job.weights / job.vectors];
}

/// The weight of one value: of its sample or step, times that of its class.
float weight_of(const OutputJob& job, const float* weights, const float* target, Index t) {
  float weight = given_weight(job, weights, t);
  if (!job.class_weight.empty()) {
    const Index c = class_of(target + t * job.target_width, job.target_width);
    if (c >= 0 && c < static_cast<Index>(job.class_weight.size()))
      weight *= job.class_weight[static_cast<std::size_t>(c)];
  }
  return weight;
}

void gather(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
            const Index* numbers, Index rows, const float* mask, OutputRoom& room) noexcept {
  const auto o = static_cast<std::size_t>(output);
  for (Index r = 0; r < rows; ++r) {
    const Sample sample = source.sample(epoch, numbers[r]);
    const float* y = sample.y[o];
    const float* w = sample.weights[o];
    for (Index t = 0; t < job.vectors; ++t) {
      const Index step = t / job.per_step * rows + r;
      const Index at = step * job.per_step + t % job.per_step;
      const bool counts = mask == nullptr || mask[step] != 0;
      std::copy_n(y + t * job.target_width, job.target_width,
                  room.target.data() + at * job.target_width);
      room.mask.data()[at] = counts && given_weight(job, w, t) != 0.0f ? 1.0f : 0.0f;
      room.weights.data()[at] = counts ? weight_of(job, w, y, t) : 0.0f;
    }
  }
}

}  // namespace

void OutputJob::bind(const Plan& plan, Index output, const SampleSource& source) {
  value = plan.outputs()[static_cast<std::size_t>(output)];
  const Plan::Value& y = plan.values()[static_cast<std::size_t>(value)];
  width = y.shape.last();
  vectors = y.shape.elements() / width;
  per_step = y.shape.rank() > 1 ? vectors / y.shape[0] : 1;
  // An output that something else reads too keeps its activation.
  if (plan.head(output) == ActivationFunction::linear) head = Head::values;
  target_width = source.targets()[static_cast<std::size_t>(output)].elements() / vectors;
  weights = source.weights(output);
}

Index OutputJob::state_size() const {
  Index size = 0;
  for (const auto* list : {&metrics, &weighted_metrics})
    for (const Metric& metric : *list) size += metric_state_size(metric, width);
  return size;
}

OutputRoom::OutputRoom(const OutputJob& job, Index rows)
    : target(job.vectors * rows * job.target_width),
      weights(job.vectors * rows),
      mask(job.vectors * rows),
      probability(job.vectors * rows * job.width) {}

void OutputTotals::add(const OutputTotals& other) {
  loss += other.loss;
  for (std::size_t i = 0; i < states.size(); ++i) states[i] += other.states[i];
}

double OutputJob::mask_factor(double total, double valid) const {
  const Reduction reduction = std::visit([](const auto& spec) { return spec.reduction; }, loss);
  const bool mean = reduction == Reduction::sum_over_batch_size || reduction == Reduction::mean;
  return mean ? total / (valid + 1e-7) : 1.0;
}

bool OutputJob::counts() const {
  return std::visit(
      [](const auto& spec) {
        if constexpr (requires { spec.ignore_class; })
          if (spec.ignore_class) return true;
        return spec.reduction == Reduction::mean_with_sample_weight;
      },
      loss);
}

float batch_scale(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
                  const Index* numbers, Index rows) noexcept {
  double values = static_cast<double>(rows * job.vectors), weights = 0;
  if (job.counts()) {
    const auto o = static_cast<std::size_t>(output);
    values = 0;
    for (Index r = 0; r < rows; ++r) {
      const Sample sample = source.sample(epoch, numbers[r]);
      for (Index t = 0; t < job.vectors; ++t) {
        if (!loss_counts(job.loss, sample.y[o][t * job.target_width])) continue;
        values += 1;
        weights += weight_of(job, sample.weights[o], sample.y[o], t);
      }
    }
  }
  return static_cast<float>(loss_scale(job.loss, values, weights));
}

void judge_shard(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
                 const Index* numbers, Index rows, const float* y, const float* mask, float* dy,
                 OutputRoom& room, OutputTotals& totals) noexcept {
  gather(job, output, source, epoch, numbers, rows, mask, room);
  const Index count = job.vectors * rows;
  const bool masked = mask != nullptr || job.weights > 0;
  const bool weighted = masked || !job.class_weight.empty();
  const float* target = room.target.data();
  const LossBatch<float> batch{.count = count,
                               .width = job.width,
                               .y = y,
                               .target = target,
                               .target_width = job.target_width,
                               .weights = weighted ? room.weights.data() : nullptr};
  totals.loss =
      loss_value_and_gradient(job.loss, job.head, batch, room.scale * job.loss_weight, dy);
  if (totals.states.empty()) return;
  const float* p = y;
  if (job.head != Head::values) {
    const auto f =
        job.head == Head::sigmoid ? ActivationFunction::sigmoid : ActivationFunction::softmax;
    kernels::activation_forward(f, count, job.width, y, room.probability.data());
    p = room.probability.data();
  }
  double* state = totals.states.data();
  std::fill(totals.states.begin(), totals.states.end(), 0.0);
  const auto update = [&](const std::vector<Metric>& metrics, const float* weights) {
    for (const Metric& metric : metrics) {
      metric_update(metric, count, job.width, p, target, job.target_width, weights, state);
      state += metric_state_size(metric, job.width);
    }
  };
  update(job.metrics, masked ? room.mask.data() : nullptr);
  update(job.weighted_metrics, weighted ? room.weights.data() : nullptr);
}

}  // namespace sonde
