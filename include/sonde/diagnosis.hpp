#pragma once
#include <functional>
#include <optional>
#include <sonde/model.hpp>
#include <string>
#include <vector>

/// Why data does not fit a model, and which changes of the model or the data make it fit.
namespace sonde {

/// What the numbers of an array of labels are.
struct LabelFacts {
  float smallest = 0;
  float largest = 0;
  bool whole = false;    ///< whole numbers only
  bool one_hot = false;  ///< vectors of one 1 and zeros, along the last axis
  /// Where in the array the first of these stands; -1: not known, or there is none.
  Index smallest_at = -1, largest_at = -1, fraction_at = -1;
  float fraction = 0;  ///< the first that is no whole number
};
/// Numbers that are not finite are not looked at, nor labels whose weight is 0. `weights`:
/// (samples,), (samples, steps) or empty.
LabelFacts facts_of(const Array& y, const Array& weights = {});

/// What is brought to a model, without the batch.
struct DataShapes {
  std::vector<Shape> x;                 ///< one for each input
  std::vector<Shape> y;                 ///< one for each output; empty where there are no targets
  std::vector<LabelFacts> labels = {};  ///< of each y; empty: not looked at
  std::vector<Index> weights = {};      ///< numbers of each output's sample weights; empty: none
  Index classes = 0;                    ///< numbers in class_weight; 0: none given
};

/// A change of an array (samples, …).
struct ArrayChange {
  std::string text;                          ///< "y reshaped to (n, 400)"
  Shape shape;                               ///< afterwards, without the batch
  std::function<Array(const Array&)> apply;  ///< returns the changed array
  bool over_time = false;  ///< changes which steps there are: weights of steps go along
};

/// One way to make data and model fit: planned and checked.
struct Fix {
  std::vector<std::string> edits;  ///< in words, one for each change
  std::vector<Shape> outputs;      ///< of the model for this data, without the batch
  Index parameters = 0;
  /// The changed model: not compiled, with the weights of all layers that did not change.
  Model model;
  std::vector<Loss> losses;                       ///< one for each output
  std::vector<std::vector<ArrayChange>> x;        ///< changes of each input's array, in order
  std::vector<std::vector<ArrayChange>> y;        ///< changes of each output's targets
  std::vector<std::vector<ArrayChange>> weights;  ///< changes of each output's sample weights

  Array change_x(Array array, std::size_t input = 0) const;
  Array change_y(Array array, std::size_t output = 0) const;
  /// Sample weights: (samples,), (samples, steps) or (samples, steps, 1).
  Array change_weights(Array array, std::size_t output = 0) const;
  /// "conv1d: padding = "same"; y reshaped to (n, 400)".
  std::string words() const;
};

/// What is wrong and what helps.
///   Diagnosis d = diagnose(model, {.x = {{400, 16}}, .y = {{400, 1}}}, BinaryCrossentropy{});
///   if (!d.fits()) std::puts(d.text().c_str());
struct Diagnosis {
  std::string what;   ///< in one sentence, with layer and shapes; empty when all fits
  std::string where;  ///< the layer that the sentence is about: `Dense "dense"`
  /// How time goes from the input to the output, one line for each layer that changes it.
  std::vector<std::string> time;
  std::vector<Fix> fixes;  ///< best first, at most five

  bool fits() const { return what.empty(); }
  /// All of it, in lines without a line feed at the end.
  std::string text() const;
  /// The same without `what`: each line begins with a line feed.
  std::string details() const;
};

/// Looks for what does not fit and, by trying small changes of the model and the data, for what
/// would. Nothing is computed and the model stays as it is.
Diagnosis diagnose(const Model& model, const DataShapes& data, const Losses& loss);
/// The same for arrays (samples, …), looking at the labels too.
Diagnosis diagnose(const Model& model, const Array& x, const Array& y, const Losses& loss);
/// The same for layers one after the other that need not fit each other. Without y: only whether
/// they do.
Diagnosis diagnose(const Shape& input, const std::vector<AnyLayer>& layers, const DataShapes& data,
                   const Losses& loss);

}  // namespace sonde
