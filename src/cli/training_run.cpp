#include "cli/training_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <new>
#include <sonde/error.hpp>
#include <sonde/not_finite.hpp>

#include "cli/interrupt.hpp"
#include "cli/progress_events.hpp"

namespace sonde::cli {
namespace {

/// What comes next must not stand behind a moving progress line.
void leave_line(const RunDirectory& directory) {
  if (directory.voice() == RunDirectory::Voice::people && isatty(STDERR_FILENO))
    std::fputs("\n", stderr);
}

}  // namespace

TrainingRun::TrainingRun(RunDirectory& directory, Model& model, const Extras& extras,
                         std::string monitor, std::function<void()> before)
    : directory_(directory),
      learning_(directory),
      model_(model),
      extras_(extras),
      before_(std::move(before)) {
  watched_.name = std::move(monitor);
}

void TrainingRun::fit(const SampleSource& samples, FitOptions options,
                      std::function<void(Training&)> judge) {
  epochs_ = options.epochs;
  samples_ = &samples;
  batch_size_ = std::min(options.batch_size, samples.size());
  std::vector<Callback> callbacks;
  if (judge) callbacks.emplace_back(LambdaCallback{.epoch_end = std::move(judge)});
  callbacks.emplace_back(LambdaCallback{
      .train_begin = [this](Training&) { before_(); },
      .epoch_begin =
          [this](Training& t) {
            if (done_ > 0) check_signal(t);
          },
      .batch_end = [this](Training& t) { check_loss(t); },
  });
  callbacks.emplace_back(CSVLogger{.filename = directory_.file("history.csv").string()});
  callbacks.push_back(learning_.callback());
  callbacks.push_back(progress());
  callbacks.emplace_back(LambdaCallback{.epoch_end = [this](Training& t) { epoch_end(t); },
                                        .archive = [this](Archive& a) { archive(a); }});
  callbacks.insert(callbacks.end(), options.callbacks.begin(), options.callbacks.end());
  // A signal ends training where a checkpoint is whole: after all others have seen the batch, or
  // before any has seen the epoch.
  callbacks.emplace_back(LambdaCallback{.batch_end = [this](Training& t) { check_signal(t); }});
  options.callbacks = std::move(callbacks);
  options.verbose = false;

  watch_signals();
  const History history = [&] {
    try {
      return model_.fit(samples, std::move(options));
    } catch (const std::bad_alloc&) {
      out_of_memory();
    }
  }();
  status_ = history.stop_reason ? "stopped early" : "finished";
  reason_ = history.stop_reason.value_or("");
  if (!reason_.empty()) directory_.say("stopped: " + reason_);
  announce_end();
  model_.set_weights(best_weights_);
}

/// One callback in any case: a run may go on in another voice.
Callback TrainingRun::progress() const {
  switch (directory_.voice()) {
    case RunDirectory::Voice::people:
      return ProgressBar{.stream = stderr};
    case RunDirectory::Voice::programs:
      return ProgressEvents(batch_size_);
    case RunDirectory::Voice::none:
      break;
  }
  return LambdaCallback{};
}

void TrainingRun::archive(Archive& a) {
  a(watched_.best, done_, best_epoch_, best_logs_, best_weights_);
}

void TrainingRun::check_loss(const Training& t) {
  const auto loss = t.logs.find("loss");
  if (loss != t.logs.end() && !std::isfinite(loss->second)) diverge(t, "loss", loss->second);
}

void TrainingRun::epoch_end(Training& t) {
  ++done_;
  std::string line = fmt::format("epoch {}/{}:", t.epoch + 1, t.epochs);
  for (const auto& [name, value] : t.logs) line += fmt::format(" {} {:.6g}", name, value);
  directory_.log(line);
  const double value = watched_.value(t);
  if (!std::isfinite(value)) diverge(t, watched_.name, value);
  if (!watched_.improves(value)) return;
  best_epoch_ = t.epoch;
  best_logs_ = t.logs;
  best_weights_ = t.weights();
  save_model_file(directory_.file("model.keras"), model_, extras_);
}

void TrainingRun::check_signal(const Training& t) {
  const int signal = signal_seen();
  if (signal == 0) return;
  leave_line(directory_);
  status_ = "interrupted";
  const std::string name = signal == SIGINT ? "Ctrl-C" : "a signal to end";
  reason_ = fmt::format("{} in epoch {}", name, t.epoch + 1);
  t.checkpoint();
  save_model_file(directory_.file("last.keras"), model_, extras_);
  if (best_epoch_ < 0) save_model_file(directory_.file("model.keras"), model_, extras_);
  write_metrics();
  announce_end();
  const std::string message = fmt::format(
      "interrupted by {}. The model as it was then is in {}, the best so far in {}. `sonde train "
      "--resume --out {}` goes on.",
      reason_, directory_.file("last.keras").string(), directory_.file("model.keras").string(),
      directory_.folder().string());
  directory_.log(message);
  throw Interrupted(signal, message);
}

void TrainingRun::diverge(const Training& t, const std::string& name, double value) {
  leave_line(directory_);
  status_ = "diverged";
  reason_ = fmt::format("{} became {} in epoch {}, batch {} (step {})", name, value, t.epoch + 1,
                        t.batch, model_.iterations());
  const FitBatch batch{.epoch = t.epoch, .batch = t.batch - 1, .batch_size = batch_size_};
  if (const std::string where = first_not_finite(model_, *samples_, batch); !where.empty())
    reason_ += ": " + where;
  write_metrics();
  const std::string kept =
      best_epoch_ < 0
          ? std::string("No epoch was finished, so no model is saved")
          : fmt::format("The best model so far is in {}", directory_.file("model.keras").string());
  announce_end();
  const std::string message = fmt::format(
      "training diverged: {}. {}. Try a smaller --learning-rate (now {:.6g}), or --normalize "
      "zscore.",
      reason_, kept, t.learning_rate());
  directory_.log(message);
  throw DivergedError(message);
}

void TrainingRun::out_of_memory() {
  leave_line(directory_);
  status_ = "out of memory";
  std::string message =
      "out of memory. Use less data, shorter signals, a smaller --batch-size or a --memory limit.";
  std::error_code ignored;
  if (std::filesystem::exists(directory_.file("last.checkpoint"), ignored)) {
    write_metrics();
    message += fmt::format(
        " What was learned until the last checkpoint is safe: `sonde train --resume --out {}` goes "
        "on.",
        directory_.folder().string());
  }
  announce_end();
  throw LimitError(message);
}

void TrainingRun::announce_end() const {
  if (directory_.voice() != RunDirectory::Voice::programs) return;
  nlohmann::ordered_json event = {{"event", "end"}};
  event.update(metrics());
  print_event(event);
}

std::string TrainingRun::best_text() const {
  return fmt::format("{} {:.6g} in epoch {} of {}", watched_.name, watched_.best.value_or(NAN),
                     best_epoch_ + 1, epochs_);
}

nlohmann::ordered_json TrainingRun::metrics() const {
  nlohmann::ordered_json json = {{"status", status_}};
  if (!reason_.empty()) json["reason"] = reason_;
  json["epochs"] = done_;
  json["monitor"] = watched_.name;
  if (best_epoch_ >= 0) {
    json["best_epoch"] = best_epoch_ + 1;
    json["best"] = best_logs_;
  }
  return json;
}

void TrainingRun::write_metrics() const {
  directory_.write("metrics.json", metrics().dump(2) + "\n");
}

nlohmann::ordered_json TrainingRun::finish(nlohmann::ordered_json scores) {
  nlohmann::ordered_json json = metrics();
  json.update(scores);
  directory_.write("metrics.json", json.dump(2) + "\n");
  return json;
}

}  // namespace sonde::cli
