#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/networks.hpp>
#include <sonde/version.hpp>

#include "tests/support/program.hpp"

#if defined(__has_feature)
#define SONDE_HAS_FEATURE(feature) __has_feature(feature)
#else
#define SONDE_HAS_FEATURE(feature) 0
#endif

// Every refusal of the command line: its exit code, its one line on stderr, and nothing on stdout.
namespace sonde::testing {
namespace {

class Refusals : public ::testing::Test {
 protected:
  Refusals() { save_task(program_); }

  void expect(const std::string& line, int code, const std::string& message) {
    const Result result = program_.run(line);
    EXPECT_EQ(result.code, code) << line << "\n" << result.err;
    EXPECT_PRED2(says, result.err, "sonde: " + message) << line;
    EXPECT_EQ(result.out, "") << line;
  }
  /// The same, and no run directory is left behind.
  void expect_no_run(const std::string& line, int code, const std::string& message) {
    expect("train --epochs 1 " + line, code, message);
    EXPECT_FALSE(program_.has("run")) << line;
  }
  void save(const std::string& name, Array array) { save_npy(program_.path(name), array); }
  Array x() { return load_npy(program_.path("X.npy")); }
  Array y() { return load_npy(program_.path("y.npy")); }

  Program program_;
};

TEST_F(Refusals, of_words_name_what_is_nearest) {
  expect("", 2, "no verb is given.");
  expect("trian", 2, "the verb trian is not known. Did you mean train?");
  expect("--verison", 2, "the option --verison is not known. Did you mean --version?");
  expect("train --x X.npy --epohcs 3", 2,
         "the option --epohcs is not known. Did you mean --epochs?");
  expect("train --x X.npy --epohcs=3", 2,
         "the option --epohcs is not known. Did you mean --epochs?");
  expect("summary m.keras more", 2,
         "the argument more is not known. \"sonde summary --help\" lists all.");
  expect("predict m.keras", 2, "files is required.");
  expect("train --epochs", 2, "--epochs: 1 required N missing.");
  expect("train --epochs 1 --x X.npy --epochs 2", 2,
         "--epochs is given 2 times, and takes one value. Leave out all but one.");
  expect("train --set a=1 --epochs 1 --set b=2 --epochs 2", 2,
         "--epochs is given 2 times, and takes one value. Leave out all but one.");
}

TEST_F(Refusals, of_values_name_the_option) {
  expect_no_run("--x X.npy --y y.npy --learning-rate 0", 2,
                "--learning-rate must be above 0, got 0.");
  expect_no_run("--x X.npy --y y.npy --learning-rate nan", 2,
                "--learning-rate must be a number, got \"nan\" (a text).");
  expect_no_run("--x X.npy --y y.npy --batch-size 0", 2, "--batch-size must be at least 1, got 0.");
  expect_no_run("--x X.npy --y y.npy --threads -1", 2, "--threads must be at least 0, got -1.");
  expect_no_run("--x X.npy --y y.npy --seed 1.5", 2,
                "--seed must be a whole number, got \"1.5\" (a text).");
  expect_no_run("--x X.npy --y y.npy --validation-split 1", 2,
                "--validation-split must be at least 0 and below 1, got 1.");
  expect_no_run("--x X.npy --y y.npy --normalize zcore", 2,
                "--normalize: \"zcore\" is not known. Did you mean \"zscore\"?");
  expect_no_run("--x X.npy --y y.npy --model conv-lsmt", 2,
                "network: \"conv-lsmt\" is not known. Did you mean \"conv-lstm\"?");
  expect_no_run("--x X.npy --y y.npy --loss binary", 2, "loss: \"binary\" is not known.");
  expect_no_run("--x X.npy --y y.npy --optimizer adm", 2,
                "optimizer: \"adm\" is not known. Did you mean \"Adam\"?");
  expect_no_run("--x X.npy --y y.npy --monitor val_acuracy", 2,
                "--monitor: \"val_acuracy\" is not known. Did you mean \"val_accuracy\"?");
  expect_no_run("--x X.npy --y y.npy --monitor val_loss --validation-split 0", 2,
                "--monitor: \"val_loss\" is not known.");
  expect_no_run("--x X.npy --y y.npy --class-weight 1,2,3", 2,
                "--class-weight: expected 2 numbers, one for each class, got 3.");
  expect_no_run("--x X.npy --y y.npy --class-weight 1,-2", 2,
                "--class-weight: must not be negative, got -2.");
  expect_no_run("--x X.npy --y y.npy --kernel-size 0", 2,
                "Conv1D: kernel_size must be at least 1, got 0.");
  expect_no_run(
      "--x X.npy --y y.npy --window 10", 2,
      "--window cuts one recording (time, channels); X (12, 40, 3) is cut into samples already.");
  expect_no_run("--x X.npy --y y.npy --validation-y y.npy", 2,
                "--validation-y is given without --validation-x.");
  expect("train --x X.npy --y y.npy --epochs three", 2,
         "--epochs must be a whole number, got \"three\" (a text).");
  expect("summary conv-lstm --input 400", 2,
         "conv-lstm: samples must be of shape (time, channels), got (400,).");
  expect("summary conv-lstm --input 4,a", 2, "--input must be a whole number, got \"a\" (a text).");
  expect("predict m.keras X.npy -o x.mat", 2,
         "--out must end in .npy or .csv, or be a folder, got \"x.mat\".");
  expect("inspect X.mat", 2,
         "\"X.mat\": expected a model (.keras, .json) or data (.npy, .npz, .csv).");
}

TEST_F(Refusals, of_missing_data_say_what_to_give) {
  expect_no_run("", 2, "there is no data. Give --x FILE");
  expect_no_run("--x X.npy", 2, "there are no labels for X.npy. Give --y FILE.");
  expect_no_run("--x X.mat", 2, "\"X.mat\": expected a file that ends in .npy, .npz or .csv.");
  expect_no_run("--x gone.npy --y y.npy", 5,
                "\"gone.npy\" cannot be opened: No such file or directory.");
  expect("evaluate gone.keras --x X.npy --y y.npy", 5, "\"gone.keras\" cannot be opened");
  expect("train gone.toml", 5, "\"gone.toml\" cannot be opened: No such file or directory.");
}

TEST_F(Refusals, of_shapes_name_both) {
  save("short.npy", y().slice(0, 11));
  expect_no_run("--x X.npy --y short.npy", 3,
                "X.npy (12, 40, 3) has 12 samples, but short.npy (11, 40, 1) has 11.");
  save("weights.npy", Array({5}));
  expect_no_run("--x X.npy --y y.npy --sample-weight weights.npy", 3,
                "X.npy (12, 40, 3) has 12 samples, but weights.npy (5,) has 5.");
  save("flat.npy", x().reshaped({12, 120}));
  expect_no_run("--x flat.npy --y y.npy", 3,
                "flat.npy: X must be (samples, time, channels), got (12, 120).");
  save("deep.npy", x().reshaped({12, 40, 3, 1}));
  expect_no_run("--x deep.npy --y y.npy", 3,
                "deep.npy: X must be (samples, time, channels), got (12, 40, 3, 1).");
  save("none.npy", Array({0, 40, 3}));
  save("none_y.npy", Array({0, 40, 1}));
  expect_no_run("--x none.npy --y none_y.npy", 3, "none.npy: X (0, 40, 3) holds no numbers.");
  expect_no_run("--x X.npy --y y.npy --validation-split 0.99", 3,
                "--validation-split 0.99 of 12 samples leaves one part empty.");
}

/// An .npy file of shape (12, 40, 3) whose numbers have NumPy's type `type`, `width` bytes each.
std::string npy_of_type(const std::string& type, std::size_t width) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (12, 40, 3), }";
  header.resize(117, ' ');
  return std::string("\x93NUMPY\1\0\x76\0", 10) + header + "\n" +
         std::string(12 * 40 * 3 * width, '\0');
}

