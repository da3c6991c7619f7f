#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/labeller.hpp>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>
#include <sonde/stream.hpp>
#include <sstream>
#include <thread>

#include "tests/support/program.hpp"

namespace sonde::testing {
namespace {

constexpr Index channels = 3;

std::string lines(const Array& signal, Index from, Index to, const char* separator = ",") {
  std::ostringstream text;
  text.precision(9);
  for (Index t = from; t < to; ++t)
    for (Index c = 0; c < channels; ++c)
      text << signal.data()[t * channels + c] << (c + 1 < channels ? separator : "\n");
  return text.str();
}

Index count_lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

/// A model of signals of any length, and one of 101 steps.
class StreamVerb : public ::testing::Test {
 protected:
  StreamVerb() {
    Model model = make_network("conv-lstm", {dynamic, channels},
                               {.filters = 4, .kernel_size = 5, .units = 4});
    latency_ = model.stream().latency();
    save_model(model, program_.path("m.keras"));
    for (Index i = 0; i < signal_.size(); ++i)
      signal_.data()[i] = static_cast<float>((i * 7919) % 257) / 64.0f - 2.0f;
    program_.write("signal.csv", lines(signal_, 0, steps_));
    program_.input_from(program_.path("signal.csv"));
  }
  Result stream(const std::string& input, const std::string& options = "") {
    program_.write("input", input);
    program_.input_from(program_.path("input"));
    return program_.run("stream m.keras " + options);
  }
  std::string predicted() { return program_.run("predict m.keras signal.csv").out; }
  /// Waits until what the program printed has so many lines; gives up after some seconds.
  bool printed(Index count) {
    for (int i = 0; i < 4000 && count_lines(program_.read(".out")) < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return count_lines(program_.read(".out")) >= count;
  }

  Index steps_ = 101, latency_ = 0;
  Array signal_{Shape{101, channels}};
  Program program_;
};

TEST_F(StreamVerb, gives_the_labels_of_predict_to_the_digit) {
  const std::string expected = predicted();
  ASSERT_EQ(count_lines(expected), steps_ + 1);
  for (const char* at_once : {"1", "2", "64", "1000"})
    EXPECT_EQ(program_.run(std::string("stream m.keras --at-once ") + at_once).out, expected);
  EXPECT_EQ(program_.run("stream m.keras --labels").out,
            program_.run("predict m.keras signal.csv --labels").out);
}

TEST_F(StreamVerb, takes_and_gives_raw_numbers) {
  program_.run("predict m.keras signal.csv -o p.npy");
  const Array expected = load_npy(program_.path("p.npy"));
  const auto* bytes = reinterpret_cast<const char*>(signal_.data());
  const std::string raw(bytes, static_cast<std::size_t>(signal_.size()) * sizeof(float));
  const Result result = stream(raw, "--raw-input --raw-output");
  ASSERT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(result.out.size(), static_cast<std::size_t>(expected.size()) * sizeof(float));
  EXPECT_EQ(std::memcmp(result.out.data(), expected.data(), result.out.size()), 0);
}

TEST_F(StreamVerb, gives_each_label_as_soon_as_it_can_be_known) {
  ASSERT_EQ(latency_, 2) << "half of a kernel of 5 steps";
  const std::string expected = predicted();
  std::filesystem::remove(program_.path(".out"));
  ASSERT_EQ(mkfifo(program_.path("pipe").c_str(), 0600), 0);
  program_.input_from(program_.path("pipe"));
  std::future<Result> result =
      std::async(std::launch::async, [&] { return program_.run("stream m.keras"); });
  {
    std::ofstream pipe(program_.path("pipe"));
    for (const Index known : {7, 8, 40}) {
      pipe << lines(signal_, known == 7 ? 0 : known == 8 ? 7 : 8, known) << std::flush;
      EXPECT_TRUE(printed(1 + known - latency_)) << known;
      EXPECT_EQ(count_lines(program_.read(".out")), 1 + known - latency_);
    }
    pipe << lines(signal_, 40, steps_);
  }
  EXPECT_EQ(result.get().out, expected);
}

TEST_F(StreamVerb, labels_what_came_before_it_was_interrupted) {
  ASSERT_EQ(mkfifo(program_.path("pipe").c_str(), 0600), 0);
  program_.input_from(program_.path("pipe"));
  std::future<Result> result = std::async(
      std::launch::async, [&] { return program_.interrupt("stream m.keras", SIGINT, "go"); });
  std::ofstream pipe(program_.path("pipe"));
  pipe << lines(signal_, 0, 20) << std::flush;
  EXPECT_TRUE(printed(1 + 20 - latency_));
  program_.write("go", "");
  const Result ended = result.get();
  EXPECT_EQ(ended.code, 130);
  EXPECT_EQ(count_lines(ended.out), 1 + 20);
}

TEST_F(StreamVerb, says_how_late_labels_are) {
  EXPECT_EQ(program_.run("stream m.keras").err,
            "3 channels in, 1 out; a label leaves 2 steps after its own step.\n");
  EXPECT_EQ(program_.run("stream m.keras --quiet").err, "");
}

TEST_F(StreamVerb, reads_tables_however_they_are_written) {
  const std::string expected = predicted();
  for (const char* separator : {",", ";", "\t", " ", "  ", " ; "})
    EXPECT_EQ(stream(lines(signal_, 0, steps_, separator)).out, expected) << separator;
  std::string odd = "a,b,c\r\n\r\n" + lines(signal_, 0, steps_);
  odd.pop_back();  // no end of the last line
  EXPECT_EQ(stream(odd).out, expected);
  EXPECT_EQ(stream("").out, "y\n");
  EXPECT_EQ(stream("").code, 0);
}

TEST_F(StreamVerb, prints_one_object_for_each_label) {
  std::istringstream text(program_.run("stream m.keras --json").out);
  std::istringstream plain(predicted());
  std::string object, number;
  std::getline(plain, number);
  for (Index step = 0; std::getline(text, object); ++step) {
    const auto json = nlohmann::json::parse(object);
    std::getline(plain, number);
    EXPECT_EQ(json["step"], step);
    EXPECT_FLOAT_EQ(json["y"][0].get<float>(), std::stof(number));
  }
  EXPECT_EQ(count_lines(text.str()), steps_);
}

TEST_F(StreamVerb, scales_as_the_model_was_taught) {
  save_task(program_);
  ASSERT_EQ(program_
                .run("train --x X.npy --y y.npy --normalize zscore --any-length --epochs 1 "
                     "--filters 4 --units 4 --out run")
                .code,
            0);
  EXPECT_EQ(program_.run("stream run/model.keras").out,
            program_.run("predict run/model.keras signal.csv").out);
}

TEST_F(StreamVerb, refuses_steps_that_are_none_after_the_labels_of_those_before) {
  const std::string before = lines(signal_, 0, 10);
  const std::pair<const char*, const char*> refusals[] = {
      {"1,2\n", "stdin: line 11 holds 2 numbers, expected one for each of 3 channels."},
      {"1,2,3,4\n", "line 11 holds 4 numbers"},
      {"1,,3\n", "line 11, column 2: \"\" is no number."},
      {"1,x,3\n", "line 11, column 2: \"x\" is no number."},
      {"1,2,nan\n", "step 10, channel 2 is nan."},
      {"1,inf,3\n", "step 10, channel 1 is inf."}};
  for (const auto& [line, message] : refusals) {
    const Result result = stream(before + line + before);
    EXPECT_EQ(result.code, 3) << line;
    EXPECT_PRED2(says, result.err, message);
    EXPECT_EQ(count_lines(result.out), 1 + 10) << line;
  }
  EXPECT_PRED2(says, stream(std::string(13, '\0'), "--raw-input").err,
               "stdin ends within step 1: expected 12 bytes, one float32 for each of 3 channels, "
               "got 1.");
  EXPECT_EQ(stream(std::string((1 << 20) + 100, '1')).code, 3) << "a line without end";
}

TEST_F(StreamVerb, refuses_models_and_options_that_do_not_fit) {
  save_model(make_network("conv-pool-lstm-last", {40, channels}, {}), program_.path("last.keras"));
  const Tensor x = Input({dynamic, channels});
  save_model(Model(x, Bidirectional{.layer = LSTM{.units = 2, .return_sequences = true}}(x)),
             program_.path("both.keras"));
  for (const char* words :
       {"stream last.keras", "stream both.keras", "stream m.keras --at-once 0",
        "stream m.keras --json --raw-output", "stream m.keras --chunks 3", "stream"})
    EXPECT_EQ(program_.run(words).code, 2) << words;
  EXPECT_EQ(program_.run("stream none.keras").code, 5);
  EXPECT_EQ(program_.run("stream signal.csv").code, 4);
  EXPECT_EQ(program_.run({"stream", "m.keras"}, "/dev/full").code, 5);
}

/// The same model, which calls its channels "c", "a" and "b".
class NamedStream : public StreamVerb {
 protected:
  NamedStream() {
    Model model = Model::load(program_.path("m.keras"));
    Labeller(std::move(model), {.channels = {"c", "a", "b"}}).save(program_.path("m.keras"));
  }
};

TEST_F(NamedStream, takes_channels_by_the_names_of_the_first_line) {
  const std::string expected = predicted();
  std::ostringstream text;
  text.precision(9);
  text << "time,a,\"b\",c\n";
  for (Index t = 0; t < steps_; ++t)
    text << "12:00:" << t << "," << signal_(t, 1) << "," << signal_(t, 2) << "," << signal_(t, 0)
         << "\n";
  const Result result = stream(text.str());
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, expected);
  EXPECT_EQ(stream("\xEF\xBB\xBF" + text.str()).out, expected) << "a byte order mark";
  EXPECT_EQ(stream(lines(signal_, 0, steps_)).out, expected) << "no names: by place";
}

TEST_F(NamedStream, refuses_a_first_line_without_one_of_the_names) {
  const Result missing = stream("a,b,time\n1,2,3\n");
  EXPECT_EQ(missing.code, 3);
  EXPECT_PRED2(says, missing.err,
               "stdin: line 1: there is no column \"c\", which the model needs. There are: a, b, "
               "time.");
  const Result narrow = stream("a,b,time,c\n1,2,3,4\n1,2,3\n");
  EXPECT_EQ(narrow.code, 3);
  EXPECT_PRED2(says, narrow.err, "line 3 holds 3 numbers, expected one for each of 4 columns.");
  EXPECT_EQ(count_lines(narrow.out), 1 + 1);
}

TEST_F(StreamVerb, refuses_a_header_of_another_count) {
  const Result result = stream("time,a,b,c\n" + lines(signal_, 0, 5));
  EXPECT_EQ(result.code, 3);
  EXPECT_PRED2(says, result.err,
               "stdin: line 1 names 4 columns, expected one for each of 3 channels.");
  EXPECT_EQ(result.out, "y\n");
}

TEST_F(StreamVerb, takes_no_first_step_for_a_header) {
  const Result result = stream("0.5,?,1\n" + lines(signal_, 0, 5));
  EXPECT_EQ(result.code, 3);
  EXPECT_PRED2(says, result.err, "stdin: line 1, column 2: \"?\" is no number.");
  const std::string rows = lines(signal_, 0, steps_);
  EXPECT_EQ(stream("\xEF\xBB\xBF" + rows).out, predicted()) << "a byte order mark";
}

}  // namespace
}  // namespace sonde::testing
