#pragma once
#include <cstdint>
#include <functional>
#include <sonde/array.hpp>
#include <span>
#include <vector>

/// Whether probabilities mean what they say, and how sure a score is.
namespace sonde {

/// Steps whose most likely class was given a probability in one stretch of [0, 1].
struct CalibrationBin {
  Index steps = 0;
  double confidence = 0;  ///< mean probability of the most likely class; 0 without steps
  double accuracy = 0;    ///< part of them that has that class
};

struct CalibrationScores {
  Index steps = 0;
  double ece = 0;       ///< mean of |confidence - accuracy| over bins, weighed by their steps
  double brier = 0;     ///< mean over steps of Σ over classes (p - 1{class})²: 0 best, 2 worst
  double log_loss = 0;  ///< mean of -log p of the right class
  std::vector<CalibrationBin> bins;  ///< of equal width, from 0 to 1
};

/// probabilities: (…, classes), or (…, 1) for the probability of class 1; labels: a class number
/// for each step; steps of weight 0 count nowhere. Guo et al. 2017 (ECE), Brier 1950.
/// DataError where sizes or labels do not fit.
CalibrationScores calibration(std::span<const float> probabilities, std::span<const float> labels,
                              std::span<const float> weights = {}, Index bins = 15);

/// The temperature that makes the log loss of these probabilities least: above 1 where they are too
/// sure. Fit it on validation data. Guo et al. 2017.
double fit_temperature(std::span<const float> probabilities, std::span<const float> labels,
                       std::span<const float> weights = {});
/// softmax(log(p) / temperature) of each step, or the sigmoid's counterpart for `classes` = 1.
void apply_temperature(std::span<float> probabilities, Index classes, double temperature);

/// What several say of the same steps, (time, classes) or (time, 1) each, as one: the geometric
/// mean of their probabilities, made to sum to one again (the logarithmic opinion pool; Genest and
/// Zidek 1986). Nobody is taken to be surer than 2⁻²⁴, what floats can tell from 1. ArgumentError
/// for none. DataError where shapes differ.
Array pooled_probabilities(std::span<const Array> said);

/// The middle `level` of what a score would be, were other groups (people, recordings) drawn.
struct ConfidenceInterval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  Index draws = 1000;
  double level = 0.95;
  std::uint64_t seed = 0;
};

/// Percentiles of `score` over draws of as many groups as there are, with repetition; `score` takes
/// the numbers of the groups drawn. Draws without a score (NaN) are left out. Steps of one person
/// resemble each other, so groups are drawn and not steps. Efron 1979.
///   auto range = bootstrap(people, [&](std::span<const Index> drawn) { return f1_of(drawn); });
ConfidenceInterval bootstrap(Index groups,
                             const std::function<double(std::span<const Index>)>& score,
                             BootstrapOptions options = {});

}  // namespace sonde
