#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/splits.hpp>

#include "tests/support/near.hpp"
#include "tests/support/program.hpp"
#include "tests/support/train_recordings.hpp"

namespace sonde::testing {
namespace {

TEST_F(TrainRecordings, train_on_windows_and_are_judged_whole) {
  const Json out = Json::parse(train("--json").out);
  EXPECT_EQ(out["status"], "finished");
  EXPECT_EQ(out["scored_on"], "test");
  EXPECT_EQ(out["scores"]["recordings"], 2);
  EXPECT_EQ(out["validation"]["recordings"], 1);
  EXPECT_EQ(out["scores"]["steps"]["classes"][2]["name"], "QRS");
  EXPECT_EQ(out["scores"]["events"][0]["rule"], "intersection over union of at least 0.5");
  for (const char* name :
       {"accuracy", "balanced_accuracy", "macro_f1", "event_f1", "boundary_f1"}) {
    const Json& figure = out["scores"]["figures"][name];
    EXPECT_LE(figure["low"], figure["value"]) << name;
    EXPECT_GE(figure["high"], figure["value"]) << name;
    EXPECT_TRUE(out["scores"]["position_only"].contains(name)) << name;
    EXPECT_TRUE(out["best"].contains(std::string("val_") + name)) << name;
  }
  EXPECT_TRUE(out["scores"]["calibration"].contains("ece"));
  EXPECT_EQ(out["scores"]["by_group"].size(), 2u);
  EXPECT_EQ(out["split"]["train"]["groups"], (Json{"sel100", "sel116", "sel123"}));
  EXPECT_EQ(out["split"]["test"]["sha256"].get<std::string>().size(), 64u);
  // Every labelled step of both records, and no other, was judged.
  double labelled = 0;
  for (const Recording& each : load_ecg_qtdb(program_.path("ecg")))
    if (each.name.starts_with("sele"))
      for (const float weight : each.weights.values()) labelled += weight > 0;
  EXPECT_EQ(out["scores"]["steps"]["count"], labelled);
}

TEST_F(TrainRecordings, the_best_epoch_is_that_of_whole_validation_recordings) {
  train("--epochs 4 --monitor val_boundary_f1");
  const Json metrics = json("run/metrics.json");
  EXPECT_EQ(metrics["monitor"], "val_boundary_f1");
  EXPECT_EQ(metrics["best"]["val_boundary_f1"],
            metrics["validation"]["figures"]["boundary_f1"]["value"]);
  EXPECT_NEAR(metrics["best"]["val_loss"].get<double>(),
              metrics["validation"]["calibration"]["log_loss"].get<double>(), 1e-9);
}

TEST_F(TrainRecordings, scales_come_from_the_training_part_alone) {
  train("--out one");
  configure("validation = [\"sel103\"]\ntest = [\"sele0104\"]\ntrain = [\"sel1*\"]\n");
  // Its validation record would train too: refused.
  EXPECT_EQ(program_.run("train recording.toml --out two").code, 3);
  configure("validation = [\"sel103\", \"sele0106\"]\ntest = [\"sele0104\"]\n");
  train("--out two");
  const auto scale = [&](const std::string& run) {
    return *load_model(program_.path(run + "/model.keras")).extra.find("normalizer");
  };
  EXPECT_EQ(scale("one"), scale("two"));
  configure("validation = [\"sel100\"]\ntest = [\"sele*\"]\n");
  train("--out three");
  EXPECT_NE(scale("one"), scale("three"));
}

TEST_F(TrainRecordings, give_the_same_bytes_whatever_the_threads_and_from_their_own_configuration) {
  train("--threads 1 --out one");
  train("--threads 2 --out two");
  const Result again = program_.run("train one/config.toml --out three");
  EXPECT_EQ(again.code, 0) << again.err;
  for (const char* file : {"model.keras", "metrics.json", "history.csv"}) {
    EXPECT_EQ(program_.read(std::string("one/") + file), program_.read(std::string("two/") + file));
    EXPECT_EQ(program_.read(std::string("one/") + file),
              program_.read(std::string("three/") + file));
  }
}

TEST_F(TrainRecordings, are_judged_the_same_by_evaluate) {
  train();
  const auto judged = [&](const std::string& more) {
    const Result result = program_.run("evaluate run/model.keras run/config.toml --json " + more);
    EXPECT_EQ(result.code, 0) << result.err;
    return Json::parse(result.out);
  };
  const Json metrics = json("run/metrics.json");
  EXPECT_EQ(judged("--part test"), metrics["scores"]);
  EXPECT_EQ(judged("--part validation"), metrics["validation"]);
  const Json all = judged("");
  EXPECT_EQ(all["recordings"], 6);
  EXPECT_FALSE(all.contains("position_only"));  // nobody knows who trained
  EXPECT_EQ(program_.run("evaluate run/model.keras run/config.toml --part tset").code, 2);
  EXPECT_EQ(program_.run("evaluate run/model.keras run/config.toml --x X.npy").code, 2);
}

/// What the page's viewer and tables are made from.
Json shown_on(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"report-data\">";
  const std::size_t begin = page.find(open) + open.size();
  return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST_F(TrainRecordings, leave_a_page_that_can_be_made_again) {
  train();
  const std::string page = program_.read("run/report.html");
  const Json viewer = shown_on(page)["viewer"]["recordings"];
  ASSERT_EQ(viewer.size(), 2u) << "the two test records";
  EXPECT_EQ(viewer[0]["name"], "sele0104");
  EXPECT_EQ(viewer[0]["frequency"], 250.0);
  // Signals are those of the files: millivolts around the file's own middle, not scaled ones.
  const Array raw = load_wfdb(program_.path("ecg/sele0104")).signal;
  double largest = 0;
  for (Index t = 0; t < raw.shape()[0]; ++t)
    largest = std::max(largest, std::abs(static_cast<double>(raw(t, 0))));
  const Json& channel = viewer[0]["channels"][0];
  EXPECT_LE(std::abs(channel["offset"].get<double>()), largest);
  const Json scores = json("run/metrics.json")["scores"];
  EXPECT_PRED2(says, page,
               fmt::format("{:.3f}", scores["steps"]["classes"][2]["f1"].get<double>()));
  EXPECT_PRED2(says, page, "intersection over union of at least 0.5");
  EXPECT_PRED2(says, page, "Onsets and offsets within 150 ms");
  for (const char* id : {"learning", "model", "provenance", "groups"})
    EXPECT_PRED2(says, page, fmt::format("<section id=\"{}\"", id));
  const Result again = program_.run("report run -o again.html --figures figures");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(program_.read("again.html"), page);
  EXPECT_TRUE(program_.has("figures/confusion.csv"));
  EXPECT_EQ(program_.run("report run --x X.npy").code, 2);
  // Labels that are read otherwise are not those of the run.
  std::string config = program_.read("run/config.toml");
  const std::string margin = "\"margin\" = 0.05";
  ASSERT_NE(config.find(margin), std::string::npos) << config;
  config.replace(config.find(margin), margin.size(), "\"margin\" = 0.5");
  program_.write("run/config.toml", config);
  const Result other = program_.run("report run -o other.html");
  EXPECT_EQ(other.code, 3);
  EXPECT_PRED2(says, other.err, "is not the file that this run began with");
  EXPECT_FALSE(program_.has("other.html"));
}

TEST_F(TrainRecordings, learn_from_changed_signals_only_where_they_are_asked_to) {
  train("--out plain");
  configure("validation = [\"sel103\"]\ntest = [\"sele*\"]\n[augmentation]\nnoise = 0.5\n");
  train("--out noisy --threads 1");
  train("--out again --threads 2");
  EXPECT_NE(program_.read("plain/history.csv"), program_.read("noisy/history.csv"));
  EXPECT_EQ(program_.read("noisy/model.keras"), program_.read("again/model.keras"));
  configure("validation = [\"sel103\"]\ntest = [\"sele*\"]\n[augmentation]\n");
  train("--out nothing");
  EXPECT_EQ(program_.read("plain/history.csv"), program_.read("nothing/history.csv"));
  configure("validation = [\"sel103\"]\ntest = [\"sele*\"]\n[augmentation]\nnoize = 0.5\n");
  const Result refused = program_.run("train recording.toml --out wrong");
  EXPECT_EQ(refused.code, 2);
  EXPECT_PRED2(says, refused.err, "noise");
}

TEST_F(TrainRecordings, rare_classes_are_seen_as_often_as_others_where_they_are_asked_to_be) {
  train("--out plain");
  train("--balanced --out balanced");
  EXPECT_NE(program_.read("plain/history.csv"), program_.read("balanced/history.csv"));
  EXPECT_PRED2(says, program_.read("balanced/config.toml"), "\nbalanced = true\n");
}

TEST_F(TrainRecordings, final_labels_are_chosen_on_the_validation_part) {
  train("--out plain --monitor val_boundary_f1");
  train("--post-process auto --monitor val_boundary_f1");
  EXPECT_EQ(program_.read("plain/history.csv"), program_.read("run/history.csv"));
  const auto boundary_f1 = [&](const std::string& run) {
    return json(run + "/metrics.json")["validation"]["figures"]["boundary_f1"]["value"]
        .get<double>();
  };
  EXPECT_GE(boundary_f1("run"), boundary_f1("plain"));
  EXPECT_PRED2(says, json("run/metrics.json")["post_process"].get<std::string>(), "temperature");
  // The file labels as the run was judged, and its optimizer goes on as that of the plain one.
  const Result judged = program_.run("evaluate run/model.keras run/config.toml --part test --json");
  EXPECT_EQ(Json::parse(judged.out), json("run/metrics.json")["scores"]) << judged.err;
  const LoadedModel one = load_model(program_.path("plain/model.keras")),
                    two = load_model(program_.path("run/model.keras"));
  EXPECT_EQ(one.model.iterations(), two.model.iterations());
  configure("validation_share = 0\ntest = [\"sele*\"]\n");
  const Result refused = program_.run("train recording.toml --post-process auto --out wrong");
  EXPECT_EQ(refused.code, 2);
  EXPECT_PRED2(says, refused.err, "--post-process auto needs a validation part");
}

TEST_F(TrainRecordings, a_model_that_goes_on_takes_its_channels_by_name_and_its_labels_anew) {
  train("--post-process auto --out first");
  std::string text = program_.read("recording.toml");
  text.replace(text.find("[[recordings.signals]]"), 0, "channels = [\"lead2\", \"lead1\"]\n");
  program_.write("recording.toml", text);
  train("--model first/model.keras --epochs 1 --learning-rate 1e-12 --post-process auto --out on");
  // Hardly anything is learned: what is said of the test part stays, other channels or not.
  const auto accuracy = [&](const std::string& run) {
    return json(run + "/metrics.json")["scores"]["figures"]["accuracy"]["value"].get<double>();
  };
  EXPECT_NEAR(accuracy("first"), accuracy("on"), 0.02);
  EXPECT_EQ(*load_model(program_.path("on/model.keras")).extra.find("channels"),
            *load_model(program_.path("first/model.keras")).extra.find("channels"));
  const Result judged = program_.run("evaluate on/model.keras on/config.toml --part test --json");
  EXPECT_EQ(Json::parse(judged.out), json("on/metrics.json")["scores"]) << judged.err;
}

TEST_F(TrainRecordings, are_written_as_arrays_for_other_programs) {
  const Result result = program_.run("convert recording.toml arrays --json");
  EXPECT_EQ(Json::parse(result.out)["recordings"], 6) << result.err;
  for (const Recording& each : load_ecg_qtdb(program_.path("ecg"))) {
    const NamedArrays arrays = load_npz(program_.path("arrays/" + each.name + ".npz"));
    EXPECT_TRUE(same_bits<float>(arrays.at("signal").values(), each.signal.values()));
    EXPECT_TRUE(same_bits<float>(arrays.at("labels").values(), each.labels.values()));
    EXPECT_TRUE(same_bits<float>(arrays.at("weights").values(), each.weights.values()));
  }
  EXPECT_PRED2(says, program_.read("arrays/recordings.csv"), "\nsel100.npz,sel100,sel100,250,");
  const Result again = program_.run("convert recording.toml arrays");
  EXPECT_EQ(again.code, 2);
  EXPECT_PRED2(says, again.err, "is there and not empty");
}

TEST_F(TrainRecordings, go_on_where_they_were_interrupted) {
  train("--epochs 4 --out whole");
  train("--epochs 2 --out parts");
  train("--epochs 4 --out parts --resume");
  for (const char* file : {"model.keras", "metrics.json", "history.csv"})
    EXPECT_EQ(program_.read(std::string("whole/") + file),
              program_.read(std::string("parts/") + file));
}

TEST_F(TrainRecordings, are_predicted_in_windows_where_they_are_asked_to_be) {
  train("--predict windows --predict-window 100 --predict-hop 40");
  EXPECT_PRED2(says, program_.read("run/config.toml"), "\npredict = \"windows\"\n");
  EXPECT_GT(json("run/metrics.json")["scores"]["steps"]["count"], 0);
}

TEST_F(TrainRecordings, every_fold_tests_once_and_all_are_judged_together) {
  configure("folds = 3\n", "seeds = 2\n");
  const Json out = Json::parse(train("--epochs 1 --json").out);
  std::multiset<std::string> tested;
  for (const char* fold : {"1", "2", "3"}) {
    const Json metrics = json("run/seed-0/fold-" + std::string(fold) + "/metrics.json");
    for (const Json& group : metrics["split"]["test"]["groups"])
      tested.insert(group.get<std::string>());
  }
  EXPECT_EQ(tested.size(), 6u);
  EXPECT_EQ(std::set<std::string>(tested.begin(), tested.end()).size(), 6u);
  ASSERT_EQ(out["scores"]["seeds"].size(), 2u);
  EXPECT_EQ(out["scores"]["seeds"][0]["recordings"], 6);
  const double first = out["scores"]["seeds"][0]["figures"]["accuracy"]["value"],
               second = out["scores"]["seeds"][1]["figures"]["accuracy"]["value"];
  const Json& accuracy = out["scores"]["figures"]["accuracy"];
  EXPECT_NEAR(accuracy["mean"].get<double>(), (first + second) / 2, 1e-12);
  EXPECT_NEAR(accuracy["deviation_over_seeds"].get<double>(),
              std::abs(first - second) / std::sqrt(2.0), 1e-12);
  const Json viewer = shown_on(program_.read("run/report.html"))["viewer"]["recordings"];
  EXPECT_EQ(viewer.size(), 6u) << "each recording as the fold saw it that it tested";
  const Result parent = program_.run("report run");
  EXPECT_EQ(parent.code, 2);
  EXPECT_PRED2(says, parent.err, "holds the trainings of several folds or seeds");
  // One fold alone gives that fold's model.
  train("--epochs 1 --seeds 1 --fold 2 --out alone");
  EXPECT_EQ(program_.read("alone/fold-2/model.keras"),
            program_.read("run/seed-0/fold-2/model.keras"));
  // What is done is not done again.
  std::filesystem::remove_all(program_.path("run/seed-1/fold-3"));
  const std::string before = program_.read("run/metrics.json");
  train("--epochs 1 --resume");
  EXPECT_EQ(program_.read("run/metrics.json"), before);
  // Seeds may be added, and summed up before all are there.
  const auto trained =
      std::filesystem::last_write_time(program_.path("run/seed-0/fold-1/model.keras"));
  const Json more = Json::parse(train("--resume --seeds 3 --json").out)["scores"];
  ASSERT_EQ(more["seeds"].size(), 3u);
  for (const int seed : {0, 1}) EXPECT_EQ(more["seeds"][seed], out["scores"]["seeds"][seed]);
  EXPECT_NE(more["seeds"][2]["figures"], more["seeds"][1]["figures"]);
  EXPECT_EQ(Json::parse(train("--resume --seeds 2 --json").out)["scores"], out["scores"]);
  EXPECT_PRED2(says, program_.read("run/config.toml"), "\nseeds = 2\n");
  EXPECT_EQ(std::filesystem::last_write_time(program_.path("run/seed-0/fold-1/model.keras")),
            trained);
  const Result single = program_.run("train --resume --seeds 1 --out run");
  EXPECT_EQ(single.code, 2);
  EXPECT_PRED2(says, single.err, "this run has 2 seeds");
}

TEST_F(TrainRecordings, of_one_seed_go_on_with_several_as_the_refusal_says) {
  train("--epochs 1 --seed 3");
  const Result refused = program_.run("train --resume --seeds 2 --out run");
  EXPECT_EQ(refused.code, 2);
  EXPECT_PRED2(says, refused.err,
               "mkdir run-seeds && mv run run-seeds/seed-3, then the line that began it with "
               "--seeds 2 --out run-seeds --resume.");
  const std::string model = program_.read("run/model.keras");
  std::filesystem::create_directory(program_.path("run-seeds"));
  std::filesystem::rename(program_.path("run"), program_.path("run-seeds/seed-3"));
  const auto trained =
      std::filesystem::last_write_time(program_.path("run-seeds/seed-3/model.keras"));
  const Json out =
      Json::parse(train("--epochs 1 --seed 3 --seeds 2 --out run-seeds --resume --json").out);
  EXPECT_EQ(out["scores"]["seeds"].size(), 2u);
  EXPECT_EQ(program_.read("run-seeds/seed-3/model.keras"), model);
  EXPECT_EQ(std::filesystem::last_write_time(program_.path("run-seeds/seed-3/model.keras")),
            trained);
  EXPECT_TRUE(program_.has("run-seeds/seed-4/model.keras"));
}

TEST_F(TrainRecordings, leave_no_seeds_of_a_run_that_is_written_over) {
  configure("folds = 2\n", "seeds = 2\n");
  train("--epochs 1 --units 3");
  train("--epochs 1 --units 3 --force --seeds 3");
  std::filesystem::create_directories(program_.path("run/fold-7"));
  std::filesystem::create_directories(program_.path("run/seed-7/fold-1"));
  program_.write("run/fold-7/mine.csv", "1,2\n");
  program_.write("run/seed-7/fold-1/mine.csv", "1,2\n");
  train("--epochs 1 --force");
  EXPECT_TRUE(program_.has("run/seed-1/fold-2/model.keras"));
  EXPECT_FALSE(program_.has("run/seed-2"));
  EXPECT_TRUE(program_.has("run/fold-7/mine.csv")) << "no run of ours";
  EXPECT_TRUE(program_.has("run/seed-7/fold-1/mine.csv"));
}

TEST_F(TrainRecordings, go_on_with_the_line_that_began_them) {
  configure("");
  for (const std::string line :
       {"train recording.toml --folds 2 --seeds 2 --epochs 1 --out folded --resume",
        "train recording.toml --set split.test=[\"sel116\"] --epochs 1 --out set --resume"})
    for (int time = 0; time < 2; ++time) {
      const Result result = program_.run(line);
      EXPECT_EQ(result.code, 0) << line << result.err;
    }
  const Result other = program_.run("train --resume --out folded --folds 3");
  EXPECT_EQ(other.code, 2);
  EXPECT_PRED2(says, other.err, "--folds was given as 3");
  const Result changed =
      program_.run("train recording.toml --set units=3 --epochs 1 --out set --resume");
  EXPECT_EQ(changed.code, 2);
  EXPECT_PRED2(says, changed.err, "units = 2; --units was given as 3");
}

class Settings : public TrainRecordings {
 protected:
  Result set(const std::vector<std::string>& settings, bool file_first = true) {
    std::vector<std::string> words = {"train"};
    if (file_first) words.emplace_back("recording.toml");
    for (const std::string& each : settings) {
      words.emplace_back("--set");
      words.push_back(each);
    }
    if (!file_first) words.emplace_back("recording.toml");
    return program_.run(words);
  }
  std::string refused(const std::string& setting) {
    const Result result = set({setting});
    EXPECT_EQ(result.code, 2) << setting << result.err;
    EXPECT_FALSE(program_.has("run")) << setting;
    return result.err;
  }
};

TEST_F(Settings, change_keys_of_tables_for_one_run) {
  const Result result = set({"epochs=3", "split.test=[\"sel116\", \"sel123\"]",
                             "augmentation.noise=0.25", "epochs=1", "recordings.folder=ecg"},
                            false);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(json("run/metrics.json")["split"]["test"]["groups"], (Json{"sel116", "sel123"}));
  EXPECT_EQ(json("run/metrics.json")["split"]["validation"]["groups"], Json{"sel103"});
  const std::string config = program_.read("run/config.toml");
  EXPECT_PRED2(says, config, "\ntest = [\"sel116\", \"sel123\"]\n");
  EXPECT_PRED2(says, config, "\nnoise = 0.25\n");
  EXPECT_PRED2(says, config, "\nepochs = 1\n");
}

TEST_F(Settings, are_refused_where_they_are_no_key_with_a_value) {
  for (const char* setting : {"split", "=3", "#epochs=1", "[augmentation]#=", "epochs=1\nunits = 3",
                              "a.b.c.d.e.f.g.h.i.j=1", ""})
    EXPECT_PRED2(says, refused(setting), "--set must be KEY=VALUE") << setting;
  EXPECT_PRED2(says, refused("split.tset=[]"), "recording.toml with --set");
  EXPECT_PRED2(says, refused("split.tset=[]"), "\"test\"");
  EXPECT_PRED2(says, refused("split.folds=[3"), "folds");
  EXPECT_PRED2(says, refused("epochs=1=2"), "epochs");
  EXPECT_PRED2(says, refused("recordings.signals.frequency=50"), "signals is a list");
  const Result date = set({"recordings.folder=2024-01-05"});
  EXPECT_NE(date.code, 0);
  EXPECT_PRED2(says, date.err, "2024-01-05\"");
}

TEST_F(TrainRecordings, refuse_options_of_arrays_and_arrays_options_of_recordings) {
  const auto refused = [&](const std::string& line) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, 2) << line;
    return result.err;
  };
  EXPECT_PRED2(says, refused("train recording.toml --x X.npy"),
               "--x is for arrays; the configuration names recordings");
  save_task(program_);
  EXPECT_PRED2(says, refused("train --x X.npy --y y.npy --folds 3"),
               "--folds is for recordings: the configuration needs a table [recordings]");
  EXPECT_PRED2(says, refused("train recording.toml --model conv-pool-lstm-last"),
               "does not give a label for each step of a recording of any length");
  EXPECT_PRED2(says, refused("train recording.toml --fold 2"), "--fold 2: there is 1 fold.");
  EXPECT_PRED2(says, refused("train recording.toml --predict whle"), "whole");
  EXPECT_PRED2(says, refused("train recording.toml --monitor val_f2"), "--monitor");
  EXPECT_PRED2(says, refused("train recording.toml --normalize zscroe"), "zscore");
  EXPECT_PRED2(says, refused("train recording.toml --seeds 0"), "--seeds must be at least 1");
  configure("fold = 3\n");
  EXPECT_PRED2(says, refused("train recording.toml"), "fold");
  configure("", "split = 3\n");
  EXPECT_PRED2(says, refused("train recording.toml"), "recording.toml");
  EXPECT_FALSE(program_.has("run"));
}

}  // namespace
}  // namespace sonde::testing
