#include <gtest/gtest.h>

#include <sonde/formats.hpp>

#include "tests/support/program.hpp"

// `sonde train --memory`.
namespace sonde::testing {
namespace {

class MemoryLimit : public ::testing::Test {
 protected:
  MemoryLimit() { save_task(program_); }
  Result train(const std::string& options) {
    return program_.run(
        "train --x X.npy --y y.npy --epochs 2 --units 16 --any-length --threads 1 " + options);
  }
  Program program_;
};

TEST_F(MemoryLimit, is_told_kept_in_the_configuration_and_changes_no_bit) {
  const Result free = train("--out free");
  ASSERT_EQ(free.code, 0) << free.err;
  EXPECT_PRED2(says, free.err, "\nmemory: ");
  EXPECT_PRED2(says, free.err, " KB beside the data\n");
  const Result wide = train("--memory 2G --out wide");
  ASSERT_EQ(wide.code, 0) << wide.err;
  EXPECT_PRED2(says, program_.read("wide/config.toml"), "\nmemory = \"2G\"\n");
  EXPECT_PRED2(says, program_.read("free/config.toml"), "\nmemory = 0\n");
  EXPECT_EQ(program_.read("wide/history.csv"), program_.read("free/history.csv"));
}

TEST_F(MemoryLimit, makes_the_network_recompute_where_all_does_not_fit) {
  // 40 steps are less than one segment, 400 are more.
  const auto line = [](const std::string& rest) {
    return "train --x long.csv --label-column label --window 400 --epochs 2 --threads 1 " + rest;
  };
  std::string table = "a,label\n";
  for (int t = 0; t < 2400; ++t)
    table += std::to_string(t % 7 - 3) + "," + std::to_string(t % 7 > 3) + "\n";
  program_.write("long.csv", table);
  const Result free = program_.run(line("--out free"));
  ASSERT_EQ(free.code, 0) << free.err;
  const Result tight = program_.run(line("--memory 2M --out tight"));
  ASSERT_EQ(tight.code, 0) << tight.err;
  EXPECT_FALSE(says(free.err, "gates")) << free.err;
  EXPECT_PRED2(says, tight.err, " beside the data, recurrent layers compute their gates again\n");
  EXPECT_EQ(program_.read("tight/history.csv"), program_.read("free/history.csv"));
}

TEST_F(MemoryLimit, of_data_puts_the_rest_on_the_disk_and_changes_no_bit) {
  Array x({60, 500, 4}), y({60, 500, 1});  // 480 kB and 120 kB
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i * 7919 % 101) / 50 - 1;
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(x.data()[4 * i] > 0);
  save_npy(program_.folder() / "long.npy", x);
  save_npy(program_.folder() / "long_y.npy", y);
  const auto train_long = [&](const std::string& out) {
    return program_.run(
        "train --x long.npy --y long_y.npy --epochs 1 --units 4 --filters 4 --normalize zscore "
        "--out " +
        out);
  };
  program_.environment = {"SONDE_DATA_MEMORY=0"};
  const Result kept = train_long("kept");
  ASSERT_EQ(kept.code, 0) << kept.err;
  EXPECT_FALSE(says(kept.err, "disk:")) << kept.err;
  program_.environment = {"SONDE_DATA_MEMORY=100K"};
  const Result spilled = train_long("spilled");
  ASSERT_EQ(spilled.code, 0) << spilled.err;
  EXPECT_PRED2(says, spilled.err, "\ndisk:   0.00 GB of data lie there, because memory is short");
  for (const char* file : {"history.csv", "model.keras"})
    EXPECT_EQ(program_.read(std::string("kept/") + file),
              program_.read(std::string("spilled/") + file))
        << file;
  program_.environment = {"SONDE_DATA_MEMORY=much"};
  const Result refused = train_long("refused");
  EXPECT_EQ(refused.code, 2);
  EXPECT_PRED2(says, refused.err, "SONDE_DATA_MEMORY must be a whole number of bytes");
}

TEST_F(MemoryLimit, below_what_training_needs_is_refused_and_nothing_is_written) {
  const Result refused = train("--memory 100K");
  EXPECT_EQ(refused.code, 6) << refused.err;
  EXPECT_PRED2(says, refused.err, "memory must be at least ");
  EXPECT_PRED2(says, refused.err, "got 100.00 KB. Use fewer threads, a smaller batch_size");
  EXPECT_FALSE(program_.has("run"));
}

TEST_F(MemoryLimit, in_other_words_is_refused) {
  for (const char* word : {"2GB", "2GiB", "1.5G", "-1", "G", "much", "9999999999999G"}) {
    const Result refused = train(std::string("--memory ") + word);
    EXPECT_EQ(refused.code, 2) << word;
    EXPECT_PRED2(says, refused.err,
                 std::string("--memory must be a whole number of bytes, or of K, M or G, which are "
                             "powers of 1024, got ") +
                     word + ". Write it like 512M or 2G; 0 is no limit.");
  }
}

TEST_F(MemoryLimit, may_be_another_one_when_a_run_goes_on) {
  ASSERT_EQ(train("--memory 1G").code, 0);
  const Result more = program_.run("train --resume --epochs 3 --memory 1048577");
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_PRED2(says, program_.read("run/config.toml"), "\nmemory = 1048577\n");
}

}  // namespace
}  // namespace sonde::testing
