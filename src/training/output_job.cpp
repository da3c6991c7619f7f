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
  mask = plan.output_mask(output);
  if (mask >= 0) mask_count = plan.mask_count(output);
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
      probability(job.vectors * rows * job.width),
      sums(job.is_of_batch() ? 0 : static_cast<std::size_t>(job.groups(rows))) {}

void OutputTotals::add(const OutputTotals& other) {
  loss += other.loss;
  for (std::size_t i = 0; i < states.size(); ++i) states[i] += other.states[i];
  for (std::size_t i = 0; i < overlaps.size(); ++i) {
    overlaps[i].product += other.overlaps[i].product;
    overlaps[i].labels += other.overlaps[i].labels;
    overlaps[i].outputs += other.overlaps[i].outputs;
    overlaps[i].weights += other.overlaps[i].weights;
  }
}

double OutputJob::mask_factor(double total, double valid) const {
  const Reduction reduction = std::visit([](const auto& spec) { return spec.reduction; }, loss);
  const bool mean = reduction == Reduction::sum_over_batch_size || reduction == Reduction::mean;
  return mean ? total / (valid + 1e-7) : 1.0;
}

bool OutputJob::ignores() const {
  const auto* sparse = std::get_if<SparseCategoricalCrossentropy>(&loss);
  return sparse != nullptr && sparse->ignore_class.has_value();
}

bool OutputJob::counts() const {
  const Reduction reduction = std::visit([](const auto& spec) { return spec.reduction; }, loss);
  return ignores() || reduction == Reduction::mean_with_sample_weight;
}

float batch_scale(const OutputJob& job, Index output, const SampleSource& source, Index epoch,
                  const Index* numbers, Index rows, float* room) noexcept {
  double values = static_cast<double>(rows * job.vectors), weights = 0;
  if (job.counts()) {
    const auto o = static_cast<std::size_t>(output);
    values = 0;
    for (Index r = 0; r < rows; ++r) {
      const Sample sample = room == nullptr ? source.sample(epoch, numbers[r])
                                            : source.training_sample(epoch, numbers[r], room);
      for (Index t = 0; t < job.vectors; ++t) {
        if (!loss_counts(job.loss, sample.y[o][t * job.target_width])) continue;
        values += 1;
        weights += weight_of(job, sample.weights[o], sample.y[o], t);
      }
    }
  }
  if (const Index groups = job.groups(rows); groups > 0) {
    // A group weighs as much as its steps do in the mean.
    weights *= static_cast<double>(groups) / values;
    values = static_cast<double>(groups);
  }
  return static_cast<float>(loss_scale(job.loss, values, weights));
}

void gather_targets(const OutputJob& job, Index output, const Sample& sample, Index rows, Index r,
                    OutputRoom& room) noexcept {
  const auto o = static_cast<std::size_t>(output);
  const float* y = sample.y[o];
  const float* w = sample.weights[o];
  for (Index t = 0; t < job.vectors; ++t) {
    const Index at = (t / job.per_step * rows + r) * job.per_step + t % job.per_step;
    const bool counts = loss_counts(job.loss, y[t * job.target_width]);
    std::copy_n(y + t * job.target_width, job.target_width,
                room.target.data() + at * job.target_width);
    room.mask.data()[at] = counts && given_weight(job, w, t) != 0.0f ? 1.0f : 0.0f;
    room.weights.data()[at] = counts ? weight_of(job, w, y, t) : 0.0f;
  }
}

namespace {

/// Steps that the model's mask leaves out count nowhere. mask: (steps, rows).
void apply_mask(const OutputJob& job, Index count, const float* mask, OutputRoom& room) {
  for (Index i = 0; i < count; ++i)
    if (mask[i / job.per_step] == 0) room.mask.data()[i] = room.weights.data()[i] = 0;
}

LossBatch<float> loss_batch(const OutputJob& job, Index rows, const float* y, bool weighted,
                            const OutputRoom& room) {
  return {.count = job.vectors * rows,
          .width = job.width,
          .y = y,
          .target = room.target.data(),
          .target_width = job.target_width,
          .weights = weighted ? room.weights.data() : nullptr,
          .rows = rows,
          .per_step = job.per_step,
          .kept = job.kept};
}

}  // namespace

void judge_batch(const OutputJob& job, Index rows, OutputTotals& totals) noexcept {
  const Index groups = job.groups(rows);
  const double numbers = static_cast<double>(rows * job.vectors * job.width);
  totals.loss = overlap_values(job.loss, groups, numbers / static_cast<double>(groups),
                               totals.overlaps.data());
}

void write_overlap_gradient(const OutputJob& job, Index rows, const float* y, bool masked,
                            const OutputTotals& batch, const OutputRoom& room, float* dy) noexcept {
  const bool weighted = masked || job.weights > 0 || !job.class_weight.empty();
  overlap_gradient(loss_batch(job, rows, y, weighted, room), batch.overlaps.data(),
                   room.scale * job.loss_weight, dy);
}

void judge_shard(const OutputJob& job, Index rows, const float* y, const float* mask, float* dy,
                 OutputRoom& room, OutputTotals& totals) noexcept {
  const Index count = job.vectors * rows;
  if (mask != nullptr) apply_mask(job, count, mask, room);
  const bool masked = mask != nullptr || job.weights > 0 || job.ignores();
  const bool weighted = masked || !job.class_weight.empty();
  const float* target = room.target.data();
  LossBatch<float> batch = loss_batch(job, rows, y, weighted, room);
  if (job.is_of_batch()) {
    totals.loss = 0;
    std::fill(totals.overlaps.begin(), totals.overlaps.end(), OverlapSums{});
    add_overlaps(batch, totals.overlaps.data());
  } else {
    batch.sums = room.sums.data();
    totals.loss =
        loss_value_and_gradient(job.loss, job.head, batch, room.scale * job.loss_weight, dy);
  }
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
