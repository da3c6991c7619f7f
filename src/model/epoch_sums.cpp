#include "model/epoch_sums.hpp"

#include <algorithm>

namespace sonde {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

void add_metrics(const OutputJob& job, const std::vector<Metric>& metrics,
                 const std::string& prefix, const std::string& kind, const double*& sums,
                 Logs& logs) {
  for (const Metric& metric : metrics) {
    std::string name = prefix + metric_name(metric);
    if (!kind.empty() && logs.count(name)) name = prefix + kind + metric_name(metric);
    logs[name] = metric_result(metric, job.width, sums);
    sums += metric_state_size(metric, job.width);
  }
}

}  // namespace

EpochSums::EpochSums(const Model::State& state, const OutputJudge& judge)
    : state_(state), judge_(judge) {
  for (const OutputJob& job : judge.jobs())
    totals_.push_back({0, std::vector<double>(at(job.state_size()))});
  losses_.resize(totals_.size());
}

void EpochSums::add_batch(double penalty, Index rows) {
  const auto samples = static_cast<double>(rows);
  const std::vector<float> scales = judge_.scales();
  double loss = penalty;
  for (std::size_t o = 0; o < totals_.size(); ++o) {
    const OutputTotals& batch = judge_.totals()[o];
    const double part = batch.loss * static_cast<double>(scales[o]);
    loss += part * static_cast<double>(judge_.jobs()[o].loss_weight);
    losses_[o] += part * samples;
    totals_[o].add(batch);
  }
  loss_ += loss * samples;
  samples_ += samples;
}

Logs EpochSums::logs(const std::string& prefix) const {
  const std::vector<OutputJob>& jobs = judge_.jobs();
  Logs logs;
  logs[prefix + "loss"] = loss_ / samples_;
  for (std::size_t o = 0; o < jobs.size(); ++o) {
    std::string output = prefix;
    if (jobs.size() > 1) {
      const auto& source = state_.graph.outputs()[o];
      output += state_.graph.layer(state_.graph.calls()[at(source.call)]).name + "_";
      logs[output + "loss"] = losses_[o] / samples_;
    }
    const double* sums = totals_[o].states.data();
    add_metrics(jobs[o], jobs[o].metrics, output, "", sums, logs);
    add_metrics(jobs[o], jobs[o].weighted_metrics, output, "weighted_", sums, logs);
  }
  return logs;
}

void EpochSums::clear() {
  for (OutputTotals& each : totals_) {
    each.loss = 0;
    std::fill(each.states.begin(), each.states.end(), 0.0);
  }
  std::fill(losses_.begin(), losses_.end(), 0.0);
  loss_ = samples_ = 0;
}

void EpochSums::archive(Archive& a) {
  for (OutputTotals& each : totals_) a(each.loss, each.states);
  a(losses_, loss_, samples_);
}

}  // namespace sonde
