#pragma once
#include "model/diagnosis/candidate.hpp"

/// What propose() is made of. Each adds candidates to `out`.
namespace sonde::diagnosis {

/// Time goes on where a layer ended it.
void propose_sequences(const Candidate& c, std::size_t o, std::vector<Candidate>& out);
/// Layers that shorten time no longer do.
void propose_lengths(const Candidate& c, std::size_t o, std::vector<Candidate>& out);
/// Both `output` and `target` have time, of other lengths.
void propose_rates(const Candidate& c, std::size_t o, const Shape& output, const Shape& target,
                   std::vector<Candidate>& out);
/// One of them has time and the other has not.
void propose_vectors(const Candidate& c, std::size_t o, const Shape& output, const Shape& target,
                     std::vector<Candidate>& out);
/// A layer refused, and its window is longer than the signal.
void propose_shorter_windows(const Candidate& c, const Planned& planned,
                             std::vector<Candidate>& out);
/// The array of input `i` does not fit it.
void propose_inputs(const Candidate& c, std::size_t i, std::vector<Candidate>& out);
/// Channels and steps of input `i` may have changed places.
void propose_swapped_axes(const Candidate& c, std::size_t i, std::vector<Candidate>& out);
/// Targets have as many labels as output `o`, but of another width or meaning.
void propose_widths(const Candidate& c, std::size_t o, Index output, Index target,
                    std::vector<Candidate>& out);
/// The loss refuses how the model ends.
void propose_endings(const Candidate& c, std::size_t o, Index width, std::vector<Candidate>& out);
/// Labels outside of what the loss allows.
void propose_labels(const Candidate& c, std::size_t o, Index width, std::vector<Candidate>& out);
/// Sample or class weights without a place in the output.
void propose_weights(const Candidate& c, std::size_t o, const Shape& output,
                     std::vector<Candidate>& out);

}  // namespace sonde::diagnosis