TEST_F(Refusals, of_types_that_are_no_numbers_say_how_to_save_them) {
  const struct {
    const char *type, *text;
    std::size_t width;
  } cases[] = {{"<c8", "complex numbers; take x.real or abs(x) first", 8},
               {"|S1", "text", 1},
               {"<M8[s]", "dates or time spans", 8},
               {"|O", "Python objects (a pickle, which is never loaded)", 8}};
  for (const auto& each : cases) {
    program_.write("odd.npy", npy_of_type(each.type, each.width));
    expect_no_run("--x odd.npy --y y.npy", 3,
                  std::string("\"odd.npy\": expected numbers, got ") + each.text +
                      ". Save with x.astype('float32').");
  }
  program_.write("odd.npy", npy_of_type("<i2", 2));  // the same file with whole numbers is read
  EXPECT_EQ(program_.run("train --x odd.npy --y y.npy --epochs 1").code, 0);
}

TEST_F(Refusals, of_a_kernel_longer_than_the_signal_say_how_long_it_may_be) {
  expect_no_run(
      "--x X.npy --y y.npy --model conv-pool-lstm-last --kernel-size 41", 2,
      "Conv1D \"conv1d\": kernel_size = 41 spans 41 steps, but the input has only 40 steps.");
}

TEST_F(Refusals, of_labels_that_do_not_fit_the_output_name_both_shapes) {
  const Result result = program_.run("train --x X.npy --y y.npy --model conv-pool-lstm-last");
  EXPECT_EQ(result.code, 3);
  EXPECT_PRED2(says, result.err, "(None, 40, 1)");
  EXPECT_PRED2(says, result.err, "(None, 1)");
  EXPECT_FALSE(program_.has("run"));
}

