#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/program.hpp"

namespace sonde::testing {

using Json = nlohmann::json;

inline constexpr const char* recordings_table =
    "[recordings]\nfolder = \"ecg\"\nname = \"{record}\"\n"
    "classes = [\"none\", \"P\", \"QRS\", \"T\"]\n"
    "[[recordings.signals]]\nfiles = \"{record}.hea\"\nnames = [\"lead1\", \"lead2\"]\n"
    "[recordings.labels]\nkind = \"waves\"\nfiles = \"{record}.q1c\"\n";

/// Six records of the QT Database in the folder `ecg`, and recording.toml, which trains on them.
class TrainRecordings : public ::testing::Test {
 protected:
  TrainRecordings() {
    std::filesystem::create_directory(program_.path("ecg"));
    std::string list;
    for (const char* name : {"sel100", "sel103", "sel116", "sel123", "sele0104", "sele0106"}) {
      list += std::string(name) + "\n";
      for (const char* ending : {".hea", ".dat", ".q1c"})
        std::filesystem::create_symlink(
            std::string(SONDE_SOURCE_DIR "/data/ecg-qtdb/") + name + ending,
            program_.path("ecg/" + (name + std::string(ending))));
    }
    program_.write("ecg/RECORDS", list);
    configure("validation = [\"sel103\"]\ntest = [\"sele*\"]\n");
  }

  void configure(const std::string& split, const std::string& more = "") {
    program_.write("recording.toml",
                   "filters = 2\nkernel_size = 3\nunits = 2\nwindow = 200\nwindows_per_epoch = 8\n"
                   "epochs = 2\nbatch_size = 4\nnormalize = \"zscore\"\nquiet = true\n" +
                       more + recordings_table + "[split]\n" + split +
                       "[evaluation]\nevents = [\"iou\"]\nboundary_tolerance = 0.15\ndraws = 50\n");
  }
  Result train(const std::string& options = "") {
    const Result result = program_.run("train recording.toml " + options);
    EXPECT_EQ(result.code, 0) << result.err;
    return result;
  }
  Json json(const std::string& file) { return Json::parse(program_.read(file)); }

  Program program_;
};

}  // namespace sonde::testing
