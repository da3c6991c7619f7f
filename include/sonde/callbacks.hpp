#pragma once
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <sonde/archive.hpp>
#include <string>
#include <vector>

/// What happens between the epochs and batches of fit. Keras: keras.callbacks.
namespace sonde {

class Model;

/// Values by name, in alphabetical order as in Keras: "loss", "accuracy", "val_loss", …
using Logs = std::map<std::string, double>;

/// The state of a running fit, as callbacks see it. Not for other threads.
class Training {
 public:
  explicit Training(Model& model) : model_(model) {}

  Index epoch = 0;  ///< from 0
  Index epochs = 0;
  Index batch = 0;  ///< batches of this epoch that are done
  Index batches = 0;
  Index samples = 0;     ///< of an epoch
  Logs logs;             ///< of the epoch so far; at its end with val_ values
  bool resumed = false;  ///< this fit goes on from a checkpoint

  Model& model() { return model_; }
  /// Ends training after the batch or epoch that runs. Says why, for the log.
  void stop(std::string reason) {
    if (!stop_reason_) stop_reason_ = std::move(reason);
  }
  const std::optional<std::string>& stop_reason() const { return stop_reason_; }

  /// Writes a checkpoint now, where fit was given a place for it. For the first callback in
  /// epoch_begin and the last one in batch_end: what other callbacks do at that moment would be
  /// done twice, or not at all.
  void checkpoint() const {
    if (write_checkpoint_) write_checkpoint_();
  }
  void on_checkpoint(std::function<void()> write) { write_checkpoint_ = std::move(write); }
  void archive(Archive& a) { a(epoch, batch, stop_reason_); }

  /// The optimizer's rate; setting it needs a rate that is a number, not a schedule.
  double learning_rate() const;
  void set_learning_rate(double rate);
  /// The model's weights, copied: for callbacks that bring earlier ones back.
  std::vector<Array> weights() const;
  void set_weights(const std::vector<Array>& weights);

 private:
  Model& model_;
  std::optional<std::string> stop_reason_;
  std::function<void()> write_checkpoint_;
};

/// Any callback, as a value: an object with any of the members train_begin, epoch_begin, batch_end,
/// epoch_end, train_end, each taking Training&, and `archive(Archive&)`, with which it keeps in a
/// checkpoint what it has seen; that is brought back after train_begin. Copies share the object.
class Callback {
 public:
  template <class C>
  requires(!std::same_as<C, Callback>) Callback(C callback)
      : held_(std::make_shared<Held<C>>(std::move(callback))) {}

  void train_begin(Training& t) const { held_->train_begin(t); }
  void epoch_begin(Training& t) const { held_->epoch_begin(t); }
  void batch_end(Training& t) const { held_->batch_end(t); }
  void epoch_end(Training& t) const { held_->epoch_end(t); }
  void train_end(Training& t) const { held_->train_end(t); }
  void archive(Archive& a) const { held_->archive(a); }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual void train_begin(Training&) = 0;
    virtual void epoch_begin(Training&) = 0;
    virtual void batch_end(Training&) = 0;
    virtual void epoch_end(Training&) = 0;
    virtual void train_end(Training&) = 0;
    virtual void archive(Archive&) = 0;
  };
  template <class C>
  struct Held final : Concept {
    explicit Held(C c) : callback(std::move(c)) {}
    void train_begin([[maybe_unused]] Training& t) override {
      if constexpr (requires { callback.train_begin(t); }) callback.train_begin(t);
    }
    void epoch_begin([[maybe_unused]] Training& t) override {
      if constexpr (requires { callback.epoch_begin(t); }) callback.epoch_begin(t);
    }
    void batch_end([[maybe_unused]] Training& t) override {
      if constexpr (requires { callback.batch_end(t); }) callback.batch_end(t);
    }
    void epoch_end([[maybe_unused]] Training& t) override {
      if constexpr (requires { callback.epoch_end(t); }) callback.epoch_end(t);
    }
    void train_end([[maybe_unused]] Training& t) override {
      if constexpr (requires { callback.train_end(t); }) callback.train_end(t);
    }
    void archive([[maybe_unused]] Archive& a) override {
      if constexpr (requires { callback.archive(a); }) callback.archive(a);
    }
    C callback;
  };

  std::shared_ptr<Concept> held_;
};