TEST_F(Refusals, of_NaN_and_infinity_count_and_locate_them) {
  Array bad = x();
  bad(3, 17, 2) = std::numeric_limits<float>::quiet_NaN();
  bad(9, 0, 0) = std::numeric_limits<float>::infinity();
  save("bad.npy", bad);
  const std::string message =
      "bad.npy (12, 40, 3): 2 of 1440 numbers are NaN or infinite, in 2 of 12 samples; the first "
      "at "
      "sample 3, step 17, channel 2. Fill them in";
  expect_no_run("--x bad.npy --y y.npy", 3, message);
}

TEST_F(Refusals, of_labels_that_the_loss_does_not_allow_name_place_and_value) {
  Array labels = y();
  labels(2, 5, 0) = 2;
  save("two.npy", labels);
  expect_no_run("--x X.npy --y two.npy --loss bce", 3,
                "Dense \"dense\": sample 2: the label at (5, 0) is 2;");
  labels(2, 5, 0) = -1;
  save("minus.npy", labels);
  expect_no_run("--x X.npy --y minus.npy --loss sparse_categorical_crossentropy", 3,
                "Dense \"dense\": sample 2: the label at (5, 0) is -1;");
  labels(2, 5, 0) = std::numeric_limits<float>::quiet_NaN();
  save("nan.npy", labels);
  expect_no_run("--x X.npy --y nan.npy", 3,
                "nan.npy (12, 40, 1): 1 of 480 labels are NaN or infinite; the first at (2, 5, 0). "
                "Where a label is not known, give it the weight 0: --sample-weight FILE");
  expect_no_run("--x X.npy --y y.npy --validation-x X.npy --validation-y nan.npy", 3,
                "nan.npy (12, 40, 1): 1 of 480 labels are NaN or infinite; the first at (2, 5, 0). "
                "Fill them in, or leave those samples out.");
  // The mend that is named works.
  Array weights({12, 40});
  std::fill(weights.values().begin(), weights.values().end(), 1.0f);
  weights(2, 5) = 0;
  save("weights.npy", weights);
  const Result mended =
      program_.run("train --epochs 1 --x X.npy --y nan.npy --sample-weight weights.npy");
  EXPECT_EQ(mended.code, 0) << mended.err;
}

