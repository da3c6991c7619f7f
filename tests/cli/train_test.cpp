#include <gtest/gtest.h>

#include <fmt/format.h>
#include <signal.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/networks.hpp>

#include "tests/support/near.hpp"
#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

class Train : public ::testing::Test {
 protected:
  Train() { save_task(program_); }

  Result train(const std::string& options) {
    const Result result = program_.run("train --x X.npy --y y.npy " + options);
    EXPECT_EQ(result.code, 0) << result.err;
    return result;
  }
  Json metrics(const std::string& run = "run") {
    return Json::parse(program_.read(run + "/metrics.json"));
  }

  Program program_;
};

TEST_F(Train, learns_a_task_and_leaves_a_whole_run_directory) {
  const Result result =
      train("--epochs 60 --learning-rate 0.02 --filters 4 --kernel-size 1 --units 8 --json");
  for (const char* name :
       {"config.toml", "model.keras", "history.csv", "metrics.json", "log.txt", "provenance.json"})
    EXPECT_TRUE(program_.has(std::string("run/") + name)) << name;
  EXPECT_FALSE(program_.has("run/last.keras"));

  const Json out = Json::parse(result.out);
  EXPECT_EQ(out["status"], "finished");
  EXPECT_EQ(out["epochs"], 60);
  EXPECT_EQ(out["monitor"], "val_loss");
  EXPECT_EQ(out["scored_on"], "validation");
  EXPECT_GT(out["scores"]["accuracy"].get<double>(), 0.95);
  EXPECT_GT(out["scores"]["auc"].get<double>(), 0.99);
  EXPECT_EQ(out["scores"]["count"], 3 * 40);  // floor(12 * 0.8) = 9 train, 3 judge
  EXPECT_EQ(out["out"], "run");
  Json written = metrics();
  written["out"] = "run";
  EXPECT_EQ(out, written);
}

TEST_F(Train, keeps_the_best_epoch_and_not_the_last) {
  // At this rate the loss jumps about, so that the last epoch is not the best.
  train("--epochs 12 --learning-rate 0.5 --quiet");
  const Json all = metrics();
  double least = INFINITY;
  std::string history = program_.read("run/history.csv");
  Index epoch = 0, best = 0;
  for (std::size_t at = history.find("\r\n") + 2; at < history.size(); ++epoch) {
    const std::size_t end = history.find("\r\n", at);
    const double loss = std::stod(history.substr(history.rfind(',', end) + 1));
    if (loss < least) {
      least = loss;
      best = epoch + 1;
    }
    at = end + 2;
  }
  EXPECT_EQ(epoch, 12);
  EXPECT_EQ(all["best_epoch"], best);
  EXPECT_EQ(all["best"]["val_loss"], least);
  // The saved model is that epoch's: it gives that loss on the validation part.
  const Array x = load_npy(program_.path("X.npy")).slice(9, 12),
              y = load_npy(program_.path("y.npy")).slice(9, 12);
  LoadedModel loaded = load_model(program_.path("run/model.keras"));
  EXPECT_NEAR(loaded.model.evaluate(x, y).at("loss"), least, 1e-6);
}

TEST_F(Train, writes_the_same_bytes_whatever_the_threads) {
  train("--epochs 3 --threads 1 --out one");
  train("--epochs 3 --threads 2 --out two");
  EXPECT_EQ(program_.read("one/model.keras"), program_.read("two/model.keras"));
  EXPECT_EQ(program_.read("one/history.csv"), program_.read("two/history.csv"));
  EXPECT_EQ(program_.read("one/metrics.json"), program_.read("two/metrics.json"));
}

TEST_F(Train, can_be_repeated_from_its_own_configuration) {
  train("--epochs 2 --seed 7 --class-weight 1,3 --early-stopping 5 --normalize zscore");
  const Result result = program_.run("train run/config.toml --out again");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(program_.read("run/model.keras"), program_.read("again/model.keras"));
}

TEST_F(Train, options_win_over_the_file_and_what_took_effect_is_written_down) {
  program_.write("my.toml", "# my run\nx = \"X.npy\"\ny = \"y.npy\"\nepochs = 9\nbatch_size = 4\n");
  EXPECT_EQ(program_.run("train my.toml --epochs 2").code, 0);
  const std::string config = program_.read("run/config.toml");
  for (const char* line :
       {"\nepochs = 2\n", "\nbatch_size = 4\n", "\nloss = \"binary_crossentropy\"\n",
        "\nlearning_rate = 0.001\n", "\nmonitor = \"val_loss\"\n", "\nseed = 0\n"})
    EXPECT_PRED2(says, config, line);
}

