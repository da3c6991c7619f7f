#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <sonde/error.hpp>
#include <sonde/report.hpp>

#include "base/file.hpp"
#include "report/text.hpp"
#include "tests/support/files.hpp"

namespace sonde {
namespace {

using testing::refused_with;
using testing::says;
using testing::TemporaryFolder;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Closes whatever a text could stand in.
const std::string hostile = "</script><img src=x onerror=alert(1)>\"'&\xE2\x80\xA8{{";

Report small() {
  Report report;
  report.title = "Small";
  report.classes = {"none", "wave"};
  report.learning = {.epoch = {0, 1, 2},
                     .history = {{"loss", {0.1, nan, 1e-300}}, {"val_loss", {0.3, 0.2, 0.1}}},
                     .best_epoch = 1};
  StepJudge judge(2);
  const std::vector<float> p = {0.9f, 0.2f, 0.6f, 0.4f}, y = {1, 0, 0, 1};
  judge.add(p, y);
  report.scores = judge.scores();
  report.curves = class_curves(p, y, {}, 2);
  report.calibration = calibration(p, y);
  report.groups.groups = {{"ann", 0.9, 4}, {"bob", 0.25, 4}};
  report.groups.overall = 0.6;
  report.groups.interval = ConfidenceInterval{0.3, 0.8};
  report.recordings = {{"night", "ann", 0.9, 4, "good"}, {"day", "bob", 0.25, 4, "bad"}};
  EventScore score;
  score.marked = 3, score.found = 2, score.pairs = 2, score.seconds = 60;
  report.events = {{.rule = {.kind = EventRule::Kind::iou}, .rows = {{"wave", score}}}};
  report.model_summary = "Model: small";
  report.parts = {{"training", {"ann"}, 1, 4, 60}};
  report.files = {{"data", "a.csv", 12, "abc"}};
  report.provenance = {{"seed", "7"}};
  ViewedRecording viewed{.name = "night", .frequency = 2, .channels = {"lead"}};
  viewed.signal = Array({4, 1});
  viewed.labels = {1, 0, 0, 1};
  viewed.predicted = {1, 0, 1, 0};
  viewed.probabilities = Array({4, 1}, p);
  report.recordings_to_view.push_back(viewed);
  return report;
}

/// All of `small` with `text` wherever a text can stand.
Report everywhere(const std::string& text) {
  Report report = small();
  report.title = report.subtitle = report.model_summary = report.model_graph = text;
  report.classes = {text, text};
  report.learning.history[text] = {1, 2, 3};
  report.groups.score = text;
  for (auto& group : report.groups.groups) group.name = text;
  for (auto& each : report.recordings) each.name = each.group = each.comment = text;
  report.events[0].rows[0].first = text;
  report.boundaries = {{0.1, {{text, {}, {}}}}};
  report.files = {{text, text, 1, text}};
  report.parts = {{text, {text}, 1, 1, 1}};
  report.provenance = {{text, text}};
  report.recordings_to_view[0].name = text;
  report.recordings_to_view[0].channels = {text};
  return report;
}

nlohmann::json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"report-data\">";
  const std::size_t begin = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

std::size_t count(const std::string& page, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = page.find(what, at)) != std::string::npos; at += what.size())
    ++found;
  return found;
}

TEST(Report, has_a_section_for_all_that_it_was_given_and_for_nothing_else) {
  const std::string page = report_html(small());
  for (const char* id : {"scores", "view", "events", "groups", "worst", "curves", "calibration",
                         "learning", "model", "data", "provenance"}) {
    EXPECT_EQ(count(page, std::string("<section id=\"") + id + "\""), 1u) << id;
    EXPECT_EQ(count(page, std::string("href=\"#") + id + "\""), 1u) << id;
  }
  EXPECT_TRUE(says(page, small().events[0].rule.text()));
  EXPECT_LT(page.find(">day<"), page.find(">night</th>")) << "the worst recording comes first";
  const std::string empty = report_html({});
  EXPECT_EQ(count(empty, "<section"), 0u);
  EXPECT_TRUE(says(empty, "</html>"));
}

