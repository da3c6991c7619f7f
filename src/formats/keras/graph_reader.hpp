#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/keras/classes.hpp"
#include "formats/keras/graph_config.hpp"

namespace sonde::formats::keras {

/// An output of a call, as a file names it.
struct Reference {
  std::size_t layer = 0;
  std::size_t call = 0;
  std::size_t output = 0;
};

/// A layer of the file, its calls as they are written and as they are made.
struct Entry {
  AnyLayer layer;
  std::string name;
  Where where;
  Value::Dict config;
  std::vector<std::vector<Reference>> calls = {};
  std::vector<std::vector<Tensor>> outputs = {};  ///< of each call made so far
  std::set<std::size_t> masked = {};              ///< calls that are given a mask
  bool is_mask = false;  ///< a node by which Keras computes a mask: masks come by themselves here
  bool counts_all = false;    ///< of such a node: every step counts, whatever was masked before
  bool is_operation = false;  ///< of Keras' ops: its calls hold what we have in the layer
  bool is_rescaled = false;   ///< hard_sigmoid of Keras 2: what it gets is multiplied first
  Identity identity = {};
  Identity scale_identity = {};
};

/// Reads one model: all layers, then all calls as they are written (read_calls.cpp), then makes
/// them (read_graph.cpp). A Reader reads once.
class Reader {
 public:
  Reader(std::string where, int keras_major, const GraphLimits& limits, bool is_part)
      : where_(std::move(where)), keras_major_(keras_major), limits_(limits), is_part_(is_part) {}

  ReadGraph functional(const Value& config);
  ReadGraph sequential(const Value& model, const Value& config);

 private:
  Entry& add_layer(const Value& written);
  AnyLayer nested(const Value& written, const std::string& name, const Where& where) const;
  AnyLayer each_step(const Value& config, const std::string& name, const Where& where) const;
  void add_calls(Entry& entry, const Value& written);
  std::vector<Reference> call(Entry& entry, const Value& written) const;
  std::vector<Reference> attention_call(const Entry& entry, const Value& written) const;
  bool has_mask(const Value& written, const Where& where) const;
  bool counts_all(const Entry& mask, const Value& written) const;
  std::vector<Reference> old_call(const Entry& entry, const Value& written) const;
  /// `is_end`: of the model, and not of a call.
  Reference reference(const Value& triple, const Where& where, bool is_end = false) const;
  Reference tensor(const Value& written, const Where& where) const;
  void tensors(const Value& written, const Where& where, std::vector<Reference>& into) const;
  void make(Entry& entry, std::vector<Tensor> inputs);
  void make_all();
  ReadGraph graph(std::vector<Tensor> inputs, std::vector<Tensor> outputs,
                  const Value& config) const;
  const Tensor& made(const Reference& reference, const Where& where) const;
  std::vector<Tensor> ends(const Value& written, const Where& where) const;

  std::string where_;
  int keras_major_;
  GraphLimits limits_;
  bool is_part_;               ///< of another model
  bool is_frozen_ = false;     ///< the model as a whole is not trainable
  std::deque<Entry> entries_;  // whose addresses stay
  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::size_t call_count_ = 0;
};

}  // namespace sonde::formats::keras