TEST_F(Train, refuses_a_folder_that_holds_a_run_unless_forced) {
  train("--epochs 1");
  program_.write("run/notes.md", "mine");
  const Result result = program_.run("train --x X.npy --y y.npy --epochs 2");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err,
            "sonde: --out \"run\" holds an earlier run. Choose another folder, go on with that run "
            "(--resume), or write over it (--force).\n");
  train("--epochs 2 --force");
  EXPECT_EQ(metrics()["epochs"], 2);
  EXPECT_EQ(program_.read("run/notes.md"), "mine");
}

TEST_F(Train, takes_an_empty_folder_that_is_there) {
  std::filesystem::create_directory(program_.path("run"));
  train("--epochs 1");
}

TEST_F(Train, follows_the_labels) {
  const Array y = load_npy(program_.path("y.npy"));
  Array classes = y, one_hot({12, 40, 3}), several({12, 40, 2}), values = y;
  for (Index i = 0; i < y.size(); ++i) {
    const Index k = i % 3;
    classes.data()[i] = static_cast<float>(k);
    one_hot.data()[3 * i + k] = 1;
    several.data()[2 * i] = several.data()[2 * i + 1] = static_cast<float>(k > 0);
    values.data()[i] = static_cast<float>(i) / 100;
  }
  const struct {
    const char* name;
    const Array& y;
    const char* loss;
    Index outputs;
  } cases[] = {{"classes", classes, "sparse_categorical_crossentropy", 3},
               {"one_hot", one_hot, "categorical_crossentropy", 3},
               {"several", several, "binary_crossentropy", 2},
               {"values", values, "mean_squared_error", 1}};
  for (const auto& each : cases) {
    save_npy(program_.path("labels.npy"), each.y);
    const Result result =
        program_.run(std::string("train --x X.npy --y labels.npy --epochs 1 --out ") + each.name);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_PRED2(says, program_.read(std::string(each.name) + "/config.toml"),
                 "loss = \"" + std::string(each.loss) + "\"");
    const Model model = load_model(program_.path(std::string(each.name) + "/model.keras")).model;
    EXPECT_EQ(model.graph().output_tensors()[0].shape(), (Shape{40, each.outputs})) << each.name;
  }
}

TEST_F(Train, takes_labels_without_their_last_axis_and_labels_for_whole_signals) {
  const Array y = load_npy(program_.path("y.npy"));
  save_npy(program_.path("flat.npy"), y.reshaped({12, 40}));
  EXPECT_EQ(program_.run("train --x X.npy --y flat.npy --epochs 1 --out a").code, 0);
  EXPECT_EQ(program_.run("train --x X.npy --y y.npy --epochs 1 --out b").code, 0);
  EXPECT_EQ(program_.read("a/history.csv"), program_.read("b/history.csv"));

  Array whole({12});
  for (Index i = 0; i < 12; ++i) whole(i) = static_cast<float>(i % 2);
  save_npy(program_.path("whole.npy"), whole);
  EXPECT_EQ(
      program_.run("train --x X.npy --y whole.npy --model conv-pool-lstm-last --epochs 1 --out c")
          .code,
      0);
  EXPECT_EQ(
      program_.run("train --x X.npy --y flat.npy --model conv-pool-lstm-wide --epochs 1 --out d")
          .code,
      0);
  EXPECT_EQ(
      program_.run("train --x X.npy --y y.npy --model conv-pool-lstm-up --epochs 1 --out e").code,
      0);
}

TEST_F(Train, takes_x_y_and_weights_from_one_npz) {
  Array weights({12, 40});
  for (float& w : weights.values()) w = 1;
  save_npz(program_.path("d.npz"), {{"x", load_npy(program_.path("X.npy"))},
                                    {"y", load_npy(program_.path("y.npy"))},
                                    {"weights", weights}});
  EXPECT_EQ(program_.run("train --x d.npz --epochs 1 --out a").code, 0);
  EXPECT_EQ(program_.run("train --x d.npz:x --y d.npz:y --epochs 1 --out b").code, 0);
  EXPECT_EQ(program_.read("a/history.csv"), program_.read("b/history.csv"));
}

