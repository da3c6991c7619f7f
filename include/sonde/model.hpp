#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <sonde/callbacks.hpp>
#include <sonde/checkpoint.hpp>
#include <sonde/graph.hpp>
#include <sonde/losses.hpp>
#include <sonde/matmul_precision.hpp>
#include <sonde/metrics.hpp>
#include <sonde/optimizers.hpp>
#include <sonde/samples.hpp>
#include <sonde/shared_layer.hpp>
#include <string>
#include <vector>

namespace sonde {

class Stream;

struct ModelOptions {
  std::uint64_t seed = 0;  ///< of first weights, shuffling and dropout
  std::string name = "functional";
};

/// One loss for every output, or one for each.
struct Losses : std::vector<Loss> {
  template <class L>
  requires std::constructible_from<Loss, L> Losses(L loss)
      : std::vector<Loss>{Loss(std::move(loss))} {}
  Losses(std::initializer_list<Loss> each) : std::vector<Loss>(each) {}
  Losses(std::vector<Loss> each) : std::vector<Loss>(std::move(each)) {}
};

struct CompileOptions {
  Optimizer optimizer = Adam{};
  Losses loss = std::vector<Loss>{};       ///< required
  std::vector<float> loss_weights = {};    ///< one for each output; empty: all 1
  std::vector<MetricChoice> metrics = {};  ///< sample weights only say what is masked (weight 0)
  std::vector<MetricChoice> weighted_metrics = {};  ///< sample and class weights count
  std::optional<bool> jit_compile = {};  ///< for Keras, in files: empty is "auto"; no effect here
};

struct FitOptions {
  Index epochs = 1;
  Index batch_size = 32;
  bool verbose = true;  ///< progress on stdout
  std::vector<Callback> callbacks = {};
  double validation_split = 0;  ///< this part at the end of the data, before shuffling
  const SampleSource* validation_data = nullptr;  ///< wins over validation_split
  /// A new order of all samples for each epoch. It depends on the epoch's number and the seed, so
  /// that a run can go on where it stood: a loop of fits continues it with initial_epoch.
  bool shuffle = true;
  std::vector<float> class_weight =
      {};  ///< by class number, for each time step; not for validation
  const Array* sample_weight = nullptr;  ///< (samples,), or (samples, time)
  Index initial_epoch = 0;
  int threads = 0;  ///< 0: all cores; more only where SONDE_OVERSUBSCRIBE is in the environment
  CheckpointOptions checkpoint = {};
  /// Bytes that training may take beside its samples; 0: no limit. Where it would take more, LSTM,
  /// GRU and SimpleRNN compute their gates again on the way back instead of keeping them: the same
  /// bits, for up to a third more time (SimpleRNN: half).
  Index memory = 0;
  /// bf16 trains LSTM layers of many units faster, with products of 8 bits of mantissa. The same
  /// bits on any number of threads, but not on any processor.
  MatmulPrecision matmul_precision = MatmulPrecision::f32;
};

/// What training takes beside its samples: a shard for each thread (where BatchNormalization or
/// masks make shards meet, all of a batch), weights, gradients, moments, and what validation takes.
struct TrainingMemory {
  Index bytes = 0;
  bool recomputes = false;  ///< recurrent layers compute their gates again: FitOptions::memory

