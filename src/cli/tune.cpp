#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sonde/callbacks.hpp>
#include <sonde/error.hpp>

#include "cli/child.hpp"
#include "cli/interrupt.hpp"
#include "cli/program.hpp"
#include "cli/run_directory.hpp"
#include "cli/tune_plan.hpp"
#include "cli/tune_table.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

struct TuneOptions {
  static constexpr std::string_view type = "tune";
  std::string out = "tuned";
  bool resume = false;
  bool force = false;
  int threads = 0;
  bool quiet = false;
  bool json = false;

  static constexpr auto fields() {
    using T = TuneOptions;
    return fields_of(field("out", &T::out), field("resume", &T::resume), field("force", &T::force),
                     field("threads", &T::threads), field("quiet", &T::quiet),
                     field("json", &T::json));
  }
};

constexpr std::string_view group = "Options";
constexpr OptionText texts[] = {
    {group, "out", "FOLDER", "where trials, tables and the best configuration are written", 'o'},
    {group, "resume", "", "go on with the search in --out; trials that are done are not repeated"},
    {group, "force", "", "remove an earlier search in --out"},
    {group, "threads", "N", "0: all cores; results do not depend on it"},
    {group, "quiet", "", "no messages"},
    {group, "json", "", "print the table of trials as one JSON object"},
};

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return nullptr;
  return Json::parse(file, nullptr, false);
}

std::string last_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) last = line;
  return last;
}

/// The folder of a search: refused, emptied or taken up again; held by one process at a time.
class SearchFolder {
 public:
  SearchFolder(const TuneOptions& o, const Json& plan) : folder_(o.out) {
    const std::filesystem::path told = folder_ / "plan.json";
    std::error_code error;
    const bool used = std::filesystem::exists(folder_, error) &&
                      !(std::filesystem::is_directory(folder_, error) &&
                        std::filesystem::is_empty(folder_, error));
    if (used && !std::filesystem::is_directory(folder_, error))
      throw IoError(fmt::format("\"{}\" is a file. Give --out a folder.", o.out));
    if (used && !o.resume && !o.force)
      throw ArgumentError(
          fmt::format("--out \"{}\" is not empty. Choose another folder, go on with the search in "
                      "it (--resume), or remove that (--force).",
                      o.out));
    std::filesystem::create_directories(folder_, error);
    if (error) throw IoError(fmt::format("\"{}\" cannot be made: {}.", o.out, error.message()));
    lock();
    if (o.force) {
      for (const char* own : {"trials", "plan.json", "trials.csv", "trials.json", "best.toml"})
        std::filesystem::remove_all(folder_ / own, error);
    } else if (o.resume && std::filesystem::exists(told, error) && read_json(told) != plan) {
      throw ArgumentError(fmt::format(
          "--resume: the search in \"{}\" had other options or values than the file now says. "
          "Start another one with --out.",
          o.out));
    }
    write_text(told, plan.dump(2) + "\n");
  }
  ~SearchFolder() { ::close(lock_); }
  SearchFolder(const SearchFolder&) = delete;
  SearchFolder& operator=(const SearchFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  void lock() {
    const std::filesystem::path path = folder_ / "lock";
    lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0)
      throw IoError(
          fmt::format("\"{}\" cannot be written: {}.", path.string(), std::strerror(errno)));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw IoError(
          fmt::format("another search works in \"{}\". Wait for its end, or choose "
                      "another --out.",
                      folder_.string()));
  }

  std::filesystem::path folder_;
  int lock_ = -1;
};

class Searcher {
 public:
  Searcher(const TunePlan& plan, const TuneOptions& options, const SearchFolder& folder)
      : plan_(plan), options_(options), folder_(folder), table_(plan) {}

  /// All rounds; the best trial's line.
  const TrialLine& run() {
    std::vector<std::size_t> alive(plan_.trials.size());
    for (std::size_t i = 0; i < alive.size(); ++i) alive[i] = i;
    for (std::size_t r = 0; r < plan_.rungs.size(); ++r) {
      for (const std::size_t i : alive) try_out(table_.lines()[i], plan_.rungs[r]);
      std::erase_if(alive, [&](std::size_t i) { return !table_.lines()[i].mean(); });
      if (alive.empty()) fail();
      std::stable_sort(alive.begin(), alive.end(), [&](std::size_t a, std::size_t b) {
        return table_.better(table_.lines()[a], table_.lines()[b]);
      });
      if (r + 1 == plan_.rungs.size()) break;
      const auto keep = static_cast<std::size_t>(plan_.rules.keep_one_of);
      alive.resize((alive.size() + keep - 1) / keep);
      std::vector<std::size_t> in_order = alive;
      std::sort(in_order.begin(), in_order.end());
      alive = in_order;
    }
    return table_.lines()[alive.front()];
  }

  const TrialTable& table() const { return table_; }

 private:
  void say(const std::string& line) const {
    if (!options_.quiet) std::fputs((line + "\n").c_str(), stderr);
  }

  [[noreturn]] void fail() const {
    const TrialLine& first = table_.lines().front();
    throw DataError(fmt::format("all {} trials failed; the first one: {}", table_.lines().size(),
                                first.reason));
  }

