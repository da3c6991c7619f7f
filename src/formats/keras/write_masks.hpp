#pragma once
#include <map>
#include <set>
#include <sonde/graph.hpp>
#include <sonde/value.hpp>
#include <string>
#include <string_view>

namespace sonde::formats::keras {

/// {"class_name": "__keras_tensor__", …}: one output of one call, and no more than that.
Value::Dict written_tensor(const Graph& graph, const Graph::Source& source);

/// The operations by which Keras computes the masks of a graph, as its files hold them. Written
/// with names that no layer has: Keras would make its own when it opens the file, and name one
/// "concatenate" beside a layer of that name.
class WrittenMasks {
 public:
  explicit WrittenMasks(const Graph& graph);

  /// The argument `mask` of a call: a tensor, a list for several inputs; null where there is none.
  Value argument(const Graph::Call& call);
  /// The operations that what was asked for needs.
  Value::List take_operations() { return std::move(operations_); }

 private:
  Value of(const Graph::Source& source);
  Value made_by(const Graph::Call& call);
  Value side_by_side(const Graph::Call& call);
  Value any(Value x, const Shape& shape);
  /// Adds an entry; returns its output, of that shape.
  Value operation(std::string_view type, Value::List args, const Shape& shape,
                  Value::Dict config = {});

  const Graph& graph_;
  std::set<std::string> taken_;
  std::map<Index, Value> masks_;  // of output 0 of each call
  Value::List operations_;
};

}  // namespace sonde::formats::keras