TEST(Report, embeds_exactly_the_numbers_it_was_given) {
  const Report report = small();
  const nlohmann::json data = data_of(report_html(report));
  const auto& loss = data["learning"]["history"]["loss"];
  EXPECT_EQ(loss[0].get<double>(), 0.1);
  EXPECT_TRUE(loss[1].is_null());
  EXPECT_EQ(loss[2].get<double>(), 1e-300);
  EXPECT_EQ(data["learning"]["epoch"], (std::vector<int>{0, 1, 2}));
  ASSERT_EQ(data["curves"].size(), 2u);
  const auto& points = data["curves"][1]["points"];
  ASSERT_EQ(points.size(), report.curves[1].points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i][1].get<double>(), report.curves[1].points[i].recall);
    EXPECT_EQ(points[i][2].get<double>(), report.curves[1].points[i].false_positive_rate);
    EXPECT_EQ(points[i][3].get<double>(), report.curves[1].points[i].precision);
  }
  // One of two waves found, one of two others taken for it.
  EXPECT_EQ(data["curves"][1]["chosen"], (std::vector<double>{0.5, 0.5, 0.5}));
  const auto& viewed = data["viewer"]["recordings"][0];
  EXPECT_EQ(viewed["steps"], 4);
  EXPECT_EQ(viewed["frequency"], 2.0);
  EXPECT_EQ(viewed["labels"]["count"], 3);
  EXPECT_EQ(viewed["predicted"]["count"], 4);
  EXPECT_EQ(viewed["channels"][0]["levels"].size(), 1u);
}

TEST(Report, no_text_can_become_markup_or_script) {
  const std::string tame = report_html(everywhere("tame")), wild = report_html(everywhere(hostile));
  for (const char* what : {"<script", "</script", "<img", "<style", "<svg", "<td"})
    EXPECT_EQ(count(wild, what), count(tame, what)) << what;
  EXPECT_EQ(count(wild, "onerror=alert(1)>"), 0u);
  EXPECT_EQ(count(wild.substr(wild.find("id=\"report-data\"")), "\xE2\x80\xA8"), 0u);
  EXPECT_EQ(data_of(wild)["classes"][1], hostile);
  EXPECT_EQ(data_of(wild)["viewer"]["recordings"][0]["channels"][0]["name"], hostile);
  EXPECT_TRUE(data_of(wild)["learning"]["history"].contains(hostile));
}

