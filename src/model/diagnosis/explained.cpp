#include "model/diagnosis/explained.hpp"

#include <algorithm>
#include <sonde/diagnosis.hpp>

#include "model/diagnosis/facts.hpp"

namespace sonde::diagnosis {
namespace {

LabelFacts facts_of_samples(const SampleSource& samples, std::size_t o, const Shape& target) {
  FactFinder finder(target.rank() > 0 ? std::max<Index>(target.last(), 1) : 1);
  const Index size = target.elements(), weights = samples.weights(static_cast<Index>(o));
  const bool weighted = weights > 0 && size % weights == 0;
  for (Index i = 0; i < samples.size(); ++i) {
    const Sample sample = samples.sample(0, i);
    finder.add(sample.y[o], size, weighted ? sample.weights[o] : nullptr,
               weighted ? size / weights : 1);
  }
  return finder.facts();
}

DataShapes shapes_of(const SampleSource& samples, Index classes) {
  DataShapes shapes{.x = samples.inputs(), .y = samples.targets(), .classes = classes};
  for (std::size_t o = 0; o < shapes.y.size(); ++o) {
    shapes.labels.push_back(facts_of_samples(samples, o, shapes.y[o]));
    shapes.weights.push_back(samples.weights(static_cast<Index>(o)));
  }
  return shapes;
}

}  // namespace

void Explained::explain(const Error& error) const {
  const CompileOptions* compiled = model_.compiled();
  const bool ours = error.failure() == Failure::argument || error.failure() == Failure::data;
  if (!compiled || !ours) return;
  std::string details;
  try {
    details = diagnose(model_, shapes_of(samples_, classes_), compiled->loss).details();
  } catch (const Error&) {  // so far from fitting that nothing more can be said
    return;
  }
  if (details.empty()) return;
  if (error.failure() == Failure::argument) throw ArgumentError(error.what() + details);
  throw DataError(error.what() + details);
}

}  // namespace sonde::diagnosis
