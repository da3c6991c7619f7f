#include <gtest/gtest.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sonde/formats.hpp>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

using Json = nlohmann::json;

/// A finished run of three epochs, and its page.
class RunReport : public ::testing::Test {
 protected:
  RunReport() {
    save_task(program_);
    train("--out run");
    page_ = program_.read("run/report.html");
  }
  void train(const std::string& options, const std::string& x = "X", const std::string& y = "y") {
    good(fmt::format(
        "train --x {}.npy --y {}.npy --filters 2 --kernel-size 2 --units 2 --batch-size "
        "4 --epochs 3 --quiet {}",
        x, y, options));
  }
  Result good(const std::string& line) {
    Result result = program_.run(line);
    EXPECT_EQ(result.code, 0) << line << "\n" << result.err;
    return result;
  }
  static std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size())
      ++found;
    return found;
  }
  std::vector<std::string> event_files(const std::string& out) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(program_.folder() / out))
      if (entry.path().filename().string().starts_with("events.out.tfevents."))
        found.push_back(out + "/" + entry.path().filename().string());
    return found;
  }
  Json shown() const {
    const std::string open = "<script type=\"application/json\" id=\"report-data\">";
    const std::size_t begin = page_.find(open) + open.size();
    return Json::parse(page_.substr(begin, page_.find("</script>", begin) - begin));
  }

  Program program_;
  std::string page_;
};

TEST_F(RunReport, of_training_has_all_that_is_known_of_the_part_that_judges) {
  for (const char* id : {"scores", "view", "worst", "curves", "calibration", "learning", "model",
                         "data", "provenance"})
    EXPECT_EQ(count(page_, fmt::format("<section id=\"{}\"", id)), 1u) << id;
  const Json scores = Json::parse(program_.read("run/metrics.json"))["scores"];
  EXPECT_PRED2(says, page_, fmt::format("{:.3f}", scores["balanced_accuracy"].get<double>()));
  EXPECT_PRED2(says, page_, fmt::format("area {:.3f}", scores["auc"].get<double>()));
  const Json origin = Json::parse(program_.read("run/provenance.json"));
  EXPECT_PRED2(says, page_, origin["files"]["x"]["sha256"].get<std::string>());

  // 12 samples, of which the last 3 judge; the viewer shows them as they are in the file.
  const Json recordings = shown()["viewer"]["recordings"];
  ASSERT_EQ(recordings.size(), 3u);
  EXPECT_EQ(recordings[0]["steps"], 40);
  EXPECT_EQ(recordings[0]["frequency"], 0.0);
  EXPECT_EQ(recordings[0]["channels"].size(), 3u);
  EXPECT_EQ(shown()["learning"]["epoch"], (std::vector<int>{1, 2, 3}));
}

TEST_F(RunReport, shows_signals_in_the_units_of_their_file) {
  Array x = load_npy(program_.path("X.npy"));
  for (float& v : x.values()) v = 1000 + 50 * v;
  save_npy(program_.path("large.npy"), x);
  train("--normalize zscore --out scaled", "large");
  page_ = program_.read("scaled/report.html");
  const Json channel = shown()["viewer"]["recordings"][0]["channels"][0];
  EXPECT_NEAR(channel["offset"].get<double>(), 1000, 10);
}

TEST_F(RunReport, is_made_again_byte_by_byte) {
  const Result again = good("report run -o again.html --figures figures");
  EXPECT_EQ(program_.read("again.html"), page_);
  EXPECT_PRED2(says, again.out, "scores on the validation part");
  for (const char* name : {"figures/roc.svg", "figures/confusion.csv", "figures/learning_loss.csv"})
    EXPECT_TRUE(program_.has(name)) << name;
  program_.write("run/report.html", "");
  good("report run");
  EXPECT_EQ(program_.read("run/report.html"), page_);
}

TEST_F(RunReport, judges_other_data_as_evaluate_does) {
  const Json judged = Json::parse(good("report run --x X.npy --y y.npy -o other.html --json").out);
  Json evaluated = Json::parse(good("evaluate run/model.keras --x X.npy --y y.npy --json").out);
  evaluated.erase("loss");
  EXPECT_EQ(judged["scores"], evaluated);
  EXPECT_EQ(judged["report"], "other.html");
  page_ = program_.read("other.html");
  EXPECT_EQ(shown()["viewer"]["recordings"].size(), 12u);
  EXPECT_PRED2(says, page_, "judged x");
}

