#include "cli/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sonde/layers.hpp>
#include <sonde/networks.hpp>
#include <sstream>

#include "cli/options.hpp"

namespace sonde::cli {
namespace {

/// A layer as it stands in a chain: its name, and as many numbers as the example has.
struct LayerWord {
  std::string_view name;
  std::string_view example;
  std::string_view meaning;
  std::size_t numbers;
  AnyLayer (*make)(Index first, Index second);
};

template <class L>
AnyLayer pooled(Index steps, Index) {
  return L{.pool_size = steps};
}
template <class L>
AnyLayer walk(Index units, Index) {
  return L{.units = units, .return_sequences = true};
}
template <class L>
AnyLayer walk_both_ways(Index units, Index) {
  return Bidirectional{.layer = walk<L>(units, 0)};
}

constexpr LayerWord layers[] = {
    {"conv", "conv32x8", "Conv1D of 32 filters of 8 steps, same, relu", 2,
     [](Index filters, Index steps) -> AnyLayer {
       return Conv1D{.filters = filters,
                     .kernel_size = steps,
                     .padding = Padding::same,
                     .activation = Activation::relu};
     }},
    {"pool", "pool4", "MaxPooling1D", 1, pooled<MaxPooling1D>},
    {"up", "up4", "UpSampling1D", 1,
     [](Index size, Index) -> AnyLayer { return UpSampling1D{.size = size}; }},
    {"lstm", "lstm32", "LSTM of 32 units, sequences", 1, walk<LSTM>},
    {"gru", "gru32", "GRU", 1, walk<GRU>},
    {"rnn", "rnn32", "SimpleRNN", 1, walk<SimpleRNN>},
    {"bilstm", "bilstm32", "LSTMs in both directions", 1, walk_both_ways<LSTM>},
    {"bigru", "bigru32", "GRUs in both directions", 1, walk_both_ways<GRU>},
    {"dense", "dense1", "Dense with a sigmoid", 1,
     [](Index units, Index) -> AnyLayer {
       return Dense{.units = units, .activation = Activation::sigmoid};
     }},
};

const LayerWord* find_layer(std::string_view name) {
  const auto* found = std::find_if(std::begin(layers), std::end(layers),
                                   [&](const LayerWord& each) { return each.name == name; });
  return found == std::end(layers) ? nullptr : found;
}

bool is_network(std::string_view word) {
  const auto names = networks();
  return std::any_of(names.begin(), names.end(),
                     [&](const NetworkName& each) { return each.name == word; });
}

[[noreturn]] void refuse(const std::string& where, std::string_view message) {
  throw ArgumentError(fmt::format("{}: {}", where, message));
}

std::size_t count_numbers(std::string_view numbers) {
  return static_cast<std::size_t>(std::count(numbers.begin(), numbers.end(), 'x')) + 1;
}

/// What no layer and no network is called: the names of networks stand beside those of layers, the
/// latter with the numbers of the word where they are as many, for they are not what is wrong.
[[noreturn]] void refuse_word(const std::string& where, std::string_view word,
                              std::string_view numbers) {
  std::vector<std::string> names;
  for (const NetworkName& each : networks()) names.emplace_back(each.name);
  for (const LayerWord& each : layers)
    names.push_back(!numbers.empty() && count_numbers(numbers) == each.numbers
                        ? fmt::format("{}{}", each.name, numbers)
                        : std::string(each.example));
  refuse_name(where + ": network", word, {names.begin(), names.end()});
}

AnyLayer layer_of(std::string_view word, const std::string& where) {
  const std::size_t end = std::min(word.find_first_of("0123456789"), word.size());
  const std::string_view numbers = word.substr(end);
  const LayerWord* layer = find_layer(word.substr(0, end));
  if (layer == nullptr) refuse_word(where, word, numbers);
  std::vector<Index> values;
  for (const std::string& part : split(numbers, 'x'))
    if (const Value value = whole_number(part); const auto* number = value.as<std::int64_t>())
      values.push_back(*number);
  if (values.size() != layer->numbers || count_numbers(numbers) != layer->numbers)
    refuse(where, fmt::format("expected {} as in {}, got \"{}\". Write the {} behind its name, "
                              "without blanks.",
                              layer->name, layer->example, word,
                              layer->numbers == 1 ? "number" : "numbers, with an x between,"));
  return layer->make(values.front(), values.back());
}

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream stream{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// "batch=16" into its field.
void read_setting(const std::string& word, const std::string& where, Problem& problem) {
  const std::string key = word.substr(0, word.find('='));
  const std::string text = word.substr(key.size() + 1);
  if (key.empty() || text.empty())
    refuse(where,
           fmt::format("expected key=value without blanks, as in batch=32, got \"{}\".", word));
  std::vector<std::string_view> names;
  for_each_field(problem, [&](std::string_view name, auto& member) {
    using T = std::remove_cvref_t<decltype(member)>;
    names.push_back(name);
    if (name == key) from_value(Reads<T>::from(text), where + ": " + key, member);
  });
  if (std::count(names.begin(), names.end(), key) == 0) refuse_name(where, key, names);
}

void check(const Problem& p, const std::string& where) {
  if (p.network.empty())
    refuse(where,
           "expected a network or layers, got none. Write it like \"conv-lstm threads=2\" or "
           "\"conv32x8 lstm64 dense1\".");
  if (!p.input.is_static() || p.input.rank() != 2 || p.input.elements() < 1)
    refuse(where, fmt::format("input must be steps and channels like 400,16, got {}.",
                              shown(to_value(p.input))));
  for (const auto& [name, value] : {std::pair{"batch", p.batch}, {"samples", p.samples}})
    if (value < 1) refuse(where, fmt::format("{} must be at least 1, got {}.", name, value));
  if (p.threads < 0)
    refuse(where, fmt::format("threads must not be negative, got {}. 0 is all cores.", p.threads));
  if (p.mode != BenchMode::train && p.precision != MatmulPrecision::f32)
    refuse(where, "precision must be f32 where nothing is trained, got bf16. Use mode=train.");
}

}  // namespace

Problem read_problem(std::string_view line, const std::string& place, const Problem& otherwise) {
  const std::string where = fmt::format("{} \"{}\"", place, line);
  Problem problem = otherwise;
  problem.where = where;
  std::vector<std::string> network;
  std::set<std::string> keys;
  for (const std::string& word : words_of(line)) {
    if (word.find('=') == std::string::npos) {
      network.push_back(word);
      continue;
    }
    read_setting(word, where, problem);
    if (const std::string key = word.substr(0, word.find('=')); !keys.insert(key).second)
      refuse(where, fmt::format("{} is given twice. Leave out all but one.", key));
  }
  problem.network = fmt::format("{}", fmt::join(network, " "));
  check(problem, where);
  return problem;
}

std::vector<Problem> read_problems(const std::string& path, const Problem& otherwise) {
  if (path.empty()) throw ArgumentError("--problems: expected a file, got an empty name.");
  if (std::filesystem::is_directory(path))
    throw IoError(path + ": expected a file of problems, got a folder.");
  std::ifstream file(path);
  if (!file) throw IoError(path + ": cannot be opened. Does it exist?");
  std::vector<Problem> problems;
  Index number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    const std::string text = fmt::format("{}", fmt::join(words_of(line), " "));
    if (text.empty()) continue;
    problems.push_back(read_problem(text, fmt::format("{} line {}", path, number), otherwise));
  }
  if (problems.empty())
    throw ArgumentError(path +
                        ": expected a problem on each line, got none. Write one like "
                        "\"conv-lstm threads=2\".");
  return problems;
}

std::string to_line(const Problem& problem) {
  std::string line = problem.network;
  for_each_field(problem, [&](std::string_view name, const auto& member) {
    line += fmt::format(" {}={}", name, shown(to_value(member)));
  });
  return line;
}

Model build(const Problem& problem) {
  const std::vector<std::string> words = words_of(problem.network);
  for (const std::string& word : words)
    if (is_network(word) && words.size() > 1)
      refuse(problem.where,
             fmt::format("{} is a whole network and takes no layers beside it. Leave out it or "
                         "them.",
                         word));
  const bool named = is_network(problem.network);
  std::vector<AnyLayer> chain;
  if (!named)
    for (const std::string& word : words) chain.push_back(layer_of(word, problem.where));
  try {
    Model model = named ? make_network(problem.network, problem.input)
                        : Sequential(Input(problem.input), chain);
    if (named || words.back().starts_with("dense")) model.compile({.loss = BinaryCrossentropy{}});
    else model.compile({.loss = MeanSquaredError{}});
    return model;
  } catch (const ArgumentError& error) {
    refuse(problem.where, error.what());
  }
}

std::string layer_words() {
  std::vector<std::string> texts;
  for (const LayerWord& each : layers)
    texts.push_back(fmt::format("{:<10}{}", each.example, each.meaning));
  return fmt::format("  {}", fmt::join(texts, "\n  "));
}

}  // namespace sonde::cli
