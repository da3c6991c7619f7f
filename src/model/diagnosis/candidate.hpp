#pragma once
#include <set>
#include <sonde/diagnosis.hpp>

#include "model/diagnosis/draft.hpp"

namespace sonde::diagnosis {

/// One change in words, and where in the graph it is made: calls by their number, X before them, y
/// and losses after them.
struct Edit {
  double place;
  std::string words;
};
constexpr double before_all = -1, after_all = 1e6;

/// A model and data that may fit, and what was changed to come here.
struct Candidate {
  Draft draft;
  DataShapes data;
  std::vector<Loss> losses;
  std::vector<std::vector<ArrayChange>> x = {}, y = {}, weights = {};
  std::vector<Edit> edits = {};
  std::set<std::string> keys = {};  ///< which edits these are, whatever their order
  double cost = 0;

  /// A copy after one more edit. `made` says which changes it is of, one for each layer.
  Candidate edited(double price, std::set<std::string> made, double place,
                   std::string words) const {
    Candidate next = *this;
    next.cost += price;
    next.keys.merge(made);
    next.edits.push_back({place, std::move(words)});
    return next;
  }
  const LabelFacts* labels(std::size_t o) const {
    return o < data.labels.size() ? &data.labels[o] : nullptr;
  }
};

/// What is wrong with a candidate.
enum class Misfit {
  none,
  input,   ///< an array does not fit its Input
  plan,    ///< a layer refuses what the layers before it give
  loss,    ///< a loss refuses how the model ends
  target,  ///< targets do not fit the output
  labels,  ///< labels that the loss does not allow
  weights  ///< sample or class weights that the output has no place for
};
struct Verdict {
  Misfit misfit = Misfit::none;
  std::size_t which = 0;     ///< number of the input or output
  std::string where = {};    ///< `Dense "dense"`
  std::string message = {};  ///< with `where` in front
  Planned planned = {};

  Shape output(const Candidate& c, std::size_t o) const {
    return planned.shape(c.draft.resolve(c.draft.outputs[o]));
  }
};

/// Plans it and looks at everything that training would look at.
Verdict judge(const Candidate& candidate);

/// Small changes of `c` that may bring it nearer to fitting.
void propose(const Candidate& c, const Verdict& verdict, std::vector<Candidate>& out);

}  // namespace sonde::diagnosis