TEST_F(Train, leaves_steps_of_weight_0_out_of_loss_and_scores) {
  Array labels = load_npy(program_.path("y.npy")), weights({12, 40});
  for (float& w : weights.values()) w = 1;
  // What is wrong, or no number at all, does not matter where nobody labelled.
  for (Index i = 0; i < 12; ++i) {
    weights(i, 7) = 0;
    labels(i, 7, 0) = std::numeric_limits<float>::quiet_NaN();
  }
  save_npy(program_.path("w.npy"), weights);
  save_npy(program_.path("labels.npy"), labels);
  const Result result =
      program_.run("train --x X.npy --y labels.npy --sample-weight w.npy --epochs 1 --json");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["scores"]["count"], 3 * 39);
}

TEST_F(Train, balances_classes_by_the_training_part) {
  // 9 of 12 samples train. Of their 360 steps 90 are class 1: weights 360 / (2 * 270), 360 / (2 *
  // 90).
  Array labels({12, 40, 1});
  for (Index i = 0; i < labels.size(); ++i)
    labels.data()[i] = static_cast<float>(i < 360 ? i % 4 == 0 : 1);
  save_npy(program_.path("labels.npy"), labels);
  EXPECT_EQ(
      program_.run("train --x X.npy --y labels.npy --epochs 2 --class-weight auto --out a").code,
      0);
  EXPECT_EQ(
      program_.run("train --x X.npy --y labels.npy --epochs 2 --class-weight 0.6666667,2 --out b")
          .code,
      0);
  EXPECT_EQ(program_.run("train --x X.npy --y labels.npy --epochs 2 --out c").code, 0);
  EXPECT_EQ(program_.read("a/history.csv"), program_.read("b/history.csv"));
  EXPECT_NE(program_.read("a/history.csv"), program_.read("c/history.csv"));
}

TEST_F(Train, fits_the_scale_on_the_training_part_and_stores_it_with_the_model) {
  Array x = load_npy(program_.path("X.npy"));
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = x.data()[i] * 50 + 1000;
  // The validation part, samples 9 to 11, must not count.
  for (Index i = 9 * 120; i < x.size(); ++i) x.data()[i] = 1e6f;
  save_npy(program_.path("X.npy"), x);
  train("--epochs 1 --normalize zscore");
  const LoadedModel loaded = load_model(program_.path("run/model.keras"));
  const Value* normalizer = loaded.extra.find("normalizer");
  ASSERT_TRUE(normalizer);
  double sum = 0;
  for (Index i = 0; i < 360; ++i) sum += static_cast<double>(x.data()[3 * i]);
  EXPECT_NEAR(*normalizer->find("center")->as<Value::List>()->at(0).as<double>(), sum / 360, 1e-9);
  // predict scales by itself: standardized data without a scale would give the same labels.
  const Json inspected = Json::parse(program_.run("inspect run/model.keras --json").out);
  EXPECT_EQ(inspected["files"][0]["normalizer"]["center"].size(), 3u);
}

TEST_F(Train, goes_on_with_a_model_file_and_its_scale) {
  train("--epochs 2 --normalize zscore --out first");
  train("--epochs 2 --model first/model.keras --out second");
  const auto loss = [&](const std::string& run) {
    return metrics(run)["best"]["loss"].get<double>();
  };
  EXPECT_LT(loss("second"), loss("first"));
  EXPECT_TRUE(load_model(program_.path("second/model.keras")).extra.find("normalizer"));
}

TEST_F(Train, takes_a_network_from_Keras_JSON) {
  program_.write("net.json",
                 model_to_json(make_network("conv-lstm", {40, 3}, {.filters = 2, .units = 2})));
  train("--epochs 1 --model net.json");
  EXPECT_EQ(load_model(program_.path("run/model.keras")).model.get_weights()[0].shape(),
            (Shape{8, 3, 2}));
}

