#pragma once
#include <span>

#include "model/diagnosis/candidate.hpp"

/// Changes of a candidate's graph, each a copy; none where there is nothing to change.
namespace sonde::diagnosis {

/// Names of layers.
using Types = std::span<const std::string_view>;

/// True for `a` among the words.
bool is_one_of(std::string_view a, Types words);

/// Calls on the way to output `o` whose layer is one of those types.
std::vector<Index> calls_of(const Candidate& c, std::size_t o, Types types);

/// Which calls an argument is set of: "conv1d, conv1d_1: padding = "same"".
std::optional<Candidate> set_argument(const Candidate& c, double price,
                                      const std::vector<Index>& calls, std::string_view key,
                                      const Value& value);
/// "max_pooling1d left out".
std::optional<Candidate> leave_out(const Candidate& c, double price,
                                   const std::vector<Index>& calls);

/// The layers that only look at one step at a time and end in output `o`: its head. Its calls, last
/// first; may be empty.
std::vector<Index> head_of_output(const Candidate& c, std::size_t o);
/// Puts a layer before the head: "UpSampling1D(4) before dense".
Candidate insert_before_head(const Candidate& c, double price, std::size_t o, AnyLayer layer,
                             const std::string& words);
/// Puts a layer at the very end.
Candidate append(const Candidate& c, double price, std::size_t o, AnyLayer layer,
                 const std::string& words);
/// The units (of a convolution: filters) of the last layer that has some: "dense: units = 400".
std::optional<Candidate> set_units(const Candidate& c, double price, std::size_t o, Index units);
/// The last activation: "dense: activation = "sigmoid"". Takes a Softmax layer out for others. `c`
/// itself where it is the one already.
std::optional<Candidate> set_activation(const Candidate& c, double price, std::size_t o,
                                        std::string_view name);
Candidate set_loss(const Candidate& c, double price, std::size_t o, Loss loss);

Candidate change_x(const Candidate& c, double price, std::size_t input, ArrayChange change);
Candidate change_y(const Candidate& c, double price, std::size_t output, ArrayChange change);
/// The Input takes the array as it is: "input_layer: shape (400, 3)". Time stays open where it was.
Candidate follow_x(const Candidate& c, double price, std::size_t input);

}  // namespace sonde::diagnosis