TEST_F(Refusals, of_words_as_labels_say_how_to_number_them) {
  std::string text = npy_of_type("<U1", 4);
  text.replace(text.find("(12, 40, 3)"), 11, "(12, 40, 1)");
  program_.write("text.npy", text.substr(0, 128 + 12 * 40 * 4));
  expect_no_run(
      "--x X.npy --y text.npy", 3,
      "\"text.npy\": expected numbers, got text. Labels are the numbers of their classes: "
      "names, numbers = numpy.unique(y, return_inverse=True), and save "
      "numbers.reshape(y.shape).");
  program_.write("walk.csv", "x,y,label\n1,2,walk\n3,4,rest\n5,6,walk\n");
  const std::string mend =
      "expected a number, got \"walk\". Labels are numbers here: write the number of its class for "
      "each, for example rest = 0, walk = 1. A table [recordings] takes their names: see "
      "docs/recordings.md.";
  expect_no_run("--x walk.csv --label-column label", 3,
                "\"walk.csv\", line 2, column 3 (\"label\"): " + mend);
  expect_no_run("--x walk.csv --label-column -1", 3,
                "\"walk.csv\", line 2, column 3 (\"label\"): " + mend);
  expect_no_run("--x walk.csv --label-column lable", 2,
                "walk.csv: --label-column: \"lable\" is not known. Did you mean \"label\"?");
  expect_no_run(
      "--x walk.csv --label-column 7", 2,
      "walk.csv: --label-column: there is no column 7. Columns are counted from 0 here, 0 "
      "to 2, or called by their names: ");
  program_.write("words.csv", "label\nwalk\nrest\n");
  save("r.npy", Array({2, 3}));
  expect_no_run("--x r.npy --window 1 --y words.csv", 3,
                "\"words.csv\", line 2, column 1 (\"label\"): " + mend);
  // A word among the signals is another matter.
  program_.write("signal.csv", "x,y,label\n1,?,0\n3,4,1\n");
  const Result other = program_.run("train --x signal.csv --label-column label");
  EXPECT_EQ(other.err,
            "sonde: \"signal.csv\", line 2, column 2 (\"y\"): expected a number, got "
            "\"?\".\n");
}

TEST_F(Refusals, of_configuration_name_file_line_and_key) {
  program_.write("a.toml", "x = \"X.npy\"\ny = \"y.npy\"\nepoch = 3\n");
  expect("train a.toml", 2, "a.toml: \"epoch\" is not known. Did you mean \"epochs\"?");
  program_.write("b.toml", "x = \"X.npy\"\nepochs = \"many\"\n");
  expect("train b.toml", 2, "b.toml: epochs must be a whole number, got \"many\" (a text).");
  program_.write("c.toml", "x = \"X.npy\"\nepochs = = 3\n");
  expect("train c.toml", 2, "c.toml, line 2:");
  program_.write("d.toml", "epochs = 2026-01-01\n");
  expect("train d.toml", 2, "d.toml, line 1: dates and times are not used here.");
  EXPECT_FALSE(program_.has("run"));
}

TEST_F(Refusals, of_model_files_have_their_own_exit_code) {
  program_.write("broken.keras", "PK\3\4 and nothing more");
  expect("summary broken.keras", 4, "\"broken.keras\"");
  expect("predict broken.keras X.npy", 4, "\"broken.keras\"");
  expect("evaluate X.npy --x X.npy --y y.npy", 4,
         "\"X.npy\" holds data, and a model is expected here: a .keras, .h5 or .json file.");
  expect("predict X.npy m.keras", 4, "\"X.npy\" holds data");
}

TEST_F(Refusals, of_what_a_file_was_compiled_with_say_how_to_leave_it_out) {
  const Model model = make_network("conv-lstm", {40, 3}, {});
  auto json = nlohmann::json::parse(model_to_json(model));
  json["compile_config"] = {{"optimizer", "adam"},
                            {"loss", "binary_crossentropy"},
                            {"metrics", {"accuracy", "cosine_similarity", "mae"}}};
  program_.write("m.json", json.dump());
  // Metrics are left out one by one; what trains is refused.
  EXPECT_PRED2(says, program_.run("evaluate m.json --x X.npy --y y.npy").err,
               "warning: metric cosine_similarity of m.json is not known here and is left out.\n");
  const Result trained =
      program_.run("train --epochs 1 --out kept --model m.json --x X.npy --y y.npy");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_PRED2(says, program_.read("kept/history.csv"), "epoch,accuracy,");
  EXPECT_PRED2(says, program_.read("kept/history.csv"), ",mae,");
  json["compile_config"]["loss"] = "my_loss";
  program_.write("m.json", json.dump());
  const Result result = program_.run("evaluate m.json --x X.npy --y y.npy");
  EXPECT_EQ(result.code, 4);
  EXPECT_PRED2(says, result.err, "my_loss");
  EXPECT_PRED2(says, result.err,
               "Leave loss, metrics and optimizer out: sonde convert m.json NEW.keras "
               "--no-compile.");
}