TEST_F(Train, hints_at_channels_that_need_a_scale) {
  EXPECT_EQ(train("--epochs 1 --out a").err.find("hint:"), std::string::npos);
  Array x = load_npy(program_.path("X.npy"));
  for (Index i = 2; i < x.size(); i += 3) x.data()[i] = x.data()[i] * 1e-5f;
  save_npy(program_.path("X.npy"), x);
  EXPECT_PRED2(says, train("--epochs 1 --out b").err,
               "hint:   channel 2 (the first is 0) has mean ");
  EXPECT_EQ(train("--epochs 1 --normalize zscore --out c").err.find("hint:"), std::string::npos);
}

TEST_F(Train, hints_at_a_channel_by_its_name) {
  std::string table = "calm,wild,label\n";
  for (int i = 0; i < 200; ++i)
    table += fmt::format("{},{},{}\n", i % 7, 1000 * (i % 5), i % 3 == 0 ? 1 : 0);
  program_.write("r.csv", table);
  const Result result =
      program_.run("train --x r.csv --label-column label --window 20 --epochs 1 --out a");
  EXPECT_PRED2(says, result.err, "hint:   channel \"wild\" has mean 2000 and deviation ");
}

TEST_F(Train, stops_early_and_says_so) {
  // At this rate nothing is learnt, and the first epoch stays the best for a while.
  train("--epochs 200 --learning-rate 0.9 --early-stopping 2");
  const Json all = metrics();
  EXPECT_EQ(all["status"], "stopped early");
  EXPECT_LT(all["epochs"].get<int>(), 200);
  EXPECT_EQ(all["epochs"].get<int>(), all["best_epoch"].get<int>() + 2);
  EXPECT_PRED2(says, all["reason"].get<std::string>(), "val_loss did not improve for 2 epochs");
}

TEST_F(Train, cuts_a_recording_into_windows_with_no_window_in_both_parts) {
  const Array x = load_npy(program_.path("X.npy")), y = load_npy(program_.path("y.npy"));
  save_npy(program_.path("rx.npy"), x.reshaped({480, 3}));
  save_npy(program_.path("ry.npy"), y.reshaped({480}));
  const Result result = program_.run("train --x rx.npy --y ry.npy --window 50 --hop 25 --epochs 1");
  ASSERT_EQ(result.code, 0) << result.err;
  // 384 steps train: windows at 0, 25, … 325 and 334; 96 judge: 0, 25, 46.
  EXPECT_PRED2(says, result.err, "data:   15 samples train, 3 judge; 50 steps of 3 channels");
  const Model model = load_model(program_.path("run/model.keras")).model;
  EXPECT_EQ(model.graph().input_tensors()[0].shape()[0], dynamic);
}

TEST_F(Train, reads_a_table_whose_column_holds_the_labels) {
  const Array x = load_npy(program_.path("X.npy")), y = load_npy(program_.path("y.npy"));
  std::string table = "a,label,b,c\n";
  for (Index i = 0; i < 480; ++i)
    table += std::to_string(x.data()[3 * i]) + "," + (y.data()[i] > 0 ? "1" : "0") + "," +
             std::to_string(x.data()[3 * i + 1]) + "," + std::to_string(x.data()[3 * i + 2]) + "\n";
  program_.write("r.csv", table);
  EXPECT_EQ(
      program_.run("train --x r.csv --label-column label --window 40 --epochs 1 --out a").code, 0);
  EXPECT_EQ(program_.run("train --x r.csv --label-column 1 --window 40 --epochs 1 --out b").code,
            0);
  EXPECT_EQ(program_.read("a/history.csv"), program_.read("b/history.csv"));
  // The model knows its channels by name, wherever they stand.
  std::string other = "c,b,note,a\n";
  std::string same = "a,b,c\n";
  for (Index i = 0; i < 480; ++i) {
    const auto cell = [&](Index c) { return std::to_string(x.data()[3 * i + c]); };
    other += cell(2) + "," + cell(1) + ",?," + cell(0) + "\n";
    same += cell(0) + "," + cell(1) + "," + cell(2) + "\n";
  }
  program_.write("other.csv", other);
  program_.write("same.csv", same);
  const Result by_name = program_.run("predict a/model.keras other.csv");
  EXPECT_EQ(by_name.code, 0) << by_name.err;
  EXPECT_EQ(by_name.out, program_.run("predict a/model.keras same.csv").out);
  const Result result = program_.run("train --x r.csv --label-column lable --window 40 --out c");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "\"lable\" is not known. Did you mean \"label\"?");
}

