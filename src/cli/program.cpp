#include "cli/program.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <sonde/error.hpp>
#include <sonde/fields.hpp>
#include <sonde/large_arrays.hpp>
#include <sonde/version.hpp>

#include "cli/data_memory.hpp"
#include "cli/interrupt.hpp"
#include "cli/verbs.hpp"

namespace sonde::cli {
namespace {

int exit_code(Failure failure) {
  switch (failure) {
    case Failure::argument:
      return usage;
    case Failure::data:
      return bad_data;
    case Failure::format:
      return bad_model;
    case Failure::io:
      return bad_file;
    case Failure::limit:
      return over_limit;
    case Failure::diverged:
      return diverged;
  }
  return failed;
}

int complain(int code, const std::string& message) {
  std::fputs(("sonde: " + message + "\n").c_str(), stderr);  // which may be closed
  return code;
}

/// Names what stands on the command line and means nothing, with what is nearest to it.
std::string explain_extra(const CLI::App& program, const std::string& extra) {
  const auto verbs = program.get_subcommands();
  const CLI::App& app = verbs.empty() ? program : *verbs.front();
  const std::string word = extra.substr(0, extra.find('='));
  std::vector<std::string> names;
  if (word.starts_with("-")) {
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  } else if (verbs.empty()) {
    for (const CLI::App* verb : program.get_subcommands(nullptr)) names.push_back(verb->get_name());
  }
  const std::string near = nearest(word, {names.begin(), names.end()});
  const std::string kind = word.starts_with("-") ? "option" : verbs.empty() ? "verb" : "argument";
  const std::string help =
      fmt::format("\"sonde {}{}--help\" lists all.", verbs.empty() ? "" : app.get_name(),
                  verbs.empty() ? "" : " ");
  return near.empty() ? fmt::format("the {} {} is not known. {}", kind, word, help)
                      : fmt::format("the {} {} is not known. Did you mean {}?", kind, word, near);
}

/// Names an option that stands more than once on the command line; empty when none does.
std::string given_twice(const CLI::App& program) {
  for (const CLI::App* verb : program.get_subcommands())
    for (const CLI::Option* option : verb->get_options())
      if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::Throw &&
          option->get_items_expected_max() == 1 && option->count() > 1)
        return fmt::format("{} is given {} times, and takes one value. Leave out all but one.",
                           option->get_name(), option->count());
  return {};
}

/// Parses the command line: true when a verb was chosen, else `code` says how to exit.
bool parse(CLI::App& program, int argc, const char* const* argv, int& code) {
  try {
    program.parse(argc, argv);
    return true;
  } catch (const CLI::ParseError& error) {
    const auto extras = program.remaining(true);
    if (error.get_exit_code() == 0) {  // --help and --version
      code = program.exit(error, std::cout, std::cerr);
      std::cout.flush();
    } else if (!extras.empty()) {
      code = complain(usage, explain_extra(program, extras.front()));
    } else if (program.get_subcommands().empty()) {
      code = complain(usage, "no verb is given. \"sonde --help\" lists them.");
    } else if (const std::string twice = given_twice(program); !twice.empty()) {
      code = complain(usage, twice);
    } else {
      code = complain(usage, std::string(error.what()) + ". \"sonde --help\" shows what there is.");
    }
    return false;
  }
}

/// A level that is asked for and not had must not go unnoticed. `level` asks the processor and the
/// system, and so only where somebody wishes for one: every start would pay for it.
void check_level(const char* variable, std::string_view (*level)(), std::string_view known) {
  const char* wish = std::getenv(variable);
  if (wish == nullptr || *wish == '\0' || wish == level()) return;
  throw ArgumentError(
      fmt::format("{} is \"{}\", and this processor would run {}. Known are {}, the faster ones "
                  "where a processor has them. Leave the variable out for the fastest.",
                  variable, wish, level(), known));
}

void check_kernels() {
  check_level("SONDE_KERNELS", kernel_level, "AVX3 (which is AVX-512), AVX2, NEON and reference");
  check_level("SONDE_BF16", bfloat16_level, "AMX and AVX512, both with the kernels AVX3, and none");
}

int dispatch(int argc, const char* const* argv) {
  CLI::App program{"Trains and runs networks that label every time step of multichannel signals.",
                   "sonde"};
  program.set_version_flag("--version", fmt::format("sonde {}", version));
  program.get_formatter()->column_width(36);
  program.require_subcommand(1);
  program.footer(
      "Exit codes: 0 ok, 1 failed, 2 usage, 3 bad data, 4 bad model file, 5 file or disk, 6 memory "
      "or limit,\n7 training diverged, 130 and 143 interrupted after the model was saved.\n\n"
      "Example:\n  sonde train --x X.npy --y y.npy --out run\n  sonde predict run/model.keras "
      "X.npy "
      "-o labels.npy");
  Chosen chosen;
  add_train(program, chosen);
  add_tune(program, chosen);
  add_predict(program, chosen);
  add_evaluate(program, chosen);
  add_summary(program, chosen);
  add_plot(program, chosen);
  add_stream(program, chosen);
  add_convert(program, chosen);
  add_inspect(program, chosen);
  add_report(program, chosen);
  add_bench(program, chosen);
  int code = ok;
  if (!parse(program, argc, argv, code)) return code;
  check_kernels();
  keep_large_arrays_on_disk({.memory = data_memory()});
  return chosen();
}

/// What the verb printed must have arrived: a result that is cut off must not look like success.
int finish(int code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout) && std::cout.good()) return code;
  return code == ok ? complain(bad_file, "stdout cannot be written. Is the disk full?") : code;
}

}  // namespace

int run(int argc, const char* const* argv) {
  try {
    return finish(dispatch(argc, argv));
  } catch (const Error& error) {
    return finish(complain(exit_code(error.failure()), error.what()));
  } catch (const Interrupted& stop) {
    return finish(complain(interrupted + stop.signal, stop.what()));
  } catch (const std::bad_alloc&) {
    return complain(over_limit, "out of memory. Use less data, shorter signals or --batch-size.");
  } catch (const std::exception& error) {
    return complain(failed, error.what());
  }
}

}  // namespace sonde::cli
