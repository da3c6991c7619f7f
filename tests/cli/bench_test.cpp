#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sonde/version.hpp>
#include <thread>

#include "tests/support/program.hpp"

// What is timed is noise here; what is counted, and how figures hang together, is not.
namespace sonde::testing {
namespace {

using Json = nlohmann::json;

class Bench : public ::testing::Test {
 protected:
  /// Small signals, two rounds.
  Json bench(const std::vector<std::string>& problems, std::vector<std::string> options = {}) {
    std::vector<std::string> words = {"bench", "--json", "--epochs", "2"};
    words.insert(words.end(), problems.begin(), problems.end());
    words.insert(words.end(), options.begin(), options.end());
    const Result result = program_.run(words);
    EXPECT_EQ(result.code, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
  Json one(const std::string& problem) { return bench({problem})["problems"][0]; }
  void refuses(const std::vector<std::string>& words, int code, const std::string& message) {
    std::vector<std::string> all = {"bench"};
    all.insert(all.end(), words.begin(), words.end());
    const Result result = program_.run(all);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(result.err, "sonde: " + message + "\n");
    EXPECT_EQ(result.out, "");
  }

  Program program_;
};

TEST_F(Bench, says_of_a_problem_what_it_is_and_how_its_figures_hang_together) {
  const Json p = one("lstm5 input=7,3 batch=4 samples=6 threads=1 mode=train");
  EXPECT_EQ(p["problem"], "lstm5 input=7,3 batch=4 samples=6 threads=1 mode=train precision=f32");
  EXPECT_EQ(p["network"], "lstm5");
  EXPECT_EQ(p["input"], Json({7, 3}));
  EXPECT_EQ(p["batch"], 4);
  EXPECT_EQ(p["samples"], 6);
  EXPECT_EQ(p["threads"], 1);
  ASSERT_EQ(p["rounds"].size(), 2u);
  const double seconds = p["seconds"];
  EXPECT_DOUBLE_EQ(seconds, (p["rounds"][0].get<double>() + p["rounds"][1].get<double>()) / 2);
  // 4 gates of 5 units: x W and h U, then dW, dU and dh, but no dx.
  const double forward = 6 * 7 * 2 * 20 * (3 + 5), backward = 6 * 7 * 2 * 20 * (3 + 2 * 5);
  EXPECT_EQ(p["flop_forward"], forward);
  EXPECT_EQ(p["flop"], forward + backward);
  EXPECT_DOUBLE_EQ(p["gflops"], (forward + backward) / seconds / 1e9);
  EXPECT_DOUBLE_EQ(p["peak_share"], p["gflops"].get<double>() / p["peak_gflops"].get<double>());
  EXPECT_DOUBLE_EQ(p["samples_per_second"], 6 / seconds);
  EXPECT_EQ(p["bytes"]["weights"], 4 * (20 * (3 + 5) + 20));
  EXPECT_GE(p["bytes"]["arena"], 4 * 4 * 7 * 20);  // the gates of four rows, for backward
}

TEST_F(Bench, takes_a_chain_of_layers_for_the_network_of_that_name) {
  const std::string sizes = " input=20,16 samples=4 threads=1";
  const Json chain = one("conv32x8 lstm32 dense1" + sizes), named = one("conv-lstm" + sizes);
  EXPECT_EQ(chain["flop"], named["flop"]);
  EXPECT_EQ(chain["bytes"], named["bytes"]);
}

TEST_F(Bench, takes_every_network_and_every_layer) {
  for (const char* network :
       {"conv-bilstm", "conv-pool-lstm-up", "conv-pool-lstm-last", "conv-pool-lstm-wide",
        "spatial-conv-lstm", "temporal-spatial-conv-lstm", "encoder-decoder",
        "conv4x3 pool2 lstm3 up2 gru3 rnn3 bilstm2 bigru2 dense2"})
    for (const char* mode : {"train", "predict"}) {
      const Json p = one(std::string(network) + " input=16,3 samples=2 threads=1 mode=" + mode);
      EXPECT_GT(p["gflops"], 0) << network;
      EXPECT_EQ(p["mode"], mode) << network;
    }
}

TEST_F(Bench, predicts_without_a_way_back) {
  const Json p = one("conv-lstm input=20,3 samples=3 mode=predict threads=1");
  EXPECT_EQ(p["flop"], p["flop_forward"]);
  EXPECT_LT(p["bytes"]["arena"], one("conv-lstm input=20,3 samples=3 threads=1")["bytes"]["arena"]);
}

TEST_F(Bench, streams_on_one_thread_step_by_step) {
  const Json p = one("conv-lstm input=20,3 samples=3 mode=stream threads=2");
  EXPECT_EQ(p["threads"], 1);
  EXPECT_DOUBLE_EQ(p["step_nanoseconds"], p["seconds"].get<double>() / (3 * 20) * 1e9);
  EXPECT_EQ(p["flop"], 3 * 20 * 2 * (8 * 3 * 32 + 128 * 64 + 32));
  EXPECT_GT(p["bytes"]["states"], 0);
}

TEST_F(Bench, times_problems_in_their_order_with_the_options_for_what_they_leave_out) {
  program_.write("problems.txt",
                 "# small ones\n\nlstm4   mode=predict  # a comment\ngru4 samples=3\n");
  const Json json =
      bench({"rnn4 batch=2"}, {"--problems", "problems.txt", "--input", "9,2", "--samples", "5",
                               "--batch-size", "4", "--threads", "1"});
  ASSERT_EQ(json["problems"].size(), 3u);
  EXPECT_EQ(json["problems"][0]["problem"],
            "rnn4 input=9,2 batch=2 samples=5 threads=1 mode=train precision=f32");
  EXPECT_EQ(json["problems"][1]["problem"],
            "lstm4 input=9,2 batch=4 samples=5 threads=1 mode=predict precision=f32");
  EXPECT_EQ(json["problems"][2]["problem"],
            "gru4 input=9,2 batch=4 samples=3 threads=1 mode=train precision=f32");
  EXPECT_FALSE(json.contains("epoch_seconds"));
}

TEST_F(Bench, trains_with_products_of_bfloat16_where_a_problem_says_so) {
  const std::string line = "lstm64 dense1 input=20,3 batch=4 samples=4 threads=1 mode=train";
  const Json halves = one(line + " precision=bf16"), floats = one(line);
  EXPECT_EQ(halves["problem"], line + " precision=bf16");
  EXPECT_EQ(halves["precision"], "bf16");
  EXPECT_EQ(floats["precision"], "f32");
  EXPECT_EQ(halves["flop"], floats["flop"]);
  EXPECT_LE(halves["bytes"]["packed"], floats["bytes"]["packed"]);
  refuses({"lstm4 mode=predict precision=bf16"}, 2,
          "problem \"lstm4 mode=predict precision=bf16\": precision must be f32 where nothing is "
          "trained, got bf16. Use mode=train.");
}

TEST_F(Bench, names_the_machine) {
  const Json machine = bench({"lstm4 input=9,2 samples=2"})["machine"];
  EXPECT_EQ(machine["version"], std::string(version));
  EXPECT_EQ(machine["kernels"], std::string(kernel_level()));
  EXPECT_EQ(machine["bfloat16"], std::string(bfloat16_level()));
  EXPECT_EQ(machine["cores"], std::thread::hardware_concurrency());
  EXPECT_FALSE(machine["processor"].get<std::string>().empty());
}

TEST_F(Bench, without_problems_times_the_network_of_the_options) {
  const Json json = bench({}, {"--model", "conv-pool-lstm-last", "--input", "20,3", "--samples",
                               "8", "--batch-size", "4", "--threads", "1"});
  EXPECT_EQ(json["epoch_seconds"], json["problems"][0]["rounds"]);
  EXPECT_EQ(json["model"], "conv-pool-lstm-last");
  EXPECT_EQ(json["samples"], 8);
  EXPECT_EQ(json["steps"], 20);
  EXPECT_EQ(json["channels"], 3);
  EXPECT_EQ(json["batch_size"], 4);
  EXPECT_EQ(json["kernels"], std::string(kernel_level()));
}

TEST_F(Bench, tells_people_the_same) {
  const std::string text = program_.run("bench --input 20,3 --samples 8 --threads 1").out;
  for (const char* part :
       {"conv-lstm input=20,3 batch=32 samples=8 threads=1 mode=train precision=f32\n",
        " s an epoch, ", " samples a second, median of 5 rounds; the fastest took ", " GFLOP/s, ",
        " that multiply-adds in registers reach on 1 thread\n", "weights 36.6 kB, packed "})
    EXPECT_PRED2(says, text, part) << text;
}

// --- refusals ------------------------------------------------------------------------------------

TEST_F(Bench, refuses_words_that_are_no_layer_with_the_nearest_one) {
  refuses({"lstn64 mode=train"}, 2,
          "problem \"lstn64 mode=train\": network: \"lstn64\" is not known. Did you mean "
          "\"lstm64\"?");
  refuses({"conv-lstn"}, 2,
          "problem \"conv-lstn\": network: \"conv-lstn\" is not known. Did you mean "
          "\"conv-lstm\"?");
  refuses({"cnv32x8"}, 2,
          "problem \"cnv32x8\": network: \"cnv32x8\" is not known. Did you mean \"conv32x8\"?");
}

TEST_F(Bench, counts_the_memory_of_batches_that_there_are) {
  const Json few = one("lstm5 input=7,3 batch=4 samples=4 threads=1");
  EXPECT_EQ(one("lstm5 input=7,3 batch=999999999 samples=4 threads=1")["bytes"], few["bytes"]);
}

TEST_F(Bench, keeps_what_was_timed_before_a_problem_that_fails) {
  const Result result = program_.run(std::vector<std::string>{
      "bench", "--json", "--epochs", "2", "lstm4 samples=2", "lstm4 samples=999999999999"});
  EXPECT_NE(result.code, 0);
  EXPECT_EQ(Json::parse(result.out, nullptr, false)["problems"].size(), 1u) << result.out;
}

TEST_F(Bench, refuses_layers_without_their_numbers) {
  refuses({"conv32"}, 2,
          "problem \"conv32\": expected conv as in conv32x8, got \"conv32\". Write the numbers, "
          "with an x between, behind its name, without blanks.");
  refuses({"lstm 64"}, 2,
          "problem \"lstm 64\": expected lstm as in lstm32, got \"lstm\". Write the number behind "
          "its name, without blanks.");
  refuses({"lstm64x2"}, 2,
          "problem \"lstm64x2\": expected lstm as in lstm32, got \"lstm64x2\". Write the number "
          "behind its name, without blanks.");
  refuses({"conv32xx8"}, 2,
          "problem \"conv32xx8\": expected conv as in conv32x8, got \"conv32xx8\". Write the "
          "numbers, with an x between, behind its name, without blanks.");
}

TEST_F(Bench, refuses_a_line_without_a_network) {
  refuses({"threads=2"}, 2,
          "problem \"threads=2\": expected a network or layers, got none. Write it like "
          "\"conv-lstm threads=2\" or \"conv32x8 lstm64 dense1\".");
}

TEST_F(Bench, refuses_a_network_beside_layers) {
  refuses({"conv-lstm dense1"}, 2,
          "problem \"conv-lstm dense1\": conv-lstm is a whole network and takes no layers beside "
          "it. Leave out it or them.");
}

TEST_F(Bench, refuses_keys_and_values_that_say_nothing) {
  refuses({"lstm4 bacth=3"}, 2,
          "problem \"lstm4 bacth=3\": \"bacth\" is not known. Did you mean \"batch\"?");
  refuses({"lstm4 mode=fit"}, 2,
          "problem \"lstm4 mode=fit\": mode: \"fit\" is not known. Known: train, predict, stream.");
  refuses({"lstm4 batch=many"}, 2,
          "problem \"lstm4 batch=many\": batch must be a whole number, got \"many\" (a text).");
  refuses({"lstm4 batch=2 batch=3"}, 2,
          "problem \"lstm4 batch=2 batch=3\": batch is given twice. Leave out all but one.");
  refuses({"lstm4 batch=0"}, 2, "problem \"lstm4 batch=0\": batch must be at least 1, got 0.");
  refuses({"lstm4 samples=0"}, 2,
          "problem \"lstm4 samples=0\": samples must be at least 1, got 0.");
  refuses({"lstm4 threads=-1"}, 2,
          "problem \"lstm4 threads=-1\": threads must not be negative, got -1. 0 is all cores.");
  refuses({"lstm4 input=400"}, 2,
          "problem \"lstm4 input=400\": input must be steps and channels like 400,16, got 400.");
  refuses({"lstm4 input=None,2"}, 2,
          "problem \"lstm4 input=None,2\": input must be steps and channels like 400,16, got "
          "None,2.");
}

TEST_F(Bench, refuses_what_layers_refuse_before_anything_is_timed) {
  refuses({"lstm4 input=20,3 samples=2", "lstm0"}, 2,
          "problem \"lstm0\": LSTM: units must be at least 1, got 0.");
  refuses({"lstm4 input=20,3 samples=2", "bilstm4 mode=stream"}, 2,
          "problem \"bilstm4 mode=stream\": LSTM \"bidirectional/backward_lstm\": cannot stream: "
          "go_backwards begins with the last step.");
}

TEST_F(Bench, says_in_which_line_of_a_file_a_problem_stands) {
  program_.write("problems.txt", "# one\nlstm4 input=9,2\n\nlstm4 mode=fit\n");
  refuses({"--problems", "problems.txt"}, 2,
          "problems.txt line 4 \"lstm4 mode=fit\": mode: \"fit\" is not known. Known: train, "
          "predict, stream.");
  program_.write("layers.txt", "\nlstm4 dense\n");
  refuses({"--problems", "layers.txt"}, 2,
          "layers.txt line 2 \"lstm4 dense\": expected dense as in dense1, got \"dense\". Write "
          "the number behind its name, without blanks.");
}

TEST_F(Bench, refuses_files_without_problems) {
  program_.write("none.txt", "# nothing yet\n\n");
  refuses({"--problems", "none.txt"}, 2,
          "none.txt: expected a problem on each line, got none. Write one like \"conv-lstm "
          "threads=2\".");
  refuses({"--problems", "missing.txt"}, 5, "missing.txt: cannot be opened. Does it exist?");
  refuses({"--problems", "."}, 5, ".: expected a file of problems, got a folder.");
  refuses({"--problems", ""}, 2, "--problems: expected a file, got an empty name.");
}

TEST_F(Bench, refuses_options_that_say_nothing) {
  refuses({"--model", "conv-lstm", "lstm4"}, 2,
          "--model: problems name their own networks. Leave it or them out.");
  refuses({"--epochs", "0"}, 2, "--epochs must be at least 1 and at most 1000000, got 0.");
  refuses({"--epochs", "9223372036854775807"}, 2,
          "--epochs must be at least 1 and at most 1000000, got 9223372036854775807.");
  refuses(
      {"conv-lstm batch = 16"}, 2,
      "problem \"conv-lstm batch = 16\": expected key=value without blanks, as in batch=32, got "
      "\"=\".");
  refuses({"--samples", "0"}, 2, "--model \"conv-lstm\": samples must be at least 1, got 0.");
}

}  // namespace
}  // namespace sonde::testing
