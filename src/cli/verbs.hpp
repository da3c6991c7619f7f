#pragma once
#include <functional>

namespace CLI {
class App;
}

/// One file for each verb. `add_verb` shows its options; the verb that the command line names puts
/// what it does into `chosen`, which returns the exit code.
namespace sonde::cli {

using Chosen = std::function<int()>;

void add_train(CLI::App& program, Chosen& chosen);
void add_tune(CLI::App& program, Chosen& chosen);
void add_predict(CLI::App& program, Chosen& chosen);
void add_evaluate(CLI::App& program, Chosen& chosen);
void add_summary(CLI::App& program, Chosen& chosen);
void add_plot(CLI::App& program, Chosen& chosen);
void add_stream(CLI::App& program, Chosen& chosen);
void add_convert(CLI::App& program, Chosen& chosen);
void add_inspect(CLI::App& program, Chosen& chosen);
void add_report(CLI::App& program, Chosen& chosen);
void add_bench(CLI::App& program, Chosen& chosen);

}  // namespace sonde::cli