TEST_F(Train, learns_from_changed_signals_where_the_configuration_says_so) {
  program_.write("noisy.toml",
                 "x = \"X.npy\"\ny = \"y.npy\"\nepochs = 2\n[augmentation]\nnoise = 0.5\n");
  program_.write("plain.toml", "x = \"X.npy\"\ny = \"y.npy\"\nepochs = 2\n[augmentation]\n");
  for (const char* name : {"noisy", "plain"})
    EXPECT_EQ(program_.run(std::string("train ") + name + ".toml --quiet --out " + name).code, 0);
  EXPECT_EQ(program_.run("train --x X.npy --y y.npy --epochs 2 --quiet --out none").code, 0);
  EXPECT_EQ(program_.read("plain/history.csv"), program_.read("none/history.csv"));
  EXPECT_NE(program_.read("noisy/history.csv"), program_.read("none/history.csv"));
  EXPECT_PRED2(says, program_.read("noisy/config.toml"), "[augmentation]");
}

TEST_F(Train, says_nothing_when_quiet_and_everything_in_the_log) {
  const Result result = train("--epochs 2 --quiet");
  EXPECT_EQ(result.out + result.err, "");
  const std::string log = program_.read("run/log.txt");
  for (const char* text : {"data:   9 samples train, 3 judge", "epoch 2/2:", "best:   val_loss"})
    EXPECT_PRED2(says, log, text);
}

TEST_F(Train, hashes_its_data) {
  // printf 'abc' | sha256sum, by way of a file that is not read: the weights of a table.
  train("--epochs 1 --seed 3");
  const Json provenance = Json::parse(program_.read("run/provenance.json"));
  EXPECT_EQ(provenance["seed"], 3);
  EXPECT_EQ(provenance["files"]["x"]["bytes"], std::filesystem::file_size(program_.path("X.npy")));
  EXPECT_EQ(provenance["files"]["x"]["sha256"].get<std::string>().size(), 64u);
}

// --- what ends a run before its time -------------------------------------------------------------

TEST_F(Train, ends_cleanly_at_Ctrl_C) {
  const Result result =
      program_.interrupt("train --x X.npy --y y.npy --epochs 1000000", SIGINT, "run/model.keras");
  EXPECT_EQ(result.code, 130) << result.err;
  EXPECT_PRED2(says, result.err, "sonde: interrupted by Ctrl-C in epoch ");
  EXPECT_EQ(metrics()["status"], "interrupted");
  for (const char* name : {"run/model.keras", "run/last.keras"})
    EXPECT_NO_THROW(load_model(program_.path(name))) << name;
  EXPECT_EQ(program_.run("predict run/last.keras X.npy -o p.npy").code, 0);
}

TEST_F(Train, at_Ctrl_C_in_its_first_epoch_finishes_the_step_and_keeps_what_it_learned) {
  // 160 steps of a network over 1000 steps of signal: the signal comes long before the last.
  save_npy(program_.path("long.npy"), Array({200, 1000, 3}));
  save_npy(program_.path("labels.npy"), Array({200, 1000, 1}));
  const Result result = program_.interrupt(
      "train --x long.npy --y labels.npy --epochs 3 --batch-size 1", SIGINT, "run/log.txt");
  EXPECT_EQ(result.code, 130) << result.err;
  EXPECT_PRED2(says, result.err, "sonde: interrupted by Ctrl-C in epoch 1.");
  const auto steps = load_model(program_.path("run/last.keras")).model.iterations();
  EXPECT_GE(steps, 1);
  EXPECT_LT(steps, 160);
  EXPECT_EQ(program_.read("run/last.keras"), program_.read("run/model.keras"));
}

TEST_F(Train, ends_cleanly_when_told_to_and_goes_on_from_there) {
  const Result result =
      program_.interrupt("train --x X.npy --y y.npy --epochs 1000000", SIGTERM, "run/model.keras");
  EXPECT_EQ(result.code, 143) << result.err;
  const auto steps = load_model(program_.path("run/last.keras")).model.iterations();
  EXPECT_GT(steps, 0);
  train("--epochs 1 --model run/last.keras --out second");
}

