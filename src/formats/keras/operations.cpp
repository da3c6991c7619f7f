#include "formats/keras/operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sonde/error.hpp>
#include <sonde/layers/activation.hpp>
#include <sonde/layers/add.hpp>
#include <sonde/layers/get_item.hpp>
#include <sonde/layers/maximum.hpp>
#include <sonde/layers/minimum.hpp>
#include <sonde/layers/multiply.hpp>
#include <sonde/layers/rescaling.hpp>
#include <sonde/layers/subtract.hpp>

namespace sonde::formats::keras {
namespace {

constexpr std::string_view numpy_module = "keras.src.ops.numpy";

/// The class of an entry; empty where it has none.
std::string_view class_of(const Value& written) {
  const Value* class_name = written.find("class_name");
  const auto* type = class_name ? class_name->as<std::string>() : nullptr;
  return type ? std::string_view(*type) : std::string_view();
}

bool is_tensor(const Value& value) { return class_of(value) == "__keras_tensor__"; }

/// The arguments of the only call.
const Value::List& arguments(const Value& written, const Where& where) {
  const Value::List& calls = list_entry(written, "inbound_nodes", where);
  if (calls.size() != 1)
    throw FormatError(
        fmt::format("{}: an operation is called once, got {} calls.", where, calls.size()));
  return list_entry(calls.front(), "args", where);
}

AnyLayer get_item(const Value& call, const Value::List& args, const std::string& name,
                  const Where& where) {
  const Value* kwargs = call.find("kwargs");
  const Value* key = args.size() > 1 ? &args[1] : kwargs ? kwargs->find("key") : nullptr;
  const auto* given = key ? key->as<Value::List>() : nullptr;
  Value::List parts = given ? *given : Value::List{};
  if (key && !given) parts = {*key};
  std::vector<Slice> slices;
  for (const Value& part : parts) {
    if (part.is_null())
      throw FormatError(where + ": makes a new axis, which is not supported. Use a Reshape layer.");
    as_format_error("", [&] {
      sonde::from_value(part, where + ": key", slices.emplace_back());
      return 0;
    });
  }
  // The first part is the batch.
  const bool begins_with_rest = !slices.empty() && slices.front().is_rest;
  if (!begins_with_rest) {
    if (slices.empty() ||
        !(slices.front() == Slice{} || slices.front() == Slice{.start = Index{0}}))
      throw FormatError(where + ": takes a part of the batch. Its key must begin with `:`.");
    slices.erase(slices.begin());
  }
  return AnyLayer(GetItem{.key = std::move(slices), .name = name});
}

/// x op number, as scale and offset; none for what these cannot say.
AnyLayer with_number(std::string_view type, const Value::List& args, const std::string& name,
                     const Where& where) {
  const bool number_first = !is_tensor(args[0]);
  double number = 0;
  as_format_error("", [&] {
    from_value(args[number_first ? 0 : 1], where + ": its number", number);
    return 0;
  });
  double scale = 1, offset = 0;
  if (type == "Add") offset = number;
  else if (type == "Multiply") scale = number;
  else if (type == "Subtract" && number_first) scale = -1, offset = number;
  else if (type == "Subtract") offset = -number;
  else if (!number_first && number != 0) scale = 1 / number;  // TrueDivide
  else throw FormatError(where + ": divides by what it is given, which is not supported.");
  return AnyLayer(Rescaling{.scale = scale, .offset = offset, .name = name});
}

AnyLayer of_two(std::string_view type, const std::string& name) {
  if (type == "Add") return AnyLayer(Add{.name = name});
  if (type == "Subtract") return AnyLayer(Subtract{.name = name});
  if (type == "Multiply") return AnyLayer(Multiply{.name = name});
  if (type == "Maximum") return AnyLayer(Maximum{.name = name});
  return AnyLayer(Minimum{.name = name});
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), word) != known.end();
}

}  // namespace

bool is_operation(const Value& written) {
  if (const Value* module = written.find("module")) {
    const auto* text = module->as<std::string>();
    return text && text->starts_with("keras.src.ops");
  }
  // .h5 files leave modules out. Layers take their tensors in a list, operations one by one.
  const std::string_view type = class_of(written);
  if (is_one_of(type, {"GetItem", "TrueDivide", "Relu", "Sigmoid", "Tanh"}) || makes_mask(written))
    return true;
  if (!is_one_of(type, {"Add", "Subtract", "Multiply", "Maximum", "Minimum"})) return false;
  const Value* nodes = written.find("inbound_nodes");
  const auto* calls = nodes ? nodes->as<Value::List>() : nullptr;
  const Value* args = calls && calls->size() == 1 ? calls->front().find("args") : nullptr;
  return args && args->as<Value::List>() && args->as<Value::List>()->size() == 2;
}

bool makes_mask(const Value& written) {
  const std::string_view type = class_of(written);
  if (is_one_of(type, {"NotEqual", "Any", "LogicalOr", "ExpandDims", "OnesLike", "ZerosLike",
                       "ConvertToTensor"}))
    return true;
  // A layer has this name, too.
  const Value* module = written.find("module");
  return type == "Concatenate" && module && *module == Value(numpy_module);
}

Value::List operands(const Value& call) {
  Value::List tensors;
  if (const Value* args = call.find("args"); args && args->as<Value::List>())
    for (const Value& each : *args->as<Value::List>())
      if (is_tensor(each)) tensors.push_back(each);
  return tensors;
}

AnyLayer layer_of_operation(const Value& written, const std::string& name, const Where& where) {
  const std::string& type = text_entry(written, "class_name", where);
  const Value::List& args = arguments(written, where);
  const Value& call = written.find("inbound_nodes")->as<Value::List>()->front();
  const std::size_t tensors = operands(call).size();
  if (type == "GetItem" && tensors == 1) return get_item(call, args, name, where);
  const bool takes_two = is_one_of(type, {"Add", "Subtract", "Multiply", "Maximum", "Minimum"});
  if (args.size() == 2 && takes_two && tensors == 2) return of_two(type, name);
  if (args.size() == 2 && tensors == 1 &&
      is_one_of(type, {"Add", "Subtract", "Multiply", "TrueDivide", "Divide"}))
    return with_number(type, args, name, where);
  constexpr std::array<std::pair<std::string_view, ActivationFunction>, 3> functions = {
      {{"Relu", ActivationFunction::relu},
       {"Sigmoid", ActivationFunction::sigmoid},
       {"Tanh", ActivationFunction::tanh}}};
  for (const auto& function : functions)
    if (type == function.first && args.size() == 1 && tensors == 1)
      return AnyLayer(Activation{.activation = function.second, .name = name});
  refuse_operation(where);
}

void refuse_operation(const Where& where) {
  throw FormatError(fmt::format(
      "{}: is a bare operation that is not supported. Known are x[:, …], +, -, *, / with "
      "tensors or numbers, maximum, minimum, relu, sigmoid and tanh. Use a layer in "
      "Keras.",
      where));
}

Value::Dict write_get_item(const std::string& name) {
  return {{"module", numpy_module},
          {"class_name", "GetItem"},
          {"config", Value::Dict{{"name", name}}},
          {"registered_name", "GetItem"}};
}

Value written_key(const AnyLayer& layer) {
  Value::List key = {to_value(Slice{})};
  for (const Slice& slice : *layer.as<GetItem>()->key) key.push_back(to_value(slice));
  return key;
}

}  // namespace sonde::formats::keras