  /// "1.21 GB beside the data, recurrent layers compute their gates again".
  std::string text() const;
};

struct PredictOptions {
  Index batch_size = 32;
  int threads = 0;
};

struct EvaluateOptions {
  Index batch_size = 32;
  const Array* sample_weight = nullptr;
  int threads = 0;
};

/// What fit saw, epoch by epoch.
struct History {
  std::vector<Index> epoch;
  std::map<std::string, std::vector<double>> history;
  std::optional<std::string> stop_reason;  ///< when a callback ended training early
};

/// What a labeller must know about a model's time.
struct TimeReport {
  Index steps_in = 0;   ///< dynamic when any
  Index steps_out = 0;  ///< 0: the output has no time axis
  std::optional<Index>
      receptive_field;  ///< input steps an output depends on; none: all earlier ones
  Index lookahead = 0;  ///< input steps after its own that an output needs; dynamic: all
};

/// A graph of layers with weights: trains, judges, predicts. Keras: keras.Model.
///   Model model(x, y);
///   model.compile({.optimizer = Adam{.learning_rate = 1e-3f}, .loss = BinaryCrossentropy{}});
///   History history = model.fit(X, Y, {.epochs = 20, .validation_split = 0.2});
/// Not safe for use by several threads at once; it uses threads itself. Same inputs, seed and
/// version give the same bytes on any number of threads.
class Model {
 public:
  Model(Tensor input, Tensor output, ModelOptions options = {});
  Model(std::vector<Tensor> inputs, std::vector<Tensor> outputs, ModelOptions options = {});
  explicit Model(Graph graph, ModelOptions options = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// This model as a layer of a larger one, which shares its weights.
  ///   Tensor features = encoder(x);
  Tensor operator()(Tensor x) const;
  std::vector<Tensor> operator()(std::vector<Tensor> inputs) const;

  const std::string& name() const;
  std::uint64_t seed() const;
  const Graph& graph() const;
  /// A layer by its name, or by its number in graph().layers(): calling it again shares its
  /// weights. Throws ArgumentError.
  SharedLayer get_layer(std::string_view name) const;
  SharedLayer get_layer(Index number) const;

  /// Checks losses, metrics and optimizer against the outputs. Throws ArgumentError.
  void compile(CompileOptions options);
  /// Null before compile().
  const CompileOptions* compiled() const;

  /// Trains. x: (samples, …), y: (samples, …). Throws ArgumentError and DataError before any
  /// computing.
  History fit(const Array& x, const Array& y, FitOptions options = {});
  History fit(const std::vector<Array>& x, const std::vector<Array>& y, FitOptions options = {});
  History fit(const SampleSource& samples, FitOptions options = {});
  /// What fit() would take, without computing. Throws what fit() throws when samples and options do
  /// not fit the model, and LimitError when it would take more than `options.memory`.
  TrainingMemory training_memory(const SampleSource& samples, const FitOptions& options = {});

  /// Loss and metrics over all samples.
  Logs evaluate(const Array& x, const Array& y, EvaluateOptions options = {});
  Logs evaluate(const SampleSource& samples, EvaluateOptions options = {});

  /// (samples, …) → (samples, …). Signals of any length when the input's time is dynamic; long ones
  /// run in chunks with carried state where all layers can stream, so that memory does not grow.
  Array predict(const Array& x, PredictOptions options = {});
  std::vector<Array> predict(const std::vector<Array>& x, PredictOptions options = {});
  /// The steps of predict's result that count: (samples, steps) of 1, or 0 where the output's mask
  /// leaves a step out of losses and metrics, as padding behind a Masking is. Empty for an output
  /// without a mask.
  Array predict_mask(const Array& x, PredictOptions options = {});

  /// Weights in Keras' order of model.weights.
  std::vector<Array> get_weights() const;
  /// Throws ArgumentError when number or shapes do not fit.
  void set_weights(const std::vector<Array>& weights);
  /// "conv1d/kernel" and the like, in the same order.
  const WeightBlock& weights() const;
  WeightBlock& weights();
  /// Forgets the states of `stateful` layers.
  void reset_states();

  /// The optimizer's step count, from 0, and its state blocks, each as long as weights().size().
  std::int64_t iterations() const;
  void set_iterations(std::int64_t iterations);
  std::vector<Buffer<float>>& optimizer_state();
  const std::vector<Buffer<float>>& optimizer_state() const;
  double learning_rate() const;
  void set_learning_rate(double rate);

  /// Keras' table with what a labeller needs below it.
  std::string summary_text() const;
  /// Prints summary_text().
  void summary() const;
  TimeReport time() const;

  /// Streams this model's labels: see Stream.
  Stream stream(Index most_steps = 1) const;

  /// Writes a .keras file that real Keras opens. Lives in the component `formats`. Throws IoError.
  void save(const std::filesystem::path& path) const;
  /// Reads a .keras file. Lives in the component `formats`. Throws FormatError, IoError.
  static Model load(const std::filesystem::path& path);

  /// Weights alone, as .weights.h5 files: see sonde/keras.hpp.
  void save_weights(const std::filesystem::path& path) const;
  void load_weights(const std::filesystem::path& path);

  struct State;  ///< for the library's own files

 private:
  std::unique_ptr<State> state_;
};

/// A model of layers one after the other. Keras: keras.Sequential.
///   Model model = Sequential(Input({400, 16}), {LSTM{.units = 32, .return_sequences = true},
///                                               Dense{.units = 1, .activation =
///                                               Activation::sigmoid}});
Model Sequential(Tensor input, const std::vector<AnyLayer>& layers,
                 ModelOptions options = {.name = "sequential"});

}  // namespace sonde
