#include "cli/learning_log.hpp"

#include <chrono>

namespace sonde::cli {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Callback LearningLog::callback() {
  return LambdaCallback{.train_begin =
                            [this](Training&) {
                              directory_.remove_events();
                              board_.emplace(directory_.folder());
                            },
                        .epoch_end =
                            [this](Training& t) {
                              epochs_.push_back(t.epoch);
                              times_.push_back(now());
                              logs_.push_back(t.logs);
                              write(logs_.size() - 1);
                            },
                        .train_end = [this](Training&) { board_.reset(); },
                        .archive =
                            [this](Archive& a) {
                              a(epochs_, times_, logs_);
                              for (std::size_t i = 0; a.reads() && i < logs_.size(); ++i) write(i);
                            }};
}

void LearningLog::write(std::size_t entry) {
  for (const auto& [name, value] : logs_[entry])
    board_->scalar("epoch_" + name, epochs_[entry], value, times_[entry]);
}

}  // namespace sonde::cli
