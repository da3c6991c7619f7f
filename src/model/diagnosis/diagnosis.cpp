#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <sonde/error.hpp>

#include "model/diagnosis/search.hpp"
#include "model/diagnosis/walk.hpp"

namespace sonde {
namespace {

using diagnosis::at;
using diagnosis::Candidate;
using diagnosis::Misfit;
using diagnosis::Verdict;

constexpr std::size_t most_fixes = 5;

Candidate candidate_of(diagnosis::Draft draft, const DataShapes& data, const Losses& loss) {
  Candidate c{std::move(draft), data, loss};
  const std::size_t outputs = c.draft.outputs.size();
  if (c.losses.size() == 1) c.losses.resize(outputs, c.losses[0]);
  if (c.data.x.size() != c.draft.inputs.size() || c.losses.size() != outputs ||
      (!c.data.y.empty() && c.data.y.size() != outputs))
    throw ArgumentError(fmt::format(
        "diagnose: a model of {} inputs and {} outputs needs as many shapes of arrays and losses; "
        "got {} inputs, {} targets and {} losses.",
        c.draft.inputs.size(), outputs, c.data.x.size(), c.data.y.size(), c.losses.size()));
  c.x.resize(c.data.x.size());
  c.y.resize(outputs);
  c.weights.resize(outputs);
  return c;
}

/// A model of its own, with the weights of `from` where they have the same name and shape.
Model model_of(const Candidate& c, const Model* from) {
  diagnosis::Planned planned = diagnosis::plan(c.draft, c.draft.input_shapes);
  // With open time some layers refuse what they take when the steps are known.
  if (planned.failed >= 0) planned = diagnosis::plan(c.draft, c.data.x);
  ModelOptions options;
  if (from) options = {.seed = from->seed(), .name = from->name()};
  Model model(planned.graph->input_tensors(), planned.graph->output_tensors(), options);
  if (!from) return model;
  std::map<std::string, std::pair<Shape, const float*>> known;
  const WeightBlock& block = from->weights();
  for (const Index e : from->graph().entries()) {
    const WeightEntry& entry = block.entries()[at(e)];
    known[entry.path()] = {entry.shape, block.data() + entry.offset};
  }
  WeightBlock& own = model.weights();
  for (const WeightEntry& entry : own.entries())
    if (const auto found = known.find(entry.path());
        found != known.end() && found->second.first == entry.shape)
      std::copy_n(found->second.second, entry.size(), own.values(entry).begin());
  return model;
}

/// In the order of the graph; those of one layer in one.
std::vector<std::string> words_of(std::vector<diagnosis::Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const auto& a, const auto& b) { return a.place < b.place; });
  std::vector<std::string> words;
  std::string_view last;
  for (const diagnosis::Edit& edit : edits) {
    const std::string_view name = std::string_view(edit.words).substr(0, edit.words.find(": ") + 2);
    const bool again = name == last && edit.place < diagnosis::after_all && name.size() > 1;
    if (again) words.back() += ", " + edit.words.substr(name.size());
    else words.push_back(edit.words);
    last = name;
  }
  return words;
}

Fix fix_of(const Candidate& c, const Model* from) {
  Fix fix{.edits = words_of(c.edits),
          .outputs = {},
          .parameters = 0,
          .model = model_of(c, from),
          .losses = c.losses,
          .x = c.x,
          .y = c.y,
          .weights = c.weights};
  const Verdict verdict = judge(c);
  for (std::size_t o = 0; o < c.losses.size(); ++o) fix.outputs.push_back(verdict.output(c, o));
  for (const Array& weights : fix.model.get_weights()) fix.parameters += weights.size();
  return fix;
}

Diagnosis diagnosis_of(const Candidate& c, const Model* model) {
  Diagnosis result;
  const Verdict verdict = judge(c);
  if (verdict.misfit == Misfit::none) return result;
  result.what = verdict.message;
  result.where = verdict.where;
  if (verdict.misfit != Misfit::input)
    result.time =
        walk_of_time(c.draft, verdict.planned, verdict.misfit == Misfit::plan ? 0 : verdict.which);
  for (const Candidate& fit : search(c, verdict, most_fixes))
    result.fixes.push_back(fix_of(fit, model));
  return result;
}

Array changed(Array array, const std::vector<ArrayChange>& changes) {
  for (const ArrayChange& change : changes) array = change.apply(array);
  return array;
}

std::string thousands(Index number) {
  std::string text = fmt::format("{}", number);
  for (Index i = static_cast<Index>(text.size()) - 3; i > 0; i -= 3) text.insert(at(i), ",");
  return text;
}

}  // namespace

Array Fix::change_x(Array array, std::size_t input) const {
  return changed(std::move(array), x.at(input));
}
Array Fix::change_y(Array array, std::size_t output) const {
  return changed(std::move(array), y.at(output));
}
Array Fix::change_weights(Array array, std::size_t output) const {
  for (const ArrayChange& change : y.at(output))
    if (change.over_time && array.shape().rank() > 1 && array.shape()[1] > 1)
      array = change.apply(array);
  return changed(std::move(array), weights.at(output));
}
std::string Fix::words() const { return fmt::format("{}", fmt::join(edits, "; ")); }

std::string Diagnosis::text() const { return what + details(); }

std::string Diagnosis::details() const {
  std::string text;
  if (!time.empty()) text += fmt::format("\nTime:\n  {}", fmt::join(time, "\n  "));
  if (fixes.empty()) return text;
  text += "\nChanges that fit:";
  for (std::size_t i = 0; i < fixes.size(); ++i) {
    const Fix& fix = fixes[i];
    std::vector<std::string> outputs;
    for (const Shape& shape : fix.outputs) outputs.push_back(to_string(shape.with_front(dynamic)));
    text += fmt::format("\n  {}. {}\n     → output {}, {} parameters", i + 1, fix.words(),
                        fmt::join(outputs, ", "), thousands(fix.parameters));
  }
  return text;
}

Diagnosis diagnose(const Model& model, const DataShapes& data, const Losses& loss) {
  return diagnosis_of(candidate_of(diagnosis::Draft::of(model.graph()), data, loss), &model);
}

Diagnosis diagnose(const Model& model, const Array& x, const Array& y, const Losses& loss) {
  return diagnose(
      model,
      {.x = {x.shape().without_front()}, .y = {y.shape().without_front()}, .labels = {facts_of(y)}},
      loss);
}

Diagnosis diagnose(const Shape& input, const std::vector<AnyLayer>& layers, const DataShapes& data,
                   const Losses& loss) {
  return diagnosis_of(candidate_of(diagnosis::Draft::of(input, layers), data, loss), nullptr);
}

}  // namespace sonde
