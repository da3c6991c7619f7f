#pragma once
#include <sonde/layer.hpp>
#include <string>
#include "formats/keras/classes.hpp"

/// Calls of keras.ops in a functional model, such as x[:, -1], x + h and 2 * x: files keep them
/// beside the layers, without weights and without a number.
namespace sonde::formats::keras {

/// Whether an entry of a model's layers is one.
bool is_operation(const Value& written);
/// Whether it is one of those that layers leave in a file where they compute a mask.
bool makes_mask(const Value& written);
/// Throws FormatError: not supported.
[[noreturn]] void refuse_operation(const Where& where);
/// The layer that computes the same: GetItem, Add, Rescaling … FormatError for others.
AnyLayer layer_of_operation(const Value& written, const std::string& name, const Where& where);
/// The tensors among the arguments of one of its calls.
Value::List operands(const Value& call);

/// The entry of a GetItem, and the key that stands in its call.
Value::Dict write_get_item(const std::string& name);
Value written_key(const AnyLayer& layer);

}  // namespace sonde::formats::keras