/// Own code at any moment: `LambdaCallback{.epoch_end = [](Training& t) { … }}`.
struct LambdaCallback {
  std::function<void(Training&)> train_begin = [](Training&) {};
  std::function<void(Training&)> epoch_begin = [](Training&) {};
  std::function<void(Training&)> batch_end = [](Training&) {};
  std::function<void(Training&)> epoch_end = [](Training&) {};
  std::function<void(Training&)> train_end = [](Training&) {};
  std::function<void(Archive&)> archive = [](Archive&) {};
};

enum class Direction { automatic, min, max };

/// The watched value and whether it got better. With `automatic`, accuracies, precision, recall,
/// AUC and F1 shall grow and everything else shall shrink.
struct Monitor {
  std::string name = "val_loss";
  Direction mode = Direction::automatic;
  double min_delta = 0;
  std::optional<double> best = {};

  /// The value in the logs. Throws ArgumentError, with the names that exist, when it is missing.
  double value(const Training& training) const;
  bool better(double current, double than) const;
  /// Keeps `current` when it beats the best so far; a first NaN is kept and never beaten (Keras).
  bool improves(double current);
};

/// Ends training when the monitored value no longer improves. Keras: EarlyStopping.
struct EarlyStopping {
  std::string monitor = "val_loss";
  double min_delta = 0;
  Index patience = 0;
  Direction mode = Direction::automatic;
  std::optional<double> baseline = {};
  bool restore_best_weights = false;
  Index start_from_epoch = 0;

  void train_begin(Training&);
  void epoch_end(Training&);
  void train_end(Training&);
  void archive(Archive& a) { a(watched.best, wait, best_epoch, best_weights); }

  // What it has seen.
  Monitor watched = {};
  Index wait = 0;
  Index best_epoch = 0;
  std::vector<Array> best_weights = {};
};

/// Multiplies the learning rate by `factor` when the monitored value stays. Keras:
/// ReduceLROnPlateau. Adds "learning_rate" to the logs.
struct ReduceLROnPlateau {
  std::string monitor = "val_loss";
  double factor = 0.1;
  Index patience = 10;
  Direction mode = Direction::automatic;
  double min_delta = 1e-4;
  Index cooldown = 0;
  double min_lr = 0;

  void train_begin(Training&);
  void epoch_end(Training&);
  void archive(Archive& a) { a(watched.best, wait, cooling); }

  Monitor watched = {};
  Index wait = 0;
  Index cooling = 0;
};

/// Sets the learning rate before each epoch to schedule(epoch, rate). Keras: LearningRateScheduler.
struct LearningRateScheduler {
  std::function<double(Index epoch, double rate)> schedule;

  void epoch_begin(Training&);
  void epoch_end(Training&);
};

/// Stops when the loss is NaN or infinite. Keras: TerminateOnNaN.
struct TerminateOnNaN {
  void batch_end(Training&);
};

/// One line per epoch: `epoch` from 0, then the logs in alphabetical order. Keras: CSVLogger.
/// Throws IoError when the file cannot be written.
struct CSVLogger {
  std::string filename;
  char separator = ',';
  bool append = false;

  void train_begin(Training&);
  void epoch_end(Training&);
  void train_end(Training&);
  /// Brought back, it cuts off the lines of epochs that came after the checkpoint.
  void archive(Archive& a);

  std::shared_ptr<std::FILE> file = {};
  bool headed = false;  ///< the line of names is written
  std::vector<std::string> keys = {};
};

/// Writes the model after each epoch, or only when the monitored value improves. `filepath` ends in
/// .keras; {epoch:02d} (from 1) and {val_loss:.4f} are filled in. Keras: ModelCheckpoint.
/// Lives in the component `formats`.
struct ModelCheckpoint {
  std::string filepath;
  std::string monitor = "val_loss";
  bool save_best_only = false;
  Direction mode = Direction::automatic;

  void train_begin(Training&);
  void epoch_end(Training&);
  void archive(Archive& a) { a(watched.best); }

  Monitor watched = {};
};

/// How training goes: on a terminal one moving line with bar, ETA and values; in a pipe or file one
/// plain line for each epoch.
struct ProgressBar {
  std::FILE* stream = stdout;

  void train_begin(Training&);
  void epoch_begin(Training&);
  void batch_end(Training&);
  void epoch_end(Training&);

  bool terminal = false;  ///< one moving line; else one plain line for each epoch
  bool colour = false;
  double epoch_started = 0;  ///< seconds on a steady clock
  double first_batch = 0;    ///< when the first batch of the epoch ended that was seen here
  Index first_number = 1;    ///< which one it was, from 1
  double last_drawn = 0;
};

}  // namespace sonde