  /// One trial for so many epochs, fold by fold; a failure is noted and ends this trial only.
  void try_out(TrialLine& line, Index epochs) {
    line.epochs = epochs;
    line.values.clear();
    line.status = "finished";
    line.reason.clear();
    const std::filesystem::path place = folder_ / fmt::format("trials/{:04}", line.trial.number);
    std::error_code error;
    std::filesystem::create_directories(place, error);
    const TrainOptions options = options_of(plan_, line.trial);
    write_text(place / "config.toml", write_toml(to_config(options), train_texts()));
    for (Index fold = 1; fold <= std::max<Index>(plan_.rules.folds, 1); ++fold)
      if (!try_fold(line, place, fold, epochs)) break;
    write_tables();
    say(fmt::format("trial {}/{}, {} epochs: {}{}", line.trial.number, plan_.trials.size(), epochs,
                    line.words(), line.reason.empty() ? "" : ": " + line.reason));
  }

  bool try_fold(TrialLine& line, const std::filesystem::path& place, Index fold, Index epochs) {
    const std::string name = plan_.rules.folds > 0 ? fmt::format("fold-{}", fold) : "run";
    const std::filesystem::path done = place / fmt::format("{}.epochs-{}.json", name, epochs);
    Json result = read_json(done);
    if (!result.is_object()) {
      result = train(place, name, fold, epochs);
      write_text(done, result.dump(2) + "\n");
    }
    return line.take(result, plan_.rules.criterion);
  }

  /// Trains in a process of its own: whatever ends it, the search goes on.
  Json train(const std::filesystem::path& place, const std::string& name, Index fold,
             Index epochs) const {
    const std::filesystem::path run = place / name, said = place / (name + ".txt");
    std::vector<std::string> words = {"train",
                                      (place / "config.toml").string(),
                                      "--out",
                                      run.string(),
                                      "--epochs",
                                      fmt::format("{}", epochs),
                                      "--quiet",
                                      "--threads",
                                      fmt::format("{}", options_.threads)};
    if (plan_.rules.folds > 0)
      for (const auto& word : {std::string("--folds"), fmt::format("{}", plan_.rules.folds),
                               std::string("--fold"), fmt::format("{}", fold)})
        words.push_back(word);
    words.emplace_back(std::filesystem::exists(run / "last.checkpoint") ? "--resume" : "--force");
    const int code = run_again(words, said);
    if (signal_seen() != 0)
      throw Interrupted(
          signal_seen(),
          fmt::format("interrupted in trial {}. `sonde tune … --resume --out {}` goes "
                      "on.",
                      place.filename().string(), options_.out));
    if (code == bad_file) throw IoError(last_line(said));
    const Json metrics = read_json(run / "metrics.json");
    Json result = {{"code", code}};
    if (code == ok && metrics.is_object()) {
      result["monitor"] = metrics.value("monitor", "");
      result["best"] = metrics.value("best", Json::object());
      return result;
    }
    result["status"] = code == diverged ? "diverged" : "failed";
    result["reason"] = last_line(said);
    return result;
  }

  void write_tables() const {
    write_text(folder_ / "trials.csv", table_.csv());
    write_text(folder_ / "trials.json", table_.json().dump(2) + "\n");
  }

  const TunePlan& plan_;
  const TuneOptions& options_;
  const SearchFolder& folder_;
  TrialTable table_;
};

int tune(const std::string& file, const TuneOptions& o) {
  if (o.threads < 0) throw ArgumentError("--threads must not be negative.");
  if (o.resume && o.force) throw ArgumentError("--resume and --force exclude each other.");
  const TunePlan plan = plan_tuning(file);
  const SearchFolder folder(o, to_json(plan));
  watch_signals();
  Searcher searcher(plan, o, folder);
  const TrialLine& best = searcher.run();
  write_text(folder / "best.toml",
             write_toml(to_config(options_of(plan, best.trial)), train_texts()));
  Json result = searcher.table().json();
  result["best"] = best.trial.number;
  write_text(folder / "trials.json", result.dump(2) + "\n");
  if (o.json) fmt::print("{}\n", result.dump(2));
  else fmt::print("{}", searcher.table().text());
  if (!o.quiet)
    fmt::print(stderr, "best:   trial {}, {}, in {}\n", best.trial.number, best.words(),
               (folder / "best.toml").string());
  return 0;
}

}  // namespace

void add_tune(CLI::App& program, Chosen& chosen) {
  CLI::App* verb = program.add_subcommand("tune", "Search for the best options of train");
  verb->footer(
      "The file is one of sonde train with two tables more:\n\n"
      "  [tune]\n  search = \"random\"     # or grid, halving\n  trials = 20\n  folds = 5"
      "             # of groups; left out: one run each\n\n"
      "  [tune.values]\n  units = [16, 32, 64]\n"
      "  learning_rate = {from = 1e-4, to = 1e-2, log = true}\n\n"
      "Example:\n  sonde tune search.toml --out tuned\n  sonde train tuned/best.toml --out run");
  struct State {
    std::string config;
    std::unique_ptr<Options<TuneOptions>> options;
  };
  const auto state = std::make_shared<State>();
  verb->add_option("config", state->config, "a TOML file of sonde train with a table [tune]")
      ->type_name("FILE.toml")
      ->required();
  state->options = std::make_unique<Options<TuneOptions>>(*verb, texts);
  verb->final_callback([state, &chosen] {
    chosen = [state] { return tune(state->config, state->options->read("")); };
  });
}

}  // namespace sonde::cli
