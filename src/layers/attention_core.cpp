#include "layers/attention_core.hpp"

#include <fmt/format.h>

namespace sonde {

AttentionCore AttentionCore::plan(Planner& planner, Index query_steps, Index value_steps,
                                  Options options) {
  if (!(options.dropout >= 0 && options.dropout <= 1))
    planner.refuse(fmt::format(
        "dropout must be from 0 to 1, got {}. It is the share that is dropped.", options.dropout));
  const bool known = query_steps != dynamic && value_steps != dynamic;
  if (options.window) {
    planner.at_least("sliding_window", *options.window, 1);
    if (known && query_steps - *options.window >= value_steps)
      planner.refuse(fmt::format(
          "sliding_window = {} leaves the last of {} query steps without any of {} value steps. "
          "Use a wider window.",
          *options.window, query_steps, value_steps));
  }
  // A stranger's sizes must not overflow; there is no memory for scores by far less.
  constexpr double most = 1099511627776.0;  // 2^40
  if (known && static_cast<double>(query_steps) * static_cast<double>(value_steps) *
                       static_cast<double>(options.heads) >
                   most)
    planner.refuse(fmt::format(
        "scores of {} query steps against {} value steps in {} heads are more than any computer "
        "holds. Use shorter sequences.",
        query_steps, value_steps, options.heads));
  AttentionCore core;
  core.query_steps = query_steps;
  core.value_steps = value_steps;
  core.heads = options.heads;
  core.is_causal = options.is_causal;
  core.window = options.window;
  core.hidden = options.hidden;
  core.hiding = std::move(options.hiding);
  core.hides_queries = options.hides_queries;
  core.drops_queries = options.drops_queries;
  core.dropout = options.dropout;
  core.seed = options.seed;
  core.value = HeadProduct::plan(planner, query_steps, value_steps, options.value_width);
  const Index one = known ? core.size() : 0, all = one * options.heads;
  core.keeps_all = planner.training();
  core.weights = planner.training() ? planner.saved(all) : planner.scratch(0, one);
  if (planner.training()) {
    core.dscores = planner.scratch(0, one);
    if (options.dropout > 0) core.mask = planner.saved(all);
  }
  if (core.hides()) core.shown = planner.scratch(0, known ? value_steps : 0);
  if (core.mask || core.drops_queries) core.picks = planner.scratch(0, one);
  return core;
}

void expect_attention_inputs(Planner& planner) {
  if (planner.inputs() != 2 && planner.inputs() != 3)
    planner.refuse(
        fmt::format("takes two inputs, query and value, or three, query, value and key; got {}.",
                    planner.inputs()));
  for (Index i = 0; i < planner.inputs(); ++i)
    if (planner.input(i).rank() != 2)
      planner.refuse(fmt::format("expects inputs of shape (time, features), got {}.",
                                 to_string(planner.input(i))));
  if (planner.inputs() == 3 && planner.input(1)[0] != planner.input(2)[0])
    planner.refuse(fmt::format("value and key must have as many steps, got {} and {}.",
                               to_string(planner.input(1)), to_string(planner.input(2))));
  planner.pass_mask(0);
  planner.cannot_stream("every step may look at all others, so that it needs the whole signal.");
}

}  // namespace sonde
