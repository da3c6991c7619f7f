#pragma once
#include <optional>
#include <sonde/events.hpp>
#include <sonde/fields.hpp>
#include <sonde/recordings.hpp>
#include <string>
#include <vector>

namespace sonde {

/// Windows of `length` steps, `hop` steps apart, that a recording is predicted in. Where they
/// overlap, what they say is averaged, and counts less towards the ends of each.
struct PredictionWindows {
  static constexpr std::string_view type = "PredictionWindows";
  Index length = 0;
  Index hop = 0;

  static constexpr auto fields() {
    return fields_of(field("length", &PredictionWindows::length),
                     field("hop", &PredictionWindows::hop));
  }
  bool operator==(const PredictionWindows&) const = default;
};

/// What a model file carries besides the network: how a recording becomes the network's input, and
/// what becomes of its output. Found while training and tuned on the validation part, used alike
/// wherever the model labels. Keras ignores it.
struct Recipe {
  static constexpr std::string_view type = "Recipe";
  std::vector<std::string> channels = {};  ///< the network's inputs, in order; empty: as they come
  /// The network knows one channel: each channel of a recording is labelled by itself.
  bool each_channel = false;
  /// With each_channel: a recording has one labelling all the same, by pooled_probabilities() of
  /// what the network says of each channel.
  bool combine_channels = false;
  double frequency = 0;  ///< steps per second that the network was trained with; 0: not known
  std::optional<Normalizer> normalizer = {};
  std::optional<PredictionWindows> windows = {};  ///< none: recordings are predicted whole
  double temperature = 1;                         ///< of the probabilities: apply_temperature()
  PostProcessing post_processing = {};
  std::vector<std::string> classes = {};  ///< names of the classes; empty: their numbers
  Index background = 0;                   ///< the class that is no event

  static constexpr auto fields() {
    using R = Recipe;
    return fields_of(field("channels", &R::channels), field("each_channel", &R::each_channel),
                     field("combine_channels", &R::combine_channels),
                     field("frequency", &R::frequency), field("normalizer", &R::normalizer),
                     field("windows", &R::windows), field("temperature", &R::temperature),
                     field("post_processing", &R::post_processing), field("classes", &R::classes),
                     field("background", &R::background));
  }
  /// "QRS", or "2" where classes have no names.
  std::string name_of(Index label) const;
};

/// Throws ArgumentError for what cannot be used: values outside their range, names that are empty,
/// twice there, or not printable.
void check(const Recipe& recipe, const Where& where);

/// A recipe as the `extra` of save_model(): the fields that are not at their default; null when all
/// are.
Value to_extra(const Recipe& recipe);
/// The recipe that load_model() gives as `extra`. Throws FormatError for keys that it does not know
/// and values that cannot be used.
///   LoadedModel loaded = load_model("model.keras");
///   Recipe recipe = recipe_of(loaded.extra, "model.keras");
Recipe recipe_of(const Value& extra, const Where& where);

// --- the parts of a recipe as values: found by to_config() and read_config() ---------------------

Value to_value(const Normalizer& normalizer);
Value to_value(const PredictionWindows& windows);
Value to_value(const PostProcessing& processing);
void from_value(const Value& value, const Where& where, Normalizer& out);
void from_value(const Value& value, const Where& where, PredictionWindows& out);
void from_value(const Value& value, const Where& where, PostProcessing& out);

}  // namespace sonde