TEST_F(Refusals, of_evaluate_name_the_verb_that_makes_the_changes) {
  save_model(make_network("conv-pool-lstm-last", {40, 3}, {}), program_.path("last.keras"));
  const Result result = program_.run("evaluate last.keras --x X.npy --y y.npy");
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_PRED2(says, result.err, "\nChanges that fit:\n");
  EXPECT_PRED2(says, result.err,
               "\nTo train the model with change N of these: sonde train --model last.keras --x "
               "X.npy --y y.npy --apply-fix N.\n");
  const Result mended =
      program_.run("train --epochs 1 --model last.keras --x X.npy --y y.npy --apply-fix 1");
  EXPECT_EQ(mended.code, 0) << mended.err;
}

TEST_F(Refusals, of_a_full_disk_leave_no_part_of_a_file) {
  EXPECT_EQ(program_.run("train --x X.npy --y y.npy --epochs 1").code, 0);
  std::filesystem::create_symlink("/dev/full", program_.path("full.npy"));
  expect("predict run/model.keras X.npy -o full.npy", 5,
         "\"full.npy\": the disk is full. Nothing was changed; free some space or choose another "
         "folder.");

  // No file may grow beyond 8 KiB: a configuration still fits, a model does not.
  program_.limit_file_size(8 << 10);
  expect("train --x X.npy --y y.npy --epochs 1 --quiet --out small", 5,
         "\"small/model.keras\" cannot be written: File too large.");
  for (const auto& entry : std::filesystem::directory_iterator(program_.path("small")))
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  EXPECT_FALSE(program_.has("small/model.keras"));
}

TEST_F(Refusals, of_sizes_that_no_memory_holds) {
#if defined(__SANITIZE_ADDRESS__) || SONDE_HAS_FEATURE(address_sanitizer)
  GTEST_SKIP() << "the address sanitizer ends a program that asks for too much memory";
#endif
  expect_no_run("--x X.npy --y y.npy --units 100000000", 6, "out of memory.");
}

TEST_F(Refusals, kernels_that_are_asked_for_and_not_had) {
  program_.environment = {"SONDE_KERNELS=avx512"};
  expect_no_run("--x X.npy --y y.npy", 2, "SONDE_KERNELS is \"avx512\", and this processor would");
#if defined(__x86_64__)
  const std::string other = "NEON";
#else
  const std::string other = "AVX2";
#endif
  program_.environment = {"SONDE_KERNELS=" + other};
  expect_no_run("--x X.npy --y y.npy", 2, "SONDE_KERNELS is \"" + other + "\", and this processor");
  program_.environment = {"SONDE_KERNELS=reference"};
  EXPECT_EQ(program_.run("summary conv-lstm --input 400,16").code, 0);
}

TEST_F(Refusals, products_of_bfloat16_that_are_asked_for_and_not_had) {
  program_.environment = {"SONDE_BF16=amx"};
  expect_no_run("--x X.npy --y y.npy", 2, "SONDE_BF16 is \"amx\", and this processor would");
  program_.environment = {"SONDE_BF16=AVX512", "SONDE_KERNELS=AVX2"};
  if (kernel_level() == "AVX3")
    expect_no_run("--x X.npy --y y.npy", 2,
                  "SONDE_BF16 is \"AVX512\", and this processor would run none. Known are AMX");
  for (const char* usual : {"SONDE_BF16=none", "SONDE_BF16="}) {
    program_.environment = {usual};
    EXPECT_EQ(program_.run("summary conv-lstm --input 400,16").code, 0) << usual;
  }
}

}  // namespace
}  // namespace sonde::testing