TEST(Report, text_that_is_no_UTF_8_becomes_valid) {
  EXPECT_EQ(report::clean("a\x80z"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(report::clean(std::string("\0\x1B[2J", 5)), "\xEF\xBF\xBD\xEF\xBF\xBD[2J");
  EXPECT_EQ(report::clean("\xC0\xAF \xED\xA0\x80 \xF5 \xE2\x82"),
            "\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD "
            "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(report::clean("µV → ≥ 😀"), "µV → ≥ 😀");
  EXPECT_NO_THROW(data_of(report_html(everywhere("\xFF\xC3"))));
}

TEST(Report, makes_no_request_and_runs_only_its_own_scripts) {
  const std::string page = report_html(small());
  const std::string policy = page.substr(0, page.find("<title>"));
  EXPECT_TRUE(says(policy, "default-src 'none'; script-src 'sha256-"));
  EXPECT_FALSE(says(policy, "unsafe"));
  EXPECT_FALSE(says(policy, "http:"));
  // Nothing names another file: addresses lie inside the page, and images are data.
  const std::regex address("(?:src|href)=\"([^\"]*)\"");
  for (std::sregex_iterator it(page.begin(), page.end(), address), end; it != end; ++it) {
    const std::string to = (*it)[1];
    EXPECT_TRUE(to.starts_with('#') || to.starts_with("data:image/")) << to;
  }
  EXPECT_EQ(count(page, "sourceMappingURL"), 0u);
  EXPECT_EQ(count(page, "url("), 0u);
  // Inline handlers and styles would be refused by the policy.
  EXPECT_FALSE(std::regex_search(
      page.substr(page.find("<body>"), page.find("<script type") - page.find("<body>")),
      std::regex("<[^>]* (style|on[a-z]+)=")));
}

TEST(Report, every_picture_has_words_in_its_place) {
  const std::string page = report_html(small());
  EXPECT_EQ(count(page, "<svg "),
            count(page, "role=\"img\" aria-label=\"") - count(page, "<canvas id=\"v-overview\""));
  EXPECT_TRUE(says(page, "Calibration: expected calibration error"));
}

TEST(Report, drops_the_finest_levels_where_the_page_would_grow_too_large) {
  Report report = small();
  ViewedRecording& viewed = report.recordings_to_view[0];
  viewed = {.name = "long", .frequency = 1, .channels = {}};
  viewed.signal = Array({5000, 1});
  viewed.probabilities = Array({5000, 1});
  const auto blocks = [&](const char* tracks) {
    return data_of(report_html(report))["viewer"]["recordings"][0][tracks][0]["levels"][0]["block"]
        .get<int>();
  };
  EXPECT_EQ(blocks("channels"), 1);
  EXPECT_EQ(blocks("probabilities"), 1);
  report.most_viewer_bytes = 20'000;
  EXPECT_EQ(blocks("channels"), 1);
  EXPECT_EQ(blocks("probabilities"), 16);
  EXPECT_TRUE(says(report_html(report), "Probabilities are shown by their least and largest"));
  report.most_viewer_bytes = 0;
  EXPECT_EQ(blocks("channels"), 16);
}

TEST(Report, survives_recordings_of_no_and_of_one_step) {
  for (const Index steps : {0, 1}) {
    Report report;
    report.recordings_to_view.push_back({.name = "short", .channels = {}});
    report.recordings_to_view[0].signal = Array({steps, 2});
    EXPECT_EQ(data_of(report_html(report))["viewer"]["recordings"][0]["steps"], steps);
  }
}

TEST(Report, refuses_parts_that_do_not_fit) {
  const auto refusal = [](auto change) {
    Report report = small();
    change(report);
    return refused_with<DataError>([&] { report_html(report); });
  };
  EXPECT_PRED2(says, refusal([](Report& r) { r.recordings_to_view[0].labels = {1}; }),
               "night: 1 labels for 4 steps");
  EXPECT_PRED2(says, refusal([](Report& r) { r.recordings_to_view[0].predicted[2] = 2; }),
               "label 2 is no class number below 2");
  EXPECT_PRED2(says, refusal([](Report& r) { r.recordings_to_view[0].signal = Array({4}); }),
               "(time, channels)");
  EXPECT_PRED2(says, refusal([](Report& r) { r.learning.history["loss"] = {1}; }),
               "1 values of loss for 3 epochs");
  EXPECT_PRED2(says, refusal([](Report& r) { r.classes = {"one"}; }), "1 names for 2 classes");
}

TEST(WriteReport, writes_the_same_bytes_every_time) {
  const TemporaryFolder folder;
  write_report(folder / "a.html", small());
  const std::vector<std::byte> bytes = read_file(folder / "a.html");
  EXPECT_EQ(text_of(bytes), report_html(small()));
}

TEST(WriteFigures, writes_a_picture_and_its_numbers_for_each) {
  const TemporaryFolder folder;
  const std::vector<std::string> names = write_figures(folder / "figures", small());
  EXPECT_EQ(names,
            (std::vector<std::string>{"confusion", "learning_loss", "roc", "precision_recall",
                                      "calibration", "groups", "events"}));
  const auto text = [&](const std::string& name) {
    const std::vector<std::byte> bytes = read_file(folder / ("figures/" + name));
    return std::string(text_of(bytes));
  };
  EXPECT_EQ(text("learning_loss.csv"), "epoch,loss,val_loss\n0,0.1,0.3\n1,nan,0.2\n2,1e-300,0.1\n");
  EXPECT_EQ(text("groups.csv"), "group,macro F1,steps\nbob,0.25,4\nann,0.9,4\n");
  EXPECT_EQ(text("confusion.csv"), "label,none,wave\nnone,1,1\nwave,1,1\n");
  for (const std::string& name : names)
    EXPECT_TRUE(name == "events" || text(name + ".svg").starts_with("<svg xmlns=")) << name;
}

TEST(WriteFigures, no_name_leaves_the_folder) {
  const TemporaryFolder folder;
  Report report;
  report.learning = {
      .epoch = {0}, .history = {{"../../x", {1}}, {"..\\..\\x", {2}}}, .best_epoch = {}};
  EXPECT_EQ(write_figures(folder.path(), report),
            (std::vector<std::string>{"learning_______x", "learning_______x_2"}));
}

}  // namespace
}  // namespace sonde