TEST_F(RunReport, is_refused_for_what_is_no_run_and_for_data_that_changed) {
  Result result = program_.run("report nowhere");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err,
            "sonde: \"nowhere\" holds no run: there is no config.toml in it. Give the folder that "
            "`sonde train --out` wrote.\n");
  result = program_.run("report run --y y.npy");
  EXPECT_EQ(result.code, 2);
  EXPECT_PRED2(says, result.err, "--y is given without --x");

  const std::string y = program_.read("y.npy");
  program_.write("y.npy", y.substr(0, 128) + std::string(12 * 40 * 4, '\0'));
  result = program_.run("report run");
  EXPECT_EQ(result.code, 3);
  EXPECT_PRED2(says, result.err,
               "report: y \"y.npy\" is not the file that this run began with. Bring that one back, "
               "or judge other data with --x and --y.");
  std::filesystem::remove(program_.folder() / "y.npy");
  result = program_.run("report run");
  EXPECT_EQ(result.code, 5);
  EXPECT_PRED2(says, result.err, "\"y.npy\", with which the run began, is not there");
}

TEST_F(RunReport, cannot_be_made_to_run_or_fetch_anything_by_names) {
  const std::string hostile = "<img src=x onerror=alert(1)>\"'&<script>.npy";
  program_.write(hostile, program_.read("X.npy"));
  const Result result = program_.run({"train", "--x", hostile, "--y", "y.npy", "--filters", "2",
                                      "--units", "2", "--epochs", "1", "--out", "<b>"});
  ASSERT_EQ(result.code, 0) << result.err;
  page_ = program_.read("<b>/report.html");
  EXPECT_EQ(count(page_, "<img src=x"), 0u);
  EXPECT_EQ(count(page_, "<script>.npy"), 0u);
  EXPECT_GT(count(page_, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;&lt;script&gt;.npy"),
            1u);
  EXPECT_EQ(program_.run({"report", "<b>", "-o", "<i>.html"}).code, 0);
  EXPECT_EQ(program_.read("<i>.html"), page_);
}

TEST_F(RunReport, leaves_no_request_to_make) {
  EXPECT_EQ(count(page_, "<link"), 0u);
  EXPECT_EQ(count(page_, "url("), 0u);
  EXPECT_EQ(count(page_, "@import"), 0u);
  const std::regex source("\\ssrc=\"(?!data:)");
  EXPECT_FALSE(std::regex_search(page_.substr(0, page_.find("<script")), source));
  EXPECT_PRED2(says, page_, "default-src 'none'");
}

TEST_F(RunReport, comes_for_every_kind_of_label) {
  Array one({12, 1}), three({12, 40, 3}), values({12, 40, 1}), several({12, 40, 2});
  for (Index i = 0; i < 480; ++i) {
    three.data()[3 * i + i % 3] = 1;
    values.data()[i] = static_cast<float>(i) / 7;
    several.data()[2 * i] = several.data()[2 * i + 1] = static_cast<float>(i % 2);
    several.data()[2 * i] = static_cast<float>(i % 5 == 0);
  }
  for (Index i = 0; i < 12; ++i) one.data()[i] = static_cast<float>(i % 2);
  save_npy(program_.path("one.npy"), one);
  save_npy(program_.path("three.npy"), three);
  save_npy(program_.path("values.npy"), values);
  save_npy(program_.path("several.npy"), several);
  for (const std::string y : {"three", "values", "several"}) {
    train("--out " + y, "X", y);
    page_ = program_.read(y + "/report.html");
    EXPECT_EQ(shown()["viewer"]["recordings"].size(), 3u) << y;
    EXPECT_EQ(shown()["classes"].size(), y == "three" ? 3u : 0u) << y;
    EXPECT_EQ(count(page_, "<section id=\"learning\""), 1u) << y;
    good("report " + y + " -o again.html");
    EXPECT_EQ(program_.read("again.html"), page_) << y;
  }
  train("--model conv-pool-lstm-last --out one", "X", "one");
  page_ = program_.read("one/report.html");
  EXPECT_EQ(shown()["viewer"]["recordings"][0]["steps"], 40);
  EXPECT_EQ(count(page_, "<section id=\"curves\""), 1u);
}

TEST_F(RunReport, has_events_for_TensorBoard_once_for_each_epoch_also_after_going_on) {
  good("train --out run --resume --quiet --epochs 5");
  const std::vector<std::string> files = event_files("run");
  ASSERT_EQ(files.size(), 1u);
  const std::string events = program_.read(files[0]);
  for (const char* tag : {"epoch_loss", "epoch_accuracy", "epoch_val_loss", "epoch_val_accuracy"})
    EXPECT_EQ(count(events, tag), 5u) << tag;
  train("--out run --force");
  ASSERT_EQ(event_files("run").size(), 1u);
  EXPECT_EQ(count(program_.read(event_files("run")[0]), "epoch_loss"), 3u);
}

}  // namespace
}  // namespace sonde::testing
