#pragma once
#include "plan/plan.hpp"

namespace sonde {

/// How a value lies between Fold and Unfold: see Plan::Value.
struct Folded {
  Index fold = 1;
  bool folded = false;
};

/// Turns a graph into steps, buffers and actions; friend of Plan. What is planned stands in
/// build.cpp, where it lies and when it runs in lay_out.cpp.
struct PlanBuilder {
  const Graph& graph;
  const WeightBlock& block;
  Plan& plan;
  std::vector<std::vector<Index>> call_values = {};  // per call, per output
  struct Booked {
    Planner planner;
    Index weight_base = 0;
    std::vector<Index> weight_entries = {};
  };
  std::vector<Booked> booked = {};  // per step

  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  bool training() const { return plan.options_.mode == Mode::train; }
  bool streaming() const { return plan.options_.mode == Mode::stream; }
  Index moments() const { return static_cast<Index>(plan.steps_.size()); }
  Index backward_moment(Index step) const { return 2 * moments() - step; }

  void build();

  // --- steps ------------------------------------------------------------------------------------

  Index add_value(Shape shape, Index delay, Folded folded = {});

  /// The activation to take off a call: of an output that nothing else reads.
  ActivationFunction take_head(Index call);

  Index steps_of_input(Index call) const;

  /// A stream cannot tell a single step that stands beside many from one of many.
  void check_other_steps(const Graph::Call& single) const;

  void add_call(Index c);

  void add_step(const Planner& planner, AnyOp op, std::vector<Index> inputs,
                std::vector<Index> masks);

  Folded folded_after(const Planner& planner, const std::vector<Index>& inputs) const;

  /// What of each output counts for losses and metrics.
  void find_output_masks();

  /// Puts queues before a merging layer, so that all its inputs bring the same steps.
  void align(std::vector<Index>& inputs);

  // --- gradients --------------------------------------------------------------------------------

  bool has_trainable(Index step) const;

  void find_gradients();
  /// Whether some output of the step is judged, penalized, or read by what gives it a gradient.
  bool brings_gradient(Index s) const;

  bool counts_steps_only(std::size_t step, std::size_t input) const;

  std::vector<std::pair<Index, Index>> consumers(Index value) const;  // (step, which input)
  /// Also the masks of outputs.
  bool is_output(Index value) const;
  Index size_of(const Plan::Value& value) const;

  // --- buffers ----------------------------------------------------------------------------------

  Index add_buffer(std::string name, Index size, std::vector<Plan::Buffer::Span> live);

  /// Gradient buffers of one use of a value: (step, input) → buffer; the others are added to the
  /// main one.
  struct Use {
    Index step, input, buffer;
  };
  std::vector<std::vector<Use>> uses = {};  // per value, in backward order
  std::vector<Index> unread = {};           // values with no gradient but that of their penalty

  void add_buffers();

  void add_gradient(Index v, Index producer, const std::vector<std::pair<Index, Index>>& readers);

  std::vector<std::vector<Index>> booking_buffers = {};

  void add_bookings(Index s);

  static Index take(Index& size, Index more);

  // --- layouts and actions ----------------------------------------------------------------------

  Index buffer_offset(Index buffer) const;

  Layout::Place place_of(Index v) const;

  void write_layouts();

  static void cut(std::vector<Plan::Segment>& segments);
  /// What all workers may do together stands alone.
  static void add_action(std::vector<Plan::Segment>& segments, Plan::Action action,
                         bool shares_units);
  void add_sums(std::vector<Plan::Segment>& segments, Plan::Action sums);
  static void drop_empty(std::vector<Plan::Segment>& segments);

  void write_actions();
  Index gradient_per_row(Index v) const;
  /// A value read twice by one step has two uses; each is added once.
  std::vector<std::pair<Index, Index>> done = {};
  bool added(Index step, Index buffer);
};

}  // namespace sonde
