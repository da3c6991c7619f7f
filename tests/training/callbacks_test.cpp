#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <limits>
#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>
#include <string>
#include <utility>

#include "tests/support/files.hpp"

// Cases and expected epochs, rates and weights are those of keras/src/callbacks/*_test.py.
namespace sonde {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Model small_model(float rate = 0.1f) {
  auto x = Input({1});
  auto y = Dense{.units = 1, .use_bias = false}(x);
  Model model(x, y);
  model.compile({.optimizer = SGD{.learning_rate = rate}, .loss = MeanSquaredError{}});
  return model;
}

/// Calls the callback as fit would, with these values of `name`; the only weight is the epoch's
/// number. Returns the epochs that ran.
template <class C>
Index play(C& callback, Training& t, const std::string& name, const std::vector<double>& values) {
  t.epochs = static_cast<Index>(values.size());
  if constexpr (requires { callback.train_begin(t); }) callback.train_begin(t);
  for (t.epoch = 0; t.epoch < t.epochs && !t.stop_reason(); ++t.epoch) {
    t.set_weights({Array({1, 1}, std::vector<float>{static_cast<float>(t.epoch)})});
    t.logs = {{name, values[static_cast<std::size_t>(t.epoch)]}};
    callback.epoch_end(t);
  }
  if constexpr (requires { callback.train_end(t); }) callback.train_end(t);
  return t.epoch;
}

float weight(Training& t) { return t.weights()[0](0, 0); }

// --- Monitor -------------------------------------------------------------------------------------

TEST(Monitor, automatic_direction_lets_accuracies_grow_and_all_else_shrink) {
  for (const char* name : {"acc", "val_accuracy", "binary_accuracy", "f1_score", "val_auc_1",
                           "label_precision", "recall", "balanced_accuracy"})
    EXPECT_TRUE(Monitor{.name = name}.better(0.6, 0.5)) << name;
  for (const char* name : {"loss", "val_loss", "mse", "hinge", "accuracy_loss", "learning_rate"})
    EXPECT_TRUE(Monitor{.name = name}.better(0.4, 0.5)) << name;
}

TEST(Monitor, a_given_direction_wins) {
  EXPECT_TRUE((Monitor{.name = "val_mse", .mode = Direction::max}.better(2, 1)));
  EXPECT_TRUE((Monitor{.name = "accuracy", .mode = Direction::min}.better(1, 2)));
}

TEST(Monitor, a_change_must_exceed_min_delta) {
  Monitor loss{.name = "loss", .min_delta = 0.5};
  EXPECT_FALSE(loss.better(1.5, 2.0));
  EXPECT_TRUE(loss.better(1.25, 2.0));
  Monitor accuracy{.name = "accuracy", .min_delta = 0.5};
  EXPECT_FALSE(accuracy.better(2.5, 2.0));
  EXPECT_TRUE(accuracy.better(2.75, 2.0));
}

TEST(Monitor, keeps_a_first_NaN_and_never_beats_it) {
  Monitor monitor{.name = "loss"};
  EXPECT_TRUE(monitor.improves(nan));
  EXPECT_FALSE(monitor.improves(0.1));
  EXPECT_TRUE(std::isnan(*monitor.best));
}

TEST(Monitor, a_missing_value_is_refused_with_the_names_that_exist) {
  Model model = small_model();
  Training t(model);
  t.logs = {{"accuracy", 1}, {"loss", 1}};
  const std::string message =
      testing::refused_with<ArgumentError>([&] { Monitor{.name = "val_loss"}.value(t); });
  EXPECT_EQ(message,
            "callback: monitor = \"val_loss\" is not among the values of an epoch. Known: "
            "accuracy, loss. Values that begin with val_ need validation data.");
}

// --- EarlyStopping -------------------------------------------------------------------------------

TEST(EarlyStopping, stops_after_patience_epochs_without_improvement) {
  for (const Index patience : {0, 1, 2, 3}) {
    Model model = small_model();
    Training t(model);
    EarlyStopping stopping{.monitor = "loss", .patience = patience};
    const Index epochs = play(stopping, t, "loss", {10, 9, 8, 9, 8.9, 8.8, 8.7, 8.6, 8.5});
    EXPECT_EQ(epochs - 1, std::max<Index>(patience, 1) + 2) << patience;
    EXPECT_TRUE(t.stop_reason()->starts_with("loss did not improve for ")) << *t.stop_reason();
  }
}

TEST(EarlyStopping, brings_back_the_weights_of_the_best_epoch) {
  Model model = small_model();
  Training t(model);
  EarlyStopping stopping{.patience = 2, .restore_best_weights = true};
  EXPECT_EQ(play(stopping, t, "val_loss", {0.2, 0.15, 0.1, 0.11, 0.12}), 5);
  EXPECT_EQ(weight(t), 2);
}

TEST(EarlyStopping, keeps_the_last_weights_when_not_asked_to_bring_back_the_best) {
  Model model = small_model();
  Training t(model);
  EarlyStopping stopping{.patience = 2};
  play(stopping, t, "val_loss", {0.2, 0.15, 0.1, 0.11, 0.12});
  EXPECT_EQ(weight(t), 4);
}

TEST(EarlyStopping, waits_on_while_no_epoch_beats_the_baseline) {
  Model model = small_model();
  Training t(model);
  EarlyStopping stopping{.patience = 5, .baseline = 0.5, .restore_best_weights = true};
  EXPECT_EQ(play(stopping, t, "val_loss", {0.9, 0.8, 0.7, 0.71, 0.72, 0.73}), 5);
  EXPECT_EQ(weight(t), 2);
}

TEST(EarlyStopping, brings_back_the_best_weights_whatever_ended_training) {
  Model model = small_model();
  Training t(model);
  EarlyStopping stopping{.patience = 5, .restore_best_weights = true};
  play(stopping, t, "val_loss", {0.9, 0.7, 0.8});
  EXPECT_FALSE(t.stop_reason());
  EXPECT_EQ(weight(t), 1);
}

TEST(EarlyStopping, looks_at_nothing_before_start_from_epoch) {
  Model model = small_model();
  Training t(model);
  EarlyStopping stopping{.monitor = "loss", .patience = 1, .start_from_epoch = 3};
  EXPECT_EQ(play(stopping, t, "loss", {1, 2, 3, 4, 5, 6}), 5);
  EXPECT_EQ(stopping.best_epoch, 3);
}

TEST(EarlyStopping, begins_anew_in_the_next_fit) {
  Model model = small_model();
  EarlyStopping stopping{.monitor = "loss", .patience = 1};
  Training first(model), second(model);
  play(stopping, first, "loss", {0.1, 0.2});
  EXPECT_EQ(play(stopping, second, "loss", {5, 4, 3}), 3);
  EXPECT_EQ(stopping.wait, 0);
}

// --- the learning rate ---------------------------------------------------------------------------

TEST(ReduceLROnPlateau, divides_the_rate_after_patience_epochs) {
  Model model = small_model();
  Training t(model);
  ReduceLROnPlateau reduce{.factor = 0.1, .patience = 1, .min_delta = 100};
  play(reduce, t, "val_loss", {1, 1});
  EXPECT_NEAR(t.learning_rate(), 0.01, 1e-8);
}

TEST(ReduceLROnPlateau, never_goes_below_min_lr) {
  Model model = small_model();
  Training t(model);
  ReduceLROnPlateau reduce{.factor = 0.1, .patience = 1, .min_delta = 10, .min_lr = 0.005};
  play(reduce, t, "val_loss", {1, 1, 1, 1});
  EXPECT_NEAR(t.learning_rate(), 0.005, 1e-8);
}

TEST(ReduceLROnPlateau, waits_for_the_cooldown_after_a_reduction) {
  Model model = small_model();
  Training t(model);
  ReduceLROnPlateau reduce{.factor = 0.1, .patience = 1, .min_delta = 100, .cooldown = 2};
  play(reduce, t, "val_loss", {1, 1, 1, 1});
  EXPECT_NEAR(t.learning_rate(), 0.001, 1e-8);
}

TEST(ReduceLROnPlateau, adds_the_rate_to_the_logs_before_it_changes_it) {
  Model model = small_model();
  Training t(model);
  ReduceLROnPlateau reduce{.patience = 1, .min_delta = 100};
  play(reduce, t, "val_loss", {1, 1});
  EXPECT_NEAR(t.logs.at("learning_rate"), 0.1, 1e-8);
}

TEST(ReduceLROnPlateau, refuses_a_factor_that_does_not_reduce) {
  Model model = small_model();
  Training t(model);
  EXPECT_EQ(testing::refused_with<ArgumentError>(
                [&] { ReduceLROnPlateau{.factor = 1.0}.train_begin(t); }),
            "ReduceLROnPlateau: factor must be below 1, got 1. Use 0.1 to divide the rate by ten.");
}

TEST(LearningRateScheduler, sets_the_rate_before_each_epoch_and_logs_it) {
  Model model = small_model();
  Training t(model);
  LearningRateScheduler scheduler{
      [](Index epoch, double rate) { return epoch < 2 ? rate : rate / 2; }};
  for (t.epoch = 0; t.epoch < 4; ++t.epoch) {
    scheduler.epoch_begin(t);
    scheduler.epoch_end(t);
  }
  EXPECT_NEAR(t.learning_rate(), 0.025, 1e-8);
  EXPECT_NEAR(t.logs.at("learning_rate"), 0.025, 1e-8);
}

TEST(LearningRateScheduler, refuses_a_rate_that_is_no_number) {
  Model model = small_model();
  Training t(model);
  LearningRateScheduler scheduler{[](Index, double) { return nan; }};
  EXPECT_THROW(scheduler.epoch_begin(t), ArgumentError);
}

// --- TerminateOnNaN ------------------------------------------------------------------------------

TEST(TerminateOnNaN, stops_at_a_loss_that_is_no_number_or_infinite) {
  for (const double loss : {nan, HUGE_VAL, -HUGE_VAL}) {
    Model model = small_model();
    Training t(model);
    t.epoch = 1;
    t.batch = 7;
    t.logs = {{"loss", 1.0}};
    TerminateOnNaN{}.batch_end(t);
    EXPECT_FALSE(t.stop_reason());
    t.logs = {{"loss", loss}};
    TerminateOnNaN{}.batch_end(t);
    EXPECT_TRUE(t.stop_reason()->ends_with("in epoch 2, batch 7.")) << *t.stop_reason();
  }
}

// --- CSVLogger -----------------------------------------------------------------------------------

class CsvLogger : public ::testing::Test {
 protected:
  std::string content() const {
    std::string text;
    std::FILE* file = std::fopen(path_.c_str(), "rb");
    for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
    std::fclose(file);
    return text;
  }
  void write(CSVLogger logger, const std::vector<Logs>& epochs) {
    Model model = small_model();
    Training t(model);
    logger.filename = path_;
    logger.train_begin(t);
    for (const Logs& logs : epochs) {
      t.logs = logs;
      logger.epoch_end(t);
      ++t.epoch;
    }
    logger.train_end(t);
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "history.csv";
};

TEST_F(CsvLogger, writes_epochs_from_0_and_names_in_alphabetical_order) {
  write({.filename = {}}, {{{"val_loss", 0.5}, {"loss", 0.25}, {"accuracy", 1}},
                           {{"val_loss", 1e-5}, {"loss", 0.1}, {"accuracy", nan}}});
  // As Python's csv.DictWriter writes these numbers.
  EXPECT_EQ(content(), "epoch,accuracy,loss,val_loss\r\n0,1.0,0.25,0.5\r\n1,nan,0.1,1e-05\r\n");
}

TEST_F(CsvLogger, keeps_columns_for_validation_that_begins_later) {
  write({.filename = {}}, {{{"loss", 0.5}}, {{"loss", 0.25}, {"val_loss", 0.75}}});
  EXPECT_EQ(content(), "epoch,loss,val_loss\r\n0,0.5,NA\r\n1,0.25,0.75\r\n");
}

TEST_F(CsvLogger, appends_without_a_second_header) {
  write({.filename = {}}, {{{"val_loss", 1}}});
  write({.filename = {}, .append = true}, {{{"val_loss", 2}}});
  EXPECT_EQ(content(), "epoch,val_loss\r\n0,1.0\r\n0,2.0\r\n");
}

TEST_F(CsvLogger, quotes_names_that_hold_the_separator) {
  write({.filename = {}, .separator = ';'}, {{{"val_a;\"b\"", 1}}});
  EXPECT_EQ(content(), "epoch;\"val_a;\"\"b\"\"\"\r\n0;1.0\r\n");
}

TEST_F(CsvLogger, refuses_a_file_that_cannot_be_opened) {
  Model model = small_model();
  Training t(model);
  CSVLogger logger{.filename = "no_such_folder/history.csv"};
  EXPECT_THROW(logger.train_begin(t), IoError);
}

TEST_F(CsvLogger, says_that_the_disk_is_full) {
  Model model = small_model();
  Training t(model);
  CSVLogger logger{.filename = "/dev/full"};
  logger.train_begin(t);
  t.logs = {{"loss", 1}};
  EXPECT_EQ(testing::refused_with<IoError>([&] { logger.epoch_end(t); }),
            "CSVLogger \"/dev/full\": cannot write: No space left on device. The disk is full.");
}

// --- ProgressBar ---------------------------------------------------------------------------------

/// What a progress bar writes during one epoch of four batches.
std::string progress(std::FILE* stream, std::function<std::string()> read) {
  Model model = small_model();
  Training t(model);
  t.epoch = 2;
  t.epochs = 20;
  t.batches = 4;
  ProgressBar bar{.stream = stream};
  bar.train_begin(t);
  bar.epoch_begin(t);
  for (t.batch = 1; t.batch <= t.batches; ++t.batch) {
    t.logs = {{"loss", 0.6907}, {"accuracy", 0.53}};
    bar.last_drawn = 0;
    bar.batch_end(t);
  }
  t.batch = t.batches;
  t.logs["val_loss"] = 0.00002;
  bar.epoch_end(t);
  return read();
}

TEST(ProgressBar, writes_one_plain_line_for_each_epoch_into_a_file) {
  std::FILE* file = std::tmpfile();
  const std::string text = progress(file, [&] {
    std::rewind(file);
    char buffer[1000] = {};
    return std::string(buffer, std::fread(buffer, 1, sizeof buffer, file));
  });
  std::fclose(file);
  EXPECT_TRUE(text.starts_with("Epoch 3/20 - 0s - ")) << text;
  EXPECT_TRUE(text.ends_with("s/step - accuracy: 0.5300 - loss: 0.6907 - val_loss: 2.0000e-05\n"))
      << text;
  EXPECT_EQ(text.find_first_of("\r\b\x1b"), std::string::npos);
}

/// A pair of terminal ends: what is written into `end` comes out of `master`.
class Terminal {
 public:
  Terminal() {
    if (grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    const int file = open(ptsname(master_), O_RDWR | O_NOCTTY);
    if (file >= 0) end = fdopen(file, "w");
  }
  ~Terminal() {
    if (end) std::fclose(end);
    close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Closes `end` and returns all that was written into it: what a terminal passes on comes in
  /// pieces and later, so only its end says that nothing is missing.
  std::string read_all() {
    std::fclose(std::exchange(end, nullptr));
    std::string text;
    char buffer[1000];
    while (true) {
      const auto count = ::read(master_, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return text;  // Linux reports the end as an error
      text.append(buffer, static_cast<std::size_t>(count));
    }
  }

  std::FILE* end = nullptr;

 private:
  int master_ = posix_openpt(O_RDWR | O_NOCTTY);
};

TEST(ProgressBar, moves_one_line_on_a_terminal) {
  Terminal terminal;
  if (!terminal.end) GTEST_SKIP() << "no terminal can be made here";
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  const std::string text = progress(terminal.end, [&] { return terminal.read_all(); });
  EXPECT_TRUE(text.starts_with("Epoch 3/20\r\n")) << text;
  EXPECT_NE(text.find("\r\x1b[1m1/4\x1b[0m \x1b[32m━━━━━\x1b[0m\x1b[37m"), std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("val_loss: 2.0000e-05\x1b[K\r\n")) << text;
}

TEST(ProgressBar, has_no_colours_with_NO_COLOR) {
  Terminal terminal;
  if (!terminal.end) GTEST_SKIP() << "no terminal can be made here";
  setenv("TERM", "xterm", 1);
  setenv("NO_COLOR", "1", 1);
  const std::string text = progress(terminal.end, [&] { return terminal.read_all(); });
  unsetenv("NO_COLOR");
  EXPECT_NE(text.find("\r2/4 ━━━━━━━━━━──────────"), std::string::npos) << text;
  EXPECT_EQ(text.find("m1/4"), std::string::npos);
}

TEST(ProgressBar, does_not_move_on_a_dumb_terminal) {
  Terminal terminal;
  if (!terminal.end) GTEST_SKIP() << "no terminal can be made here";
  setenv("TERM", "dumb", 1);
  const std::string text = progress(terminal.end, [&] { return terminal.read_all(); });
  EXPECT_TRUE(text.starts_with("Epoch 3/20 - 0s")) << text;
}

// --- fit with callbacks --------------------------------------------------------------------------

TEST(Fit, calls_callbacks_in_Keras_order_and_stops_where_one_says) {
  Model model = small_model();
  std::string calls;
  LambdaCallback recorder{.train_begin = [&](Training&) { calls += "b"; },
                          .epoch_begin = [&](Training&) { calls += "("; },
                          .batch_end = [&](Training& t) { calls += std::to_string(t.batch); },
                          .epoch_end =
                              [&](Training& t) {
                                calls += ")";
                                if (t.epoch == 1) t.stop("enough.");
                              },
                          .train_end = [&](Training&) { calls += "e"; }};
  const History history =
      model.fit(Array({5, 1}), Array({5, 1}),
                {.epochs = 9, .batch_size = 2, .verbose = false, .callbacks = {recorder}});
  EXPECT_EQ(calls, "b(123)(123)e");
  EXPECT_EQ(history.epoch, (std::vector<Index>{0, 1}));
  EXPECT_EQ(history.stop_reason, "enough.");
}

TEST(Fit, goes_on_from_weights_that_a_callback_sets) {
  Model model = small_model(1e-9f);
  std::vector<double> losses;
  LambdaCallback sets{.epoch_begin =
                          [](Training& t) {
                            const auto w = static_cast<float>(t.epoch + 1);
                            t.set_weights({Array({1, 1}, std::vector<float>{w})});
                          },
                      .epoch_end = [&](Training& t) { losses.push_back(t.logs.at("loss")); }};
  Array ones({4, 1});
  for (float& v : ones.values()) v = 1;
  model.fit(ones, Array({4, 1}), {.epochs = 3, .verbose = false, .callbacks = {sets}});
  ASSERT_EQ(losses.size(), 3u);
  for (std::size_t e = 0; e < 3; ++e)  // the mean of (w * 1 - 0)^2
    EXPECT_NEAR(losses[e], static_cast<double>((e + 1) * (e + 1)), 1e-5);
}

TEST(Fit, lets_callbacks_predict_with_another_number_of_threads) {
  Model model = small_model();
  const Array x({8, 1});
  int calls = 0;
  LambdaCallback predicts{.batch_end = [&](Training&) {
    for (const int threads : {1, 2, 0}) model.predict(x, {.threads = threads});
    ++calls;
  }};
  model.fit(x, Array({8, 1}), {.batch_size = 2, .verbose = false, .callbacks = {predicts}});
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace sonde
