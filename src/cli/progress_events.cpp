#include "cli/progress_events.hpp"

#include <chrono>
#include <cstdio>
#include <limits>

namespace sonde::cli {
namespace {

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

}  // namespace

void print_event(const nlohmann::ordered_json& event) {
  // Texts of strangers need not be UTF-8.
  const std::string line =
      event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

/// `epoch` counts from 1, as for people; NaN and infinity are null.
nlohmann::ordered_json ProgressEvents::state(const Training& t, const char* event) const {
  const double seconds = now() - started_;
  const Index done = t.batch - first_batch_;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;  // batches a second
  const auto left = static_cast<double>((t.epochs - t.epoch) * t.batches - t.batch);
  nlohmann::ordered_json json = {{"event", event},
                                 {"epoch", t.epoch + 1},
                                 {"epochs", t.epochs},
                                 {"batch", t.batch},
                                 {"batches", t.batches},
                                 {"seconds", seconds},
                                 {"samples_per_second", rate * static_cast<double>(batch_size_)}};
  json["seconds_left"] = rate > 0 ? left / rate : std::numeric_limits<double>::quiet_NaN();
  json["values"] = t.logs;
  return json;
}

void ProgressEvents::train_begin(Training& t) {
  started_ = last_printed_ = now();
  print_event({{"event", "begin"},
               {"epochs", t.epochs},
               {"batches", t.batches},
               {"batch_size", batch_size_},
               {"resumed", t.resumed}});
}

void ProgressEvents::epoch_begin(Training&) {
  started_ = now();
  first_batch_ = 0;
}

void ProgressEvents::batch_end(Training& t) {
  if (first_batch_ < 0) first_batch_ = t.batch - 1;
  const double time = now();
  if (time - last_printed_ < 1) return;
  last_printed_ = time;
  print_event(state(t, "batch"));
}

void ProgressEvents::epoch_end(Training& t) { print_event(state(t, "epoch")); }

}  // namespace sonde::cli