TEST_F(Train, that_diverges_at_once_saves_no_model_and_says_what_to_try) {
  const Result result = program_.run(
      "train --x X.npy --y y.npy --loss mse --optimizer sgd --learning-rate 1e30 --batch-size 4");
  EXPECT_EQ(result.code, 7);
  EXPECT_PRED2(says, result.err, "sonde: training diverged: loss became ");
  EXPECT_PRED2(says, result.err, "no model is saved. Try a smaller --learning-rate (now 1e+30)");
  EXPECT_EQ(metrics()["status"], "diverged");
  EXPECT_FALSE(program_.has("run/model.keras"));
}

TEST_F(Train, that_diverges_later_keeps_its_last_good_model) {
  const Result result = program_.run(
      "train --x X.npy --y y.npy --loss mse --optimizer sgd --learning-rate 5 --epochs 2000");
  EXPECT_EQ(result.code, 7) << result.err;
  EXPECT_PRED2(says, result.err, "The best model so far is in run/model.keras.");
  EXPECT_GT(metrics()["epochs"].get<int>(), 1);
  EXPECT_NO_THROW(load_model(program_.path("run/model.keras")));
}

TEST_F(Train, into_a_place_that_cannot_be_written_says_so) {
  const Result result =
      program_.run("train --x X.npy --y y.npy --epochs 1 --out /proc/no_such_place");
  EXPECT_EQ(result.code, 5);
  EXPECT_PRED2(says, result.err, "\"/proc/no_such_place\" cannot be made");
}

std::string first_line(const std::string& text) { return text.substr(0, text.find("\r\n")); }

TEST_F(Train, keeps_the_metrics_that_a_model_was_compiled_with) {
  Model model = make_network("conv-lstm", {40, 3}, {.filters = 2, .units = 2});
  model.compile({.loss = BinaryCrossentropy{},
                 .metrics = {"accuracy", Recall{}},
                 .weighted_metrics = {AUC{}, Recall{}}});
  save_model(model, program_.path("m.keras"));
  train("--model m.keras --epochs 2 --monitor val_auc");
  const std::string header = first_line(program_.read("run/history.csv"));
  for (const char* name : {"accuracy", "recall", "auc", "weighted_recall"}) {
    EXPECT_PRED2(says, header + ",", std::string(",") + name + ",");
    EXPECT_PRED2(says, header + ",", std::string(",val_") + name + ",");
  }
  EXPECT_EQ(metrics()["monitor"], "val_auc");
  // They are in the file that comes out, too.
  const LoadedModel again = load_model(program_.path("run/model.keras"));
  EXPECT_EQ(again.model.compiled()->weighted_metrics.size(), 2u);
}

TEST_F(Train, says_which_metrics_of_a_model_do_not_fit_another_loss) {
  const Array y = load_npy(program_.path("y.npy"));
  Array one_hot({12, 40, 2});
  for (Index i = 0; i < y.size(); ++i) one_hot.data()[2 * i + (y.data()[i] > 0)] = 1;
  save_npy(program_.path("y.npy"), one_hot);
  Model model =
      make_network("conv-lstm", {40, 3}, {.outputs = 2, .activation = ActivationFunction::softmax});
  model.compile(
      {.loss = SparseCategoricalCrossentropy{}, .metrics = {SparseCategoricalAccuracy{}}});
  save_model(model, program_.path("m.keras"));
  const Result result = train("--model m.keras --loss categorical_crossentropy --epochs 1");
  EXPECT_PRED2(says, result.err,
               "metrics: those of m.keras are left out. SparseCategoricalAccuracy");
  EXPECT_PRED2(says, first_line(program_.read("run/history.csv")), ",accuracy,");
}

TEST_F(Train, says_how_two_classes_written_as_signs_become_classes) {
  const std::string hint = "hint:   the labels are -1 and 1, taken for measured values.";
  Array y = load_npy(program_.path("y.npy"));
  for (float& label : y.values()) label = 2 * label - 1;
  save_npy(program_.path("y.npy"), y);
  EXPECT_PRED2(says, train("--epochs 1").err, hint);
  EXPECT_FALSE(says(train("--epochs 1 --loss hinge --force").err, hint))
      << "as the loss wants them";
  y(0, 0, 0) = 0.5f;
  save_npy(program_.path("y.npy"), y);
  EXPECT_FALSE(says(train("--epochs 1 --force").err, hint));
}

}  // namespace
}  // namespace sonde::testing
